"""JSON with comments and trailing commas, as editors keep it: read with the place of everything, edited in place. Pure.

An edit touches the member that it is about, its comma and its line. All other characters stay as they are.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

__all__ = ["Malformed", "Member", "Node", "Style", "inserted", "parse", "removed", "replaced", "style_of"]

_SPACE = " \t\r\n"
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_SCALAR = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BLANK = re.compile(r"[ \t]*")
_REST_OF_LINE = re.compile(r"[ \t]*(?:\r?\n|\Z)")
_DEEPEST = 100
_DEFAULT_INDENT = "  "


class Malformed(ValueError):  # noqa: N818 - a verdict on the text
    """The text is not JSON, comments and trailing commas granted."""


@dataclass(frozen=True, slots=True)
class Member:
    """An item of a container: from ``start`` (its key, where it has one) to the end of its value.

    ``comma`` is where the comma behind it is; None without one.
    """

    key: str | None
    start: int
    value: Node
    comma: int | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place in the text. A container's ``members`` are in order; ``tail`` is where the last thing in
    it ends, comments included, before the bracket that closes it.
    """

    start: int
    end: int
    value: object
    members: tuple[Member, ...] = ()
    tail: int = 0

    def member(self, key: str) -> Member | None:
        """Return the member of an object. Raises Malformed when there are two of that name: which counts?"""
        found = [member for member in self.members if member.key == key]
        if len(found) > 1:
            raise Malformed(f"it has {key!r} twice")
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Style:
    """How a file is written: what one level is indented by, and what ends a line."""

    indent: str = _DEFAULT_INDENT
    newline: str = "\n"


def parse(text: str) -> Node:
    """Return the one value of a text. Raises Malformed."""
    reader = _Reader(text)
    node = reader.value(0)
    reader.skip()
    if reader.place < len(text):
        raise reader.wrong()
    return node


def style_of(text: str, root: Node) -> Style:
    """Return how a text is written, as its first line that begins a member shows it."""
    newline = "\r\n" if "\r\n" in text else "\n"
    for member in root.members:
        indent = _indent_of(text, member.start)
        if indent:
            return Style(indent, newline)
    return Style(newline=newline)


def inserted(text: str, container: Node, key: str | None, value: object, style: Style) -> str:
    """Return the text with a new last item in a container: under ``key`` in an object, with None in an array."""
    name = "" if key is None else f"{json.dumps(key, ensure_ascii=False)}: "
    last = container.members[-1] if container.members else None
    if last is not None and not _breaks_line(text, container):
        comma = "" if last.comma is not None else ","
        place = container.tail if last.comma is not None else last.value.end
        return f"{text[:place]}{comma} {name}{json.dumps(value, ensure_ascii=False)}{text[place:]}"
    outer = _outer_indent(text, container.start)
    inner = (_indent_of(text, last.start) if last else None) or outer + style.indent
    body = f"{style.newline}{inner}{name}{_rendered(value, inner, style)}"
    comma = "," if last is not None and last.comma is not None else ""
    # The comma that was missing goes right behind the value, before any comment.
    place = container.tail if last is None or last.comma is not None else last.value.end
    between = "" if last is None or last.comma is not None else f",{text[place : container.tail]}"
    rest = text[container.tail : container.end - 1]
    closing = rest if "\n" in rest else f"{style.newline}{outer}"
    return f"{text[:place]}{between}{body}{comma}{closing}{text[container.end - 1 :]}"


def replaced(text: str, member: Member, value: object, style: Style) -> str:
    """Return the text with another value for a member."""
    indent = _outer_indent(text, member.start)
    return text[: member.value.start] + _rendered(value, indent, style) + text[member.value.end :]


def removed(text: str, container: Node, member: Member) -> str:
    """Return the text without a member: without its comma, or the one before it where it was last, and its line."""
    start, end = member.start, member.value.end if member.comma is None else member.comma + 1
    if len(container.members) == 1 and not (text[container.start + 1 : start] + text[end : container.end - 1]).strip():
        return f"{text[: container.start + 1]}{text[container.end - 1 :]}"
    indent, rest = _indent_of(text, start), _REST_OF_LINE.match(text, end)
    if indent is not None and rest is not None:
        start, end = start - len(indent), rest.end()
    elif rest is None:
        end += len(_BLANK.match(text, end)[0])  # type: ignore[index]  # it matches nothing at all, too
    place = container.members.index(member)
    comma = container.members[place - 1].comma if place and member.comma is None else None
    if comma is None:
        return text[:start] + text[end:]
    if indent is None:
        return text[:comma] + text[member.value.end :]
    return text[:comma] + text[comma + 1 : start] + text[end:]


