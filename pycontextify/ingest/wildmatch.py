"""Git's path patterns: what ``*``, ``**``, ``?`` and ``[...]`` match.

Source: gitignore(5) and Git's wildmatch.c, with WM_PATHNAME. It is held to Git itself by the tests. One difference:
``?`` and ranges count characters, Git counts bytes.

Why not a library: patterns come with the tree, so they may be hostile. pathspec's expressions backtrack, and
``*a*a*a*a*a*a*a*a*b`` against one long file name stops the whole server for hours (the match holds the interpreter's
lock). Here a star never gives back what it took, which is as exact and takes at most length x pattern steps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Glob", "parse_glob"]

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": " \\t-\\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
_STAR, _SLASH = "*", "/"


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern, one matcher per path segment; None stands for ``**``, any number of segments."""

    segments: tuple[Callable[[str], object] | None, ...]

    def matches(self, path: Sequence[str]) -> bool:
        """Say whether the pattern matches the whole path, given as its segments.

        Only the last ``**`` ever needs to be tried again, one segment further on: a match that an earlier one could
        give, the last one can give too. So the time is at most the product of both lengths.
        """
        step = place = 0
        retry: tuple[int, int] | None = None
        while place < len(path):
            if step < len(self.segments):
                matcher = self.segments[step]
                if matcher is None:
                    # Behind the last slash ** needs something to match; between slashes it may match nothing.
                    if step == len(self.segments) - 1:
                        return True
                    retry = (step + 1, place)
                    step += 1
                    continue
                if matcher(path[place]):
                    step, place = step + 1, place + 1
                    continue
            if retry is None:
                return False
            retry = (retry[0], retry[1] + 1)
            step, place = retry
        return step == len(self.segments)


def parse_glob(pattern: str) -> Glob | None:
    """Read a pattern without the leading ``!`` and the slashes at its ends; None when it can match nothing."""
    segments: list[list[str]] = [[]]
    place = 0
    while place < len(pattern):
        token, place = _token(pattern, place)
        if token is None:
            return None
        if token == _SLASH:
            segments.append([])
        else:
            segments[-1].append(token)
    return Glob(tuple(_matcher(segment) for segment in segments))


def _token(pattern: str, place: int) -> tuple[str | None, int]:
    """Return one token (``*``, ``/``, or the expression of one character) and the place behind it."""
    char = pattern[place]
    if char in "*/":
        return char, place + 1
    if char == "?":
        return ".", place + 1
    if char == "[":
        return _bracket(pattern, place + 1)
    if char == "\\":
        place += 1
        if place == len(pattern):
            return None, place
        char = pattern[place]
        if char == "/":
            return _SLASH, place + 1
    return re.escape(char), place + 1


def _matcher(tokens: list[str]) -> Callable[[str], object] | None:
    if len(tokens) >= 2 and all(token == _STAR for token in tokens):
        return None
    runs: list[str] = [""]
    for token in tokens:
        if token == _STAR:
            runs.append("")
        else:
            runs[-1] += token
    head, *rest = runs
    if not rest:
        return re.compile(head, re.DOTALL).fullmatch
    # (?>...) never gives back: the first place where a run fits is as good as any later one.
    middle = "".join(f"(?>.*?{run})" for run in rest[:-1] if run)
    return re.compile(f"{head}{middle}.*{rest[-1]}", re.DOTALL).fullmatch


def _bracket(pattern: str, place: int) -> tuple[str | None, int]:
    """Read a set from behind its ``[``; None when it never ends or names an unknown class."""
    negated = pattern[place : place + 1] in ("!", "^")
    place += negated
    parts: list[str] = []
    previous = ""
    first = True
    while first or pattern[place : place + 1] != "]":
        part, previous, place = _member(pattern, place, previous)
        if part is None:
            return None, place
        parts.append(part)
        first = False
    return f"[{'^' if negated else ''}{''.join(parts)}]", place + 1


def _member(pattern: str, place: int, previous: str) -> tuple[str | None, str, int]:
    """Read one member of a set: its expression, the character a range may start from, the place behind it.

    The start of a range is given out on its own before the ``-`` is seen, as Git does: ``[b-a]`` matches ``b``.
    """
    char = pattern[place : place + 1]
    following = pattern[place + 1 : place + 2]
    if char == "-" and previous and following not in ("", "]"):
        end, place = _literal(pattern, place + 1)
        if end is None:
            return None, "", place
        return (f"{re.escape(previous)}-{re.escape(end)}" if previous <= end else ""), "", place
    if char == "[" and following == ":":
        close = pattern.find("]", place + 2)
        if close < 0:
            return None, "", place
        if close > place + 2 and pattern[close - 1] == ":":
            return _CLASSES.get(pattern[place + 2 : close - 1]), "", close + 1
    literal, place = _literal(pattern, place)
    return (None if literal is None else re.escape(literal)), literal or "", place


def _literal(pattern: str, place: int) -> tuple[str | None, int]:
    if pattern[place : place + 1] == "\\":
        place += 1
    return pattern[place : place + 1] or None, place + 1
