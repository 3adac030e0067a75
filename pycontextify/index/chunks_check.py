"""Do the tables of a chunks file cohere, and hold what their columns say? What every search takes for granted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pycontextify.errors import ValidateError

__all__ = ["check_kinds", "check_pages", "check_rows"]

Ask = Callable[[str], Iterator[tuple[Any, ...]]]
"""Run one statement on the file, and yield its rows."""

_PUBLISH_AGAIN = "publish or hydrate the index again"
_LONGEST_PATH = 4096
"""In bytes; no system has longer ones, and a glob takes time for each."""

_NUMBERED = "SELECT count(*), min(id), max(id) FROM chunks"
_SPANS = "SELECT first_row, row_count FROM documents ORDER BY first_row, row_count"
_FORBIDDEN = {
    "rows belong to other documents than those that share them out": (
        "SELECT count(*) FROM chunks c LEFT JOIN documents d ON d.id = c.document"
        " WHERE d.id IS NULL OR c.id < d.first_row OR c.id >= d.first_row + d.row_count"
    ),
    "paths are longer than any system takes": (
        f"SELECT count(*) FROM documents WHERE length(CAST(path AS BLOB)) > {_LONGEST_PATH}"  # noqa: S608 - a constant
    ),
}


def check_pages(ask: Ask) -> None:
    """Have SQLite go through every page: each is used once, each value is of its column's type, indexes fit.

    Nothing that SQL reads afterwards can go round in circles.

    Raises ValidateError.
    """
    (found,) = next(ask("PRAGMA integrity_check(1)"))
    if found != "ok":
        raise ValidateError(
            f"the chunks file is damaged ({found[:200]})",
            code="chunks_unreadable",
            hint=_PUBLISH_AGAIN,
        )


def check_rows(ask: Ask) -> int:
    """Return how many chunks there are.

    Raises ValidateError when they are not numbered from 0 without a gap, or the documents do not share them out.
    """
    count, first, last = next(ask(_NUMBERED))
    row = 0
    for first_row, row_count in ask(_SPANS):
        if first_row != row or row_count < 1:
            raise _incoherent("documents do not share out its rows")
        row += row_count
    if row != count or (count and (first, last) != (0, count - 1)):
        raise _incoherent("rows are not numbered without a gap")
    for what, sql in _FORBIDDEN.items():
        if next(ask(sql)) != (0,):
            raise _incoherent(what)
    return int(count)


def _incoherent(what: str) -> ValidateError:
    return ValidateError(f"in the chunks file, {what}", code="chunks_incoherent", hint=_PUBLISH_AGAIN)


def check_kinds(columns: Sequence[object], kinds: Sequence[type]) -> None:
    """Raise ValidateError unless values are of these kinds; a schema binds whoever writes by it, not the file."""
    if [type(value) for value in columns] != [*kinds]:
        raise ValidateError("a column holds what it must not", code="chunks_unreadable", hint=_PUBLISH_AGAIN)