def _rendered(value: object, indent: str, style: Style) -> str:
    lines = json.dumps(value, indent=style.indent, ensure_ascii=False).split("\n")
    return f"{style.newline}{indent}".join(lines)


def _breaks_line(text: str, container: Node) -> bool:
    return "\n" in text[container.start : container.end]


def _indent_of(text: str, place: int) -> str | None:
    """Return the white space before the first thing on a line; None for what is not the first."""
    line = text.rfind("\n", 0, place) + 1
    before = text[line:place].removeprefix("\ufeff")
    return before if not before.strip(" \t") and line else None


def _outer_indent(text: str, place: int) -> str:
    """Return the indentation of the line that a place is in."""
    line = text.rfind("\n", 0, place) + 1
    return _BLANK.match(text, line)[0]  # type: ignore[index]  # it matches nothing at all, too


@dataclass(slots=True)
class _Reader:
    """Reads a text from its beginning; ``place`` is how far, ``seen`` where the last thing that is not white ended."""

    text: str
    place: int = 0
    seen: int = 0

    def skip(self) -> None:
        """Go on to the next thing that is neither white space nor a comment."""
        text = self.text
        self.seen = self.place
        while self.place < len(text):
            if text[self.place] in _SPACE or (self.place == 0 and text[0] == "\ufeff"):
                self.place += 1
            elif text.startswith("//", self.place):
                end = text.find("\n", self.place)
                self.place = len(text) if end < 0 else end
                self.seen = self.place - (text[self.place - 1] == "\r")
            elif text.startswith("/*", self.place):
                end = text.find("*/", self.place + 2)
                if end < 0:
                    raise self.wrong()
                self.place = self.seen = end + 2
            else:
                return

    def value(self, depth: int) -> Node:
        self.skip()
        start = self.place
        if depth > _DEEPEST or start >= len(self.text):
            raise self.wrong()
        match self.text[start]:
            case "{":
                return self._container(start, depth, "}")
            case "[":
                return self._container(start, depth, "]")
            case '"':
                return self._text(start)
            case _:
                return self._scalar(start)

    def _text(self, start: int) -> Node:
        value = self._string()
        return Node(start, self.place, value)

    def _scalar(self, start: int) -> Node:
        found = _SCALAR.match(self.text, start)
        if found is None:
            raise self.wrong()
        self.place = found.end()
        return Node(start, self.place, json.loads(found.group()))

    def _string(self) -> str:
        found = _STRING.match(self.text, self.place)
        if found is None:
            raise self.wrong()
        self.place = found.end()
        return str(json.loads(found.group()))

    def _container(self, start: int, depth: int, closing: str) -> Node:
        members: list[Member] = []
        self.place += 1
        self.skip()
        while not self.text.startswith(closing, self.place):
            if members and members[-1].comma is None:
                raise self.wrong()
            members.append(self._member(depth, keyed=closing == "}"))
            self.skip()
        tail = self.seen
        self.place += 1
        values = [member.value.value for member in members]
        whole: object = values if closing == "]" else dict(zip([each.key for each in members], values, strict=True))
        return Node(start, self.place, whole, tuple(members), tail)

    def _member(self, depth: int, *, keyed: bool) -> Member:
        start, key = self.place, None
        if keyed:
            key = self._string()
            self.skip()
            self._expect(":")
        value = self.value(depth + 1)
        self.skip()
        if not self.text.startswith(",", self.place):
            # What was skipped belongs to the container's end, which looks for itself.
            self.place = value.end
            return Member(key, start, value)
        self.place += 1
        return Member(key, start, value, self.place - 1)

    def _expect(self, sign: str) -> None:
        if not self.text.startswith(sign, self.place):
            raise self.wrong()
        self.place += 1

    def wrong(self) -> Malformed:
        """Return what to raise where the text can't go on like this."""
        line = self.text.count("\n", 0, self.place) + 1
        return Malformed(f"it is not JSON (line {line})")
