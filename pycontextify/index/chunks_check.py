"""Do the tables of a chunks file cohere? Pure SQL over an open file, for what every search takes for granted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pycontextify.errors import ValidateError

__all__ = ["check_pages", "check_rows"]

Ask = Callable[[str], Iterator[tuple[Any, ...]]]
"""Run one statement on the file, and yield its rows."""

_LONGEST_PATH = 4096
"""In bytes; no system has longer ones, and a glob takes time for each."""

_WORD_COLUMNS = 3
_HIGH = bytes(range(0x80, 0x100))

_NUMBERED = "SELECT count(*), min(id), max(id) FROM chunks"
_WORDS = "SELECT count(*), min(id), max(id) FROM words_docsize"
_SPANS = "SELECT first_row, row_count FROM documents ORDER BY first_row, row_count"
_FORBIDDEN = {
    "rows belong to other documents than those that share them out": (
        "SELECT count(*) FROM chunks c LEFT JOIN documents d ON d.id = c.document"
        " WHERE d.id IS NULL OR c.id < d.first_row OR c.id >= d.first_row + d.row_count"
    ),
    "words are found in rows and columns that it does not have": (
        "SELECT count(*) FROM postings WHERE col IS NULL OR doc NOT BETWEEN 0 AND (SELECT max(id) FROM chunks)"
    ),
    "paths are longer than any system takes": (
        f"SELECT count(*) FROM documents WHERE length(CAST(path AS BLOB)) > {_LONGEST_PATH}"  # noqa: S608 - a constant
    ),
}


def check_pages(ask: Ask) -> None:
    """Have SQLite go through every page: each is used once, each value is of its column's type, indexes fit.

    The full-text table checks its own index. Nothing that SQL reads afterwards can go round in circles.

    Raises ValidateError.
    """
    (found,) = next(ask("PRAGMA integrity_check(1)"))
    if found != "ok":
        raise ValidateError(
            f"the chunks file is damaged ({found[:200]})",
            code="chunks_unreadable",
            hint="publish or hydrate the index again",
        )


def check_rows(ask: Ask) -> int:
    """Return how many chunks there are.

    Raises ValidateError when they are not numbered from 0 without a gap, the documents do not share them out, or the
    words are not those of the same rows.
    """
    count, first, last = next(ask(_NUMBERED))
    row = 0
    for first_row, row_count in ask(_SPANS):
        if first_row != row or row_count < 1:
            raise _incoherent("documents do not share out its rows")
        row += row_count
    if row != count or (count and (first, last) != (0, count - 1)):
        raise _incoherent("rows are not numbered without a gap")
    if next(ask(_WORDS)) != (count, first, last):
        raise _incoherent("words are those of other rows")
    if not all(_is_size(size) for (size,) in ask("SELECT sz FROM words_docsize")):
        raise _incoherent("words are counted as nothing counts")
    for what, sql in _FORBIDDEN.items():
        if next(ask(sql)) != (0,):
            raise _incoherent(what)
    return int(count)


def _is_size(size: object) -> bool:
    """Tell whether this is how the full-text table notes the lengths of a row: a number for each of three columns.

    Of the bytes of a number, all but the last have their high bit set (https://sqlite.org/fileformat2.html#varint).
    """
    return isinstance(size, bytes) and len(size.translate(None, _HIGH)) == _WORD_COLUMNS and size[-1] not in _HIGH


def _incoherent(what: str) -> ValidateError:
    return ValidateError(
        f"in the chunks file, {what}", code="chunks_incoherent", hint="publish or hydrate the index again"
    )
