"""``pycontextify search``: ask the local index."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pycontextify.cli.flags import COMMON, EMBEDDING
from pycontextify.cli.local import current_view, facts_of
from pycontextify.cli.verbs import AsJson, verb
from pycontextify.config import Settings
from pycontextify.redact import one_line

if TYPE_CHECKING:
    from rich.text import Text

    from pycontextify.index.model import Hit

__all__ = ["EXAMPLES", "search"]

EXAMPLES = (
    "pycontextify search 'how are timeouts handled'",
    "pycontextify search 'retry with backoff' -n 5 --language python --path 'src/*'",
    "pycontextify search SSLContext --mode keyword --json",
)

_LINES = 6
_WIDTH = 160
_MOST = 100


@verb(COMMON | EMBEDDING, interrupted="nothing was changed")
def search(
    settings: Settings,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="what to look for, in words or as code")],
    *,
    limit: Annotated[int, typer.Option("-n", "--limit", metavar="N", min=1, max=_MOST, help="most results")] = 10,
    mode: Annotated[
        Literal["hybrid", "dense", "keyword"],
        typer.Option(help="by meaning and words, by meaning alone, or by words alone"),
    ] = "hybrid",
    tag: Annotated[list[str] | None, typer.Option(metavar="T", help="only with this tag; may be repeated")] = None,
    path: Annotated[str | None, typer.Option(metavar="GLOB", help="only paths like this, such as 'src/*.py'")] = None,
    language: Annotated[str | None, typer.Option(metavar="NAME", help="only this language, such as python")] = None,
    as_json: AsJson = False,
) -> None:
    """Search the local index, best passages first."""
    from pycontextify.hydration.status import HydrationStatus
    from pycontextify.index.model import Query
    from pycontextify.server.document import Situation, standing

    asked = Query(query, limit, mode, tuple(tag or ()), path, language)
    with current_view(settings) as view:
        answer = view.search(asked)
        facts = facts_of(view, degraded=answer.degraded)
    if as_json:
        state = standing(Situation(facts, HydrationStatus()), datetime.now(UTC))
        print(json.dumps({**asdict(state), "results": [asdict(hit) for hit in answer.hits]}, indent=2))
        return
    _print(answer.hits)
    if answer.degraded is not None:
        print(f"note: {one_line(answer.degraded)}", file=sys.stderr)
    if not answer.hits:
        print("nothing matches; try other words, or fewer filters", file=sys.stderr)


def _print(hits: tuple[Hit, ...]) -> None:
    from pycontextify.cli.screen import paper

    console, several = paper(), len({hit.tree for hit in hits}) > 1
    for number, hit in enumerate(hits):
        if number:
            console.print()
        console.print(_head(hit, with_tree=several))
        console.print(_passage(hit))


def _head(hit: Hit, *, with_tree: bool) -> Text:
    from rich.text import Text

    place = f"{hit.tree}/{hit.path}" if with_tree else hit.path
    parts = [(f"{one_line(place)}:{hit.start_line}-{hit.end_line}", "bold cyan")]
    parts += [(one_line(hit.symbol), "green")] if hit.symbol else []
    return Text("  ").join(Text(text, style) for text, style in [*parts, (f"{hit.score:.2f}", "dim")])


def _passage(hit: Hit) -> Text:
    """Return the first lines of a hit, with nothing in them that a terminal would obey."""
    from rich.text import Text

    lines = hit.snippet.expandtabs(4).rstrip().splitlines()
    shown = [f"    {one_line(line)[:_WIDTH]}".rstrip() for line in lines[:_LINES]]
    if len(lines) > _LINES:
        shown.append(f"    … {len(lines) - _LINES} more lines")
    return Text("\n".join(shown), "default")
