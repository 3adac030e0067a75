"""A text as numbered lines, with sizes at hand."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

__all__ = ["Lines", "Span", "lines_of"]


@dataclass(frozen=True, slots=True)
class Span:
    """Lines that belong together: numbers from 1, both ends included. ``kind`` and ``symbol`` as in `Chunk`."""

    first: int
    last: int
    kind: str
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """``rows`` are the lines without their ends; ``starts`` the offset of each, and one more, past the last line's end.

    Numbers count from 1 everywhere. Only ``\\n`` ends a line: form feeds and Unicode's separators are characters.
    """

    rows: Sequence[str]
    starts: Sequence[int]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> str:
        return self.rows[number - 1]

    def text(self, first: int, last: int) -> str:
        """Return lines as they are in the file, without the last one's end."""
        return "\n".join(self.rows[first - 1 : last])

    def size(self, first: int, last: int) -> int:
        """Return the number of characters of `text`, without making it."""
        return max(0, self.starts[last] - self.starts[first - 1] - 1)

    def trimmed(self, first: int, last: int) -> tuple[int, int] | None:
        """Return the range without the blank lines at its ends; None when all are blank."""
        while first <= last and self.is_blank(first):
            first += 1
        while first <= last and self.is_blank(last):
            last -= 1
        return (first, last) if first <= last else None

    def is_blank(self, number: int) -> bool:
        """Say whether a line holds nothing but white space."""
        return not self.rows[number - 1].strip()

    def indent(self, number: int) -> int:
        """Return the number of white space characters that a line begins with."""
        row = self.rows[number - 1]
        return len(row) - len(row.lstrip())

    def reach(self, first: int, size: int) -> int:
        """Return the last line up to which the text from line ``first`` on has at most ``size`` characters."""
        return bisect_right(self.starts, self.starts[first - 1] + size + 1) - 1

    def at(self, offset: int, *, base: int) -> int:
        """Return the first line that begins at or after an offset counted from the beginning of line ``base``."""
        return bisect_left(self.starts, self.starts[base - 1] + offset) + 1


def lines_of(text: str) -> Lines:
    """Number the lines of a text; a final line end does not begin another line."""
    rows = text.split("\n")
    if not rows[-1]:
        rows.pop()
    return Lines(rows, [0, *accumulate(len(row) + 1 for row in rows)])
