"""Chunks of Python: functions, classes and methods by name, and what lies between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter_python
from tree_sitter import Language, Node, Parser

from pycontextify.index.model import Chunk
from pycontextify.ingest.chunk.cut import LIMIT, TARGET, by_indent, cut
from pycontextify.ingest.chunk.lines import Lines, Span, lines_of

__all__ = ["chunk_python"]

_MAX_DEPTH = 20
"""How deep definitions are looked for; what is nested deeper (nobody writes that) is cut by indentation."""

_WORTH_A_NAME = 400
"""A function inside a function that is too long becomes a chunk of its own from this many characters on."""

_LEAD_IN = 300
"""Up to so many characters of comments and ``else:`` above a definition go with it."""

_BARE_HEAD = 100
"""A head with fewer characters (no docstring, no attributes) goes with the first definition under it."""

_DEFINITIONS = frozenset({"function_definition", "class_definition", "decorated_definition"})
_HOLDERS = frozenset(
    {
        *("if_statement", "elif_clause", "else_clause", "try_statement", "except_clause", "except_group_clause"),
        *("finally_clause", "with_statement", "for_statement", "while_statement", "match_statement", "case_clause"),
        *("block", "ERROR"),
    }
)
"""Nodes that definitions may stand in without being nested in another definition."""

_OPENER = re.compile(r"\s*(?:async\s+)?(?:if|elif|else|try|except|finally|with|for|while|match|case)\b.*:\s*(?:#.*)?")


@dataclass(frozen=True, slots=True)
class _Definition:
    """A function or class, with its decorators and the comments right above it; lines as in `Span`.

    From ``floor`` on, nothing but comments stands above it.
    """

    first: int
    last: int
    floor: int
    name: str
    is_class: bool
    body: Node | None


@dataclass(frozen=True, slots=True)
class _Owner:
    """What definitions stand in: a module, a class or a function. ``kind`` names its own lines."""

    kind: str
    symbol: str = ""
    depth: int = 0

    def inner(self, definition: _Definition) -> _Owner:
        """Return the definition as an owner."""
        symbol = f"{self.symbol}.{definition.name}" if self.symbol else definition.name
        method = "method" if self.kind == "class" else "function"
        return _Owner("class" if definition.is_class else method, symbol, self.depth + 1)


def chunk_python(text: str) -> list[Chunk]:
    """Cut by definitions.

    A function is a chunk, with its decorators and the comments above it; so is a class as long as it is short. A longer
    class gives a chunk for what is its own (its head, docstring and attributes; kind ``class``) and one for each method
    (``Class.method``). What stands outside of definitions is kind ``module``. Whatever is still too long is cut where
    it is least nested. Every line that is not blank is in exactly one chunk, whether or not the text is valid Python.
    """
    lines = lines_of(text)
    root = Parser(Language(tree_sitter_python.language())).parse(text.encode()).root_node
    chunks: list[Chunk] = []
    for span in _spans(lines, root, 1, len(lines), _Owner("module")):
        chunks.extend(cut(lines, span, by_indent))
    return chunks


def _spans(lines: Lines, node: Node, first: int, last: int, owner: _Owner) -> Iterator[Span]:
    """Divide lines among an owner and the definitions in it, without gap or overlap."""
    at = first
    for definition in _definitions(lines, node, floor=first, depth=0):
        if owner.kind in ("function", "method") and lines.size(definition.first, definition.last) < _WORTH_A_NAME:
            continue
        begin = max(at, definition.first)
        end = min(last, definition.last)
        if begin > end:
            continue  # on one line with what came before
        begin = _lead_in(lines, begin, at, definition.floor)
        if at == first and owner.depth and lines.size(at, begin - 1) < _BARE_HEAD:
            begin = at
        if begin > at:
            yield Span(at, begin - 1, owner.kind, owner.symbol)
        yield from _defined(lines, definition, begin, end, owner.inner(definition))
        at = end + 1
    if at <= last:
        yield Span(at, last, owner.kind, owner.symbol)


def _defined(lines: Lines, definition: _Definition, first: int, last: int, inner: _Owner) -> Iterator[Span]:
    """Divide one definition, if it is too long to stay whole."""
    enough = TARGET if definition.is_class else LIMIT
    if lines.size(first, last) <= enough or inner.depth > _MAX_DEPTH or definition.body is None:
        yield Span(first, last, inner.kind, inner.symbol)
    else:
        yield from _spans(lines, definition.body, first, last, inner)


def _definitions(lines: Lines, node: Node, *, floor: int, depth: int) -> Iterator[_Definition]:
    """Find the definitions that stand directly in a node, also behind an ``if`` or ``try``.

    ``floor`` is the first line that a comment above a definition may be on.
    """
    for child in node.children:
        if child.type in _DEFINITIONS:
            definition = _read(lines, child, floor)
            yield definition
            floor = definition.last + 1
        elif child.type in _HOLDERS and depth < _MAX_DEPTH:
            yield from _definitions(lines, child, floor=floor, depth=depth + 1)
        if child.type != "comment":
            floor = max(floor, child.end_point.row + 2)


def _read(lines: Lines, node: Node, floor: int) -> _Definition:
    inner = node
    if node.type == "decorated_definition":
        inner = node.child_by_field_name("definition") or node
    name = inner.child_by_field_name("name")
    first = node.start_point.row + 1
    while first > floor and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    end = node.end_point
    last = end.row + 1 if end.column else end.row
    return _Definition(
        first=first,
        floor=floor,
        last=_with_comments_inside(lines, max(first, last), lines.indent(node.start_point.row + 1)),
        name=name.text.decode() if name is not None and name.text else "",
        is_class=inner.type == "class_definition",
        body=inner.child_by_field_name("body"),
    )


def _with_comments_inside(lines: Lines, last: int, indent: int) -> int:
    """Return the last line of a definition that may end in comments, which the grammar leaves outside."""
    number = last + 1
    while number <= len(lines):
        if not lines.is_blank(number):
            if lines.indent(number) <= indent or not lines[number].lstrip().startswith("#"):
                break
            last = number
        number += 1
    return last


def _lead_in(lines: Lines, first: int, at: int, floor: int) -> int:
    """Return where a definition begins with what leads up to it: openings of blocks, and comments from ``floor`` on."""
    begin = first
    for number in range(first - 1, at - 1, -1):
        if lines.is_blank(number):
            continue
        comment = number >= floor and lines[number].lstrip().startswith("#")
        if not (comment or _OPENER.fullmatch(lines[number])) or lines.size(number, first - 1) > _LEAD_IN:
            break
        begin = number
    return begin
