"""Searching from the page: what was asked, and what was found. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING

from pydantic import ValidationError

from pycontextify.index.model import Query
from pycontextify.server.arguments import SearchArguments
from pycontextify.server.text import excerpt
from pycontextify.server.words import count

if TYPE_CHECKING:
    from pycontextify.index.model import Answer
    from pycontextify.server.document import Standing

__all__ = ["MODES", "Passage", "Search", "asked", "asked_for", "found", "not_asked", "refused"]

_LINES = 8
MODES = (("hybrid", "meaning and words"), ("dense", "meaning"), ("keyword", "words"))


@dataclass(frozen=True, slots=True)
class Passage:
    """A result: where it is, what it is called, and its first lines, of which what is indented in all is left off."""

    place: str
    symbol: str
    language: str
    score: str
    text: str


@dataclass(frozen=True, slots=True)
class Search:
    """The search box and what is below it. ``said`` tells how it went; empty as long as nothing was asked."""

    text: str
    mode: str
    said: str
    passages: tuple[Passage, ...] = ()


def not_asked() -> Search:
    """Return the box, empty."""
    return Search("", "hybrid", "")


def asked(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return those parameters of an address that make up a search, as they are."""
    return {name: parameters[name] for name in ("q", "mode") if parameters.get(name)}


def asked_for(parameters: Mapping[str, str]) -> Query | None:
    """Return the query that an address asks for, within the limits of the tool; None when it asks for none.

    Raises ValueError, with a sentence for people, when it is beyond them.
    """
    text, mode = parameters.get("q", "").strip(), parameters.get("mode") or "hybrid"
    if not text:
        return None
    try:
        asked = SearchArguments.model_validate({"query": text, "mode": mode})
    except ValidationError as error:
        wrong = error.errors()[0]["loc"]
        raise ValueError(
            "A query has at most 10,000 characters." if wrong == ("query",) else f"There is no mode {mode[:40]!r}."
        ) from error
    return Query(asked.query, asked.limit, asked.mode)


def refused(parameters: Mapping[str, str], why: str) -> Search:
    """Return the box with a sentence in place of results."""
    return Search(parameters.get("q", "").strip(), parameters.get("mode") or "hybrid", why)


def found(query: Query, answer: Answer, state: Standing) -> Search:
    """Return the box with what a query found."""
    trees = {hit.tree for hit in answer.hits}
    passages = tuple(
        Passage(
            place=f"{f'{hit.tree}/' if len(trees) > 1 else ''}{hit.path}:{hit.start_line}-{hit.end_line}",
            symbol=hit.symbol,
            language=hit.language,
            score=f"{hit.score:.2f}",
            text="\n".join(excerpt(dedent(hit.snippet), _LINES)),
        )
        for hit in answer.hits
    )
    return Search(query.text, query.mode, _said(len(passages), state), passages)


def _said(number: int, state: Standing) -> str:
    if state.index_state in ("warming", "empty"):
        return state.message
    note = f" {state.message}" if state.index_state == "degraded" else ""
    return f"{count(number, 'result')}, the best first.{note}" if number else f"Nothing matches; try other words.{note}"
