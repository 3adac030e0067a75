"""Chunks of Markdown: one per section, named by its path of headings."""

from __future__ import annotations

from dataclasses import dataclass, replace

from semantic_text_splitter import MarkdownSplitter

from pycontextify.index.model import Chunk
from pycontextify.ingest.chunk.cut import LIMIT, by_meaning, cut
from pycontextify.ingest.chunk.headings import Heading, headings_of
from pycontextify.ingest.chunk.lines import Lines, Span, lines_of

__all__ = ["chunk_markdown"]

_TINY = 200
"""A section with fewer characters says too little by itself: it joins the one that follows, where that makes sense."""


@dataclass(frozen=True, slots=True)
class _Section:
    """Lines under one heading, up to the next one, or under several that were joined.

    ``path`` is that of the first heading that has a text, ``name`` what all of them have in common. ``bare`` says that
    there is nothing but headings.
    """

    first: int
    last: int
    path: tuple[str, ...]
    name: tuple[str, ...]
    bare: bool


def chunk_markdown(text: str) -> list[Chunk]:
    """Cut before headings, and long sections between blocks; kind ``section``, symbol ``Title > Section``.

    A heading without a text of its own joins the section that follows. So does a tiny section, when what follows is
    below it or beside it.
    """
    lines = lines_of(text)
    cutter = by_meaning(lambda capacity: MarkdownSplitter(capacity, trim=False))
    chunks: list[Chunk] = []
    for section in _joined(lines, _sections(lines)):
        chunks.extend(cut(lines, Span(section.first, section.last, "section", " > ".join(section.name)), cutter))
    return chunks


def _sections(lines: Lines) -> list[_Section]:
    headings = headings_of(lines)
    if not headings:
        return [_Section(1, len(lines), (), (), bare=False)]
    sections: list[_Section] = []
    if headings[0].first > 1:
        sections.append(_Section(1, headings[0].first - 1, (), (), bare=False))
    above: list[Heading] = []
    ends = [heading.first - 1 for heading in headings[1:]] + [len(lines)]
    for heading, last in zip(headings, ends, strict=True):
        above = [*(one for one in above if one.level < heading.level), heading]
        path = tuple(one.title for one in above if one.title)
        bare = lines.trimmed(heading.last + 1, last) is None
        sections.append(_Section(heading.first, last, path, path, bare))
    return sections


def _joined(lines: Lines, sections: list[_Section]) -> list[_Section]:
    joined: list[_Section] = []
    for section in sections:
        if joined and _belongs(lines, joined[-1], section):
            joined.append(_merged(joined.pop(), section))
        else:
            joined.append(section)
    if len(joined) > 1 and joined[-1].bare and lines.size(joined[-2].first, joined[-1].last) <= LIMIT:
        last = joined.pop()
        joined.append(replace(joined.pop(), last=last.last))
    return joined


def _merged(earlier: _Section, section: _Section) -> _Section:
    if earlier.bare or not earlier.path:
        return replace(section, first=earlier.first)
    return replace(earlier, last=section.last, name=_shared(earlier.name, section.name))


def _belongs(lines: Lines, earlier: _Section, section: _Section) -> bool:
    """Say whether a section is to be joined to the one before it."""
    if earlier.bare:
        return True
    trimmed = lines.trimmed(earlier.first, earlier.last)
    if trimmed is None:
        return True
    if lines.size(*trimmed) >= _TINY or lines.size(trimmed[0], section.last) > LIMIT:
        return False
    below = section.path[: len(earlier.path)] == earlier.path
    beside = section.path[:-1] == earlier.path[:-1]
    return below or beside


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Return the headings that both paths begin with; the first path when they share none."""
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return one[:count] or one
