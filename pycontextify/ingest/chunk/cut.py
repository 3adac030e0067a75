"""Cutting what is too long for one chunk: always between lines, unless a single line is too long by itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Protocol

from pycontextify.index.model import Chunk
from pycontextify.ingest.chunk.lines import Lines, Span

__all__ = ["LIMIT", "TARGET", "Cutter", "by_indent", "by_meaning", "cut"]

LIMIT = 1200
"""No chunk has more characters than this.

The default encoder reads 256 word pieces and is blind to what follows. Measured with its vocabulary on the standard
library and on Markdown: 256 pieces are about 900 characters of code and 750 of prose.
"""

TARGET = 900
"""What is longer than `LIMIT` is cut into parts of about this size, or a little less, so that they come out even."""

_CRUMB = 150
"""Parts with fewer characters than this say next to nothing."""

Cutter = Callable[[Lines, int, int], list[int]]
"""Where to cut: given a range of lines that is too long, the numbers of the lines that begin a new part, ascending.

No line of the range is longer than `LIMIT`. Parts may still be too long: `cut` then cuts them by indentation.
"""


class _Splitter(Protocol):
    """What the two splitters of semantic_text_splitter have in common."""

    def chunk_indices(self, text: str) -> list[tuple[int, str]]: ...


def cut(lines: Lines, span: Span, cutter: Cutter) -> list[Chunk]:
    """Make the chunks of a span: one when it fits, none when it is blank.

    Together they hold every line of the span that is not blank, each once. A line longer than `LIMIT` (minified code,
    a paragraph on one line) is cut within the line; its chunks share the line's number. The time is linear in the size.
    """
    trimmed = lines.trimmed(span.first, span.last)
    if trimmed is None:
        return []
    if lines.size(*trimmed) <= LIMIT:
        return [_chunk(lines, span, *trimmed)]
    chunks: list[Chunk] = []
    for first, last in _runs(lines, *trimmed):
        if lines.size(first, last) <= LIMIT:
            chunks.extend(_part(lines, span, first, last))
        elif first == last:
            pieces = _line_pieces(lines[first])
            chunks.extend(Chunk(piece, first, first, span.kind, span.symbol) for piece in pieces if piece.strip())
        else:
            for begin, end in _ranges(first, last, cutter(lines, first, last)):
                fits = lines.size(begin, end) <= LIMIT
                cuts = [] if fits else by_indent(lines, begin, end)
                for part in _ranges(begin, end, cuts):
                    chunks.extend(_part(lines, span, *part))
    return chunks


def by_indent(lines: Lines, first: int, last: int) -> list[int]:
    """Cut where code is least nested, best after a blank line, so that the parts come out about even. A `Cutter`.

    Every part fits `LIMIT`.
    """
    cuts: list[int] = []
    begin = first
    while (left := lines.size(begin, last)) > LIMIT:
        aim = left / -(-left // TARGET)
        furthest = lines.reach(begin, LIMIT) + 1
        nearest = min(lines.at(int(aim * 0.4), base=begin), furthest)
        begin = min(range(nearest, furthest + 1), key=partial(_cut_cost, lines, begin, aim))
        cuts.append(begin)
    return cuts


def _cut_cost(lines: Lines, begin: int, aim: float, number: int) -> float:
    """Return how bad it is to cut before a line: up to 60 for the place, 40 for a part of half the size aimed at."""
    uneven = abs(lines.size(begin, number - 1) - aim) / aim * 80
    if lines.is_blank(number):
        return uneven + 60
    return uneven + min(lines.indent(number), 20) * 3 - (12 if lines.is_blank(number - 1) else 0)


def by_meaning(splitter: Callable[[int], _Splitter]) -> Cutter:
    """Return a `Cutter` that asks semantic_text_splitter, and moves its cuts to the ends of lines.

    ``splitter`` makes one for a capacity in characters.
    """

    def cutter(lines: Lines, first: int, last: int) -> list[int]:
        parts = -(-lines.size(first, last) // TARGET)
        # A quarter of room above the even share, or a rest of a few lines would be left over at the end.
        capacity = min(TARGET, lines.size(first, last) * 5 // (parts * 4))
        text = lines.text(first, last).translate(_ODD_SEPARATORS)
        starts = {lines.at(offset, base=first) for offset, _ in splitter(capacity).chunk_indices(text)}
        return _without_crumbs(lines, first, last, sorted(start for start in starts if first < start <= last))

    return cutter


def _without_crumbs(lines: Lines, first: int, last: int, cuts: list[int]) -> list[int]:
    """Join parts that are very small, such as the opening of a code block, to the one after or else before them."""
    parts: list[tuple[int, int]] = []
    for begin, end in _ranges(first, last, cuts):
        if parts:
            before = parts[-1]
            small = min(lines.size(*before), lines.size(begin, end)) < _CRUMB
            if small and lines.size(before[0], end) <= LIMIT:
                begin = parts.pop()[0]  # noqa: PLW2901 - the part grows at its beginning
        parts.append((begin, end))
    return [begin for begin, _ in parts[1:]]


_ODD_SEPARATORS = dict.fromkeys(map(ord, "\v\f\x1c\x1d\x1e\x85\u2028\u2029"), " ")
"""What the splitter takes for line ends and we do not: blanked out for it, one character for one."""


def _chunk(lines: Lines, span: Span, first: int, last: int) -> Chunk:
    return Chunk(lines.text(first, last), first, last, span.kind, span.symbol)


def _part(lines: Lines, span: Span, first: int, last: int) -> Iterator[Chunk]:
    if trimmed := lines.trimmed(first, last):
        yield _chunk(lines, span, *trimmed)


def _ranges(first: int, last: int, cuts: list[int]) -> list[tuple[int, int]]:
    return [(begin, end - 1) for begin, end in pairwise((first, *cuts, last + 1))]


def _runs(lines: Lines, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Set the lines that are too long by themselves apart from those between them."""
    begin = first
    for number in range(first, last + 1):
        if len(lines[number]) > LIMIT:
            if begin < number:
                yield begin, number - 1
            yield number, number
            begin = number + 1
    if begin <= last:
        yield begin, last


_SENTENCE_END = re.compile(r"[.!?;:]\s|[;}]")
_WORD_END = re.compile(r"\s|[,)\]>]")


def _line_pieces(row: str) -> Iterator[str]:
    """Cut one long line after a sentence, or a statement, or else a word, or else anywhere; in linear time."""
    begin = 0
    while len(row) - begin > LIMIT:
        window = row[begin + TARGET // 2 : begin + TARGET]
        end = TARGET
        for boundary in (_SENTENCE_END, _WORD_END):
            if found := list(boundary.finditer(window)):
                end = TARGET // 2 + found[-1].end()
                break
        yield row[begin : begin + end]
        begin += end
    yield row[begin:]
