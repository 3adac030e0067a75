"""``pycontextify hydrate``: fill the local index from its source, once, now."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from pycontextify.cli.flags import BOOTSTRAP, COMMON, EMBEDDING
from pycontextify.cli.lines import hydration_lines, print_result
from pycontextify.cli.screen import drawing_to, hydration_progress
from pycontextify.cli.verbs import AsLines, verb
from pycontextify.config import Settings
from pycontextify.server.words import size

if TYPE_CHECKING:
    from pycontextify.hydration.attempt import Outcome
    from pycontextify.hydration.status import AttemptRecord, HydrationStatus

__all__ = ["EXAMPLES", "hydrate"]

EXAMPLES = (
    "pycontextify hydrate --index-bootstrap-url https://example.com/index",
    "pycontextify hydrate --index-bootstrap-archive https://example.com/index.tar.zst --json",
)


@verb(COMMON | BOOTSTRAP | EMBEDDING, interrupted="what was fetched is kept; the same command goes on from there")
def hydrate(
    settings: Settings,
    *,
    allow_older: Annotated[
        bool, typer.Option("--allow-older", help="take what the source has even where something newer was seen")
    ] = False,
    as_json: AsLines = False,
) -> None:
    """Fetch the published index into the local directory.

    Only what is new is fetched; it is verified before it takes the old one's place.
    """
    from pycontextify.library.hydrating import hydrate as hydrate_once
    from pycontextify.library.workspace import Workspace

    looks: list[Callable[[], HydrationStatus]] = []

    def look() -> HydrationStatus | None:
        return looks[0]() if looks else None

    with hydration_lines(look) if as_json else hydration_progress(drawing_to(settings), look):
        once = partial(hydrate_once, Workspace(settings), looks.append, allow_older=allow_older)
        outcome, last = anyio.run(once)
    record = last.history[0]
    if as_json:
        print_result(_document(outcome, record))
    else:
        print(_words(outcome, record))


def _seconds(record: AttemptRecord) -> float:
    return round(sum(record.phases.values()), 3)


def _document(outcome: Outcome, record: AttemptRecord) -> dict[str, object]:
    return {
        "result": outcome.result,
        "generation": outcome.generation,
        "bytes_fetched": record.bytes_fetched,
        "bytes_reused": record.bytes_reused,
        "seconds": _seconds(record),
        "phases": dict(record.phases),
    }


def _words(outcome: Outcome, record: AttemptRecord) -> str:
    result = "Installed" if outcome.result == "installed" else "Up to date: the source has what is here,"
    here = f", {size(record.bytes_reused)} were here already" if record.bytes_reused else ""
    moved = f"{size(record.bytes_fetched)} fetched{here}"
    return f"{result} generation {outcome.generation.short} ({moved}, {_seconds(record):.1f} s)."
