"""The headings of a Markdown text.

Source: CommonMark 0.31, sections 4.2 (ATX headings), 4.3 (setext headings), 4.5 (fenced code), 4.6 (HTML comments);
front matter as static site generators have it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pycontextify.ingest.chunk.lines import Lines

__all__ = ["Heading", "headings_of"]

_ATX = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_BREAK = re.compile(r" {0,3}(?:[-*_][ \t]*){3,}$")
_BLOCK = re.compile(r" {0,3}(?:>|[-+*](?:\s|$)|\d{1,9}[.)](?:\s|$)|\|)")
_LINK = re.compile(r"!?\[([^\[\]]*)\](?:\([^()\s]*\)|\[[^\[\]]*\])")
_ANCHOR = re.compile(r"\s*\{[#.][^{}]*\}$|<a\s[^<>]*>|</a>|\[\^[^\[\]]*\]")
_MAX_TITLE = 120
_MAX_PARAGRAPH = 200
"""A paragraph with more characters right above ``---`` is no heading, whatever CommonMark says: a break was meant."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading on lines ``first`` to ``last`` (setext headings take two or more); ``level`` 1 to 6."""

    first: int
    last: int
    level: int
    title: str


def headings_of(lines: Lines) -> list[Heading]:
    """Find the headings, in order; what is in fenced code, in comments or in front matter is none."""
    headings: list[Heading] = []
    number = _after_front_matter(lines)
    paragraph: int | None = None  # where the paragraph began that the line before belongs to, if it belongs to one
    while number <= len(lines):
        row = lines[number]
        begun, paragraph = paragraph, None
        if (past := _after_verbatim(lines, number)) > number:
            number = past
            continue
        if heading := _atx(row, number) or _setext(lines, begun, number):
            headings.append(heading)
        elif _BLOCK.match(row) and not _BREAK.match(row):
            number = _after_block(lines, number)
            continue
        elif begun is not None and row.strip():
            paragraph = begun
        elif row.strip() and not _BREAK.match(row) and not row.startswith(("    ", "\t")):
            paragraph = number
        number += 1
    return headings


def _atx(row: str, number: int) -> Heading | None:
    marks = _ATX.match(row)
    if marks is None:
        return None
    title = row[marks.end() :].strip()
    bare = title.rstrip("#")
    if not bare or bare[-1].isspace():  # closing marks count as such only behind a space
        title = bare
    return Heading(number, number, len(marks[1]), _title(title))


def _setext(lines: Lines, paragraph: int | None, number: int) -> Heading | None:
    """Read a line as the underline of the paragraph above it."""
    if paragraph is None or (underline := _UNDERLINE.fullmatch(lines[number])) is None:
        return None
    if lines.size(paragraph, number - 1) > _MAX_PARAGRAPH:
        return None
    level = 1 if underline[1][0] == "=" else 2
    return Heading(paragraph, number, level, _title(lines.text(paragraph, number - 1)))


def _after_front_matter(lines: Lines) -> int:
    """Return the first line that is not front matter."""
    if not len(lines) or lines[1].rstrip() not in ("---", "+++"):
        return 1
    closing = {"---": ("---", "..."), "+++": ("+++",)}[lines[1].rstrip()]
    for number in range(2, len(lines) + 1):
        if lines[number].rstrip() in closing:
            return number + 1
    return 1


def _after_verbatim(lines: Lines, number: int) -> int:
    """Return the line after the fenced code or comment that begins on this line, or the line itself."""
    row = lines[number]
    if fence := _FENCE.match(row):
        closing = re.compile(rf" {{0,3}}{re.escape(fence[1][0])}{{{len(fence[1])},}}[ \t]*")
        for end in range(number + 1, len(lines) + 1):
            if closing.fullmatch(lines[end]):
                return end + 1
        return len(lines) + 1
    if row.lstrip().startswith("<!--") and lines.indent(number) <= 3 and "-->" not in row:
        for end in range(number + 1, len(lines) + 1):
            if "-->" in lines[end]:
                return end + 1
        return len(lines) + 1
    return number


def _after_block(lines: Lines, number: int) -> int:
    """Return the line after a list item's, quote's or table's lines: text that goes on there is no heading's."""
    number += 1
    while number <= len(lines):
        row = lines[number]
        ends = not row.strip() or _ATX.fullmatch(row) or _FENCE.match(row) or _UNDERLINE.fullmatch(row)
        if ends:
            return number
        number += 1
    return number


def _title(text: str) -> str:
    """Return a heading as people say it: without links' addresses, anchors and emphasis."""
    text = _LINK.sub(r"\1", _ANCHOR.sub("", " ".join(text[:1000].split())))
    return " ".join(text.replace("`", "").replace("**", "").replace("__", "").split())[:_MAX_TITLE].rstrip()
