"""Searches, noted: how each one ended, and how long it took, for whoever counts them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pycontextify.errors import NotReadyError
from pycontextify.server.document import standing

if TYPE_CHECKING:
    from pycontextify.index.model import Answer
    from pycontextify.server.desk import Clock
    from pycontextify.server.document import Situation

__all__ = ["ANSWERED", "Noting", "OnSearch", "SearchNote", "SearchResult", "unheard"]

SearchResult = Literal["ok", "empty", "degraded", "warming", "no_index", "busy", "error", "cancelled"]
"""``ok`` and ``empty`` were searched in full, and found something or nothing; ``degraded`` by words alone. For
``warming`` and ``no_index`` there was nothing to search, yet or at all; ``busy`` was turned away, ``error`` failed,
``cancelled`` was given up by the client."""

ANSWERED: frozenset[SearchResult] = frozenset({"ok", "empty", "degraded"})
"""Those for which an index was searched: how long the others took says nothing of searching."""


@dataclass(frozen=True, slots=True)
class SearchNote:
    """A search that has ended. ``seconds`` count from the moment it was asked for, waiting for a thread included."""

    mode: str
    result: SearchResult
    seconds: float


OnSearch = Callable[[SearchNote], None]
"""Told of every search that has ended; on the event loop, and must not raise."""

Found = tuple["Answer", "Situation"]


def unheard(_note: SearchNote) -> None:
    """Nobody counts."""


@dataclass(frozen=True, slots=True)
class Noting:
    """Searches, and tells ``on_search`` of it; ``monotonic`` gives seconds that only grow."""

    on_search: OnSearch
    monotonic: Callable[[], float]
    now: Clock

    async def search(self, mode: str, search: Callable[[], Awaitable[Found]]) -> Found:
        """Return what ``search`` returns, or raise what it raises."""
        began = self.monotonic()
        noted: SearchResult = "cancelled"
        try:
            found = await search()
            noted = _result(found, self.now)
        except NotReadyError as error:
            noted = "busy" if error.code == "busy" else "error"
            raise
        except Exception:
            noted = "error"
            raise
        else:
            return found
        finally:
            self.on_search(SearchNote(mode, noted, self.monotonic() - began))


def _result(found: Found, now: Clock) -> SearchResult:
    answer, situation = found
    match standing(situation, now()).index_state:
        case "warming":
            return "warming"
        case "empty":
            return "no_index"
        case "degraded":
            return "degraded"
        case "ready":
            return "ok" if answer.hits else "empty"
