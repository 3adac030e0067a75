"""What the server says of itself: pure functions from facts to the status document and to the state of the index.

The form of the document is told in docs/design.md; the ``status`` tool and the ``/status`` route give out the same one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pycontextify.server.words import count, hydrating
from pycontextify.snapshot.config import moment_of
from pycontextify.snapshot.freshness import has_expired

if TYPE_CHECKING:
    from pycontextify.hydration.status import HydrationStatus
    from pycontextify.snapshot.config import SnapshotConfig
    from pycontextify.snapshot.digest import Digest

__all__ = [
    "Facts",
    "HealthStatus",
    "IndexState",
    "Situation",
    "Standing",
    "ask_again",
    "failure",
    "standing",
    "status_document",
]

HealthStatus = Literal["ok", "hydrating", "degraded", "empty"]

IndexState = Literal["empty", "warming", "ready", "degraded"]
"""Whether answers can be had: nothing to search, not yet, yes, or yes by words alone."""

_SOON, _LATER = 2, 30
_HELD_BACK = "whoever publishes it has stopped, or somebody holds back what is newer."
_FILL = (
    "Index a directory with index_filebase(path), or start the server with --index-bootstrap-url URL "
    "(PYCONTEXTIFY_INDEX_BOOTSTRAP_URL)."
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the live view. ``degraded`` says why meaning can't be searched now, or is None."""

    generation: Digest
    config: SnapshotConfig
    chunks: int
    documents: int
    degraded: str | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the answers about the server's state are made from.

    ``opening``: the server has started and not yet looked at its index directory, or does not yet know whether there is
    an index to fetch. ``fault`` says what stopped the background work for good (a mistake of ours, or a directory that
    can't be used), or what was found damaged at the start; or is None. ``disk``: how many bytes the index directory
    takes up, where that was asked for. ``index_required``: without an index the server does not count as ready.
    """

    facts: Facts | None
    hydration: HydrationStatus
    opening: bool = False
    fault: str | None = None
    disk: int | None = None
    index_required: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What every search result carries. ``age_seconds`` counts from the build of the snapshot, ``coverage`` is the part
    of the index in [0, 1] that is searched; ``percent`` and ``eta_seconds`` are for a state of ``warming``.
    """

    index_state: IndexState
    message: str
    generation: str | None = None
    age_seconds: float | None = None
    coverage: float = 0.0
    percent: float | None = None
    eta_seconds: float | None = None


def ask_again(eta_seconds: float | None) -> int:
    """Return in how many seconds it makes sense to ask again: soon, but no sooner than it can be done."""
    return _SOON if eta_seconds is None else min(_LATER, max(_SOON, math.ceil(eta_seconds)))


def standing(situation: Situation, now: datetime) -> Standing:
    """Return the state of the index, with a message that says what to do."""
    facts, hydration = situation.facts, situation.hydration
    if facts is not None:
        return Standing(
            index_state="ready" if facts.degraded is None else "degraded",
            message=facts.degraded or f"Searching {_extent(facts)}.",
            generation=facts.generation,
            age_seconds=_age(facts.config.created, now),
            coverage=1.0,
        )
    if situation.opening or hydration.active:
        again = ask_again(hydration.eta_seconds)
        doing = hydrating(hydration) if hydration.active else "the server has just started"
        return Standing(
            index_state="warming",
            message=f"No results yet, the index is warming up: {doing}. Ask again in {again} seconds.",
            percent=hydration.percent or 0.0,
            eta_seconds=hydration.eta_seconds,
        )
    if hydration.last_error is not None and hydration.last_error.retry_at is not None:
        return Standing(index_state="warming", message=f"No results yet. {failure(situation)}", percent=0.0)
    return Standing(index_state="empty", message=f"Nothing is indexed. {_way_out(situation)}")


def _way_out(situation: Situation) -> str:
    if situation.fault is not None:
        return situation.fault
    if situation.hydration.state == "disabled":
        return _FILL
    if situation.hydration.last_error is not None:
        return f"{failure(situation)} Or index a directory with index_filebase(path)."
    return "Call rehydrate to fetch the index from its source, or index_filebase(path)."


def failure(situation: Situation) -> str:
    """Tell how the last hydration failed and when the next one is due."""
    error = situation.hydration.last_error
    if error is None:
        return "The last hydration failed."
    then = f"The next attempt is at {error.retry_at}." if error.retry_at else "Call rehydrate to try again."
    return f"The last hydration failed: {error.message} (code: {error.code}). {then}"


def status_document(situation: Situation, now: datetime) -> dict[str, Any]:
    """Return the status document: JSON-able, in the form of docs/design.md."""
    return {
        "health": _health(situation, now),
        "index": {**_index(situation.facts, now), "bytes_on_disk": situation.disk},
        "hydration": situation.hydration.to_json(),
    }


def _health(situation: Situation, now: datetime) -> dict[str, Any]:
    status, message = _condition(situation, now)
    ready = situation.facts is not None or not situation.index_required
    return {"status": status, "live": True, "ready": ready, "message": message}


def _condition(situation: Situation, now: datetime) -> tuple[HealthStatus, str]:
    """Return the status of the whole server and a sentence about it.

    A look at the source that may well find nothing new (``resolving``) does not make a serving server ``hydrating``.
    """
    facts, hydration = situation.facts, situation.hydration
    state = standing(situation, now)
    if hydration.active and (facts is None or hydration.state != "resolving"):
        serving = "no index yet" if facts is None else f"serving {_extent(facts)}"
        return "hydrating", f"{hydrating(hydration)}; {serving}"
    if situation.opening and facts is None:
        return "hydrating", "starting; no index yet"
    if situation.fault is not None:
        return "degraded", situation.fault
    if hydration.state == "failed":
        serving = "There is no index yet" if facts is None else f"Serving {_extent(facts)}"
        return "degraded", f"{serving}. {failure(situation)}"
    if facts is None:
        return "empty", state.message
    expired = has_expired(facts.config, now)
    message = f"Serving {_extent(facts)}, which expired at {facts.config.expires}: {_HELD_BACK}"
    return ("ok" if facts.degraded is None and not expired else "degraded"), message if expired else state.message


def _index(facts: Facts | None, now: datetime) -> dict[str, Any]:
    if facts is None:
        known = dict.fromkeys(("generation", "version", "channel", "created", "expires", "age_seconds"))
        return {**known, "chunks": 0, "documents": 0, "segments": 0, "encoder": None, "coverage": 0.0}
    return {
        "generation": facts.generation,
        "version": facts.config.version,
        "channel": facts.config.channel,
        "created": facts.config.created,
        "expires": facts.config.expires,
        "age_seconds": _age(facts.config.created, now),
        "chunks": facts.chunks,
        "documents": facts.documents,
        "segments": len(facts.config.segments),
        "encoder": facts.config.encoder.id,
        "coverage": 1.0,
    }


def _extent(facts: Facts) -> str:
    amount = f"{count(facts.chunks, 'chunk')} of {count(facts.documents, 'document')}"
    return f"{amount}, generation {facts.generation.short}"


def _age(created: str, now: datetime) -> float | None:
    """Return the seconds since ``created`` (RFC 3339), never negative; None when that is no time."""
    when = moment_of(created)
    return None if when is None else round(max(0.0, (now - when).total_seconds()), 1)
