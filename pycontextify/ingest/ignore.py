"""Which paths of a tree are left out, with Git's rules.

Source: gitignore(5). A directory that is left out is never entered, so nothing below it can be brought back. Rules of
a deeper directory win over those above it, and in one list the last rule that matches wins. Names are compared byte by
byte, also where the file system takes a for A, so that every machine leaves out the same.

pathspec turns patterns into expressions, RE2 matches a whole list of them in one pass. Its time is linear, whatever
the pattern: patterns come with the tree, so they may be hostile. The walk asks about one entry at a time, from the top
down, so a rule has to match an entry itself. pathspec's own matching asks about files alone, and takes a rule for a
directory to hold for all that is below it (docs/adr/0009).

Where Git differs: it knows a backslash (``[\\]]``) and classes (``[[:alpha:]]``) inside brackets, and takes reversed
ranges (``[b-a]``); what RE2 makes no sense of is refused, the rest means what it means to pathspec. A positive range
around the slash (``[.-0]``) matches it here, a set with a slash in it (``[a/b]``) matches nothing. Three stars are one
segment here. Git drops only spaces at the end of a line, not other blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import re2
from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from pycontextify.errors import IngestError

__all__ = ["Ignore", "RuleList", "parse_rules"]

Path = tuple[str, ...]
"""A path as its segments, counted from the top of the work tree."""

_MAX_MEMORY = 32 << 20  # bytes for one list; a search that needs more forgets, and goes on
_MAX_LENGTH = 1 << 20  # of a list's expressions, some 15,000 rules: far beyond, RE2 floods stderr while it refuses
_TOO_MUCH = "these patterns are too many or too long to match"


@dataclass(frozen=True, slots=True)
class RuleList:
    """The rules of one file. ``depth`` is the number of segments of the file's directory.

    ``negated`` says of each expression, in the order of lines, whether it brings back what it matches.
    """

    origin: str
    depth: int
    expressions: re2.Set
    negated: tuple[bool, ...]

    def verdict(self, path: Path, *, directory: bool) -> bool | None:
        """Return True for left out, False for brought back, None when no rule matches."""
        below = "/".join(path[self.depth :]) + "/" * directory
        matching = self.expressions.Match(_bytes(below))
        return not self.negated[max(matching)] if matching else None

    def covers(self, path: Path) -> bool:
        """Say whether the rules match a file, or a directory it is in."""
        verdict = self.verdict(path, directory=False)
        if verdict is not None:
            return verdict
        return any(self.verdict(path[:end], directory=True) for end in range(self.depth + 1, len(path)))


def parse_rules(lines: Iterable[str], *, origin: str, depth: int, file: str = "") -> RuleList:
    """Read gitignore lines; lines that can match nothing are passed over, as Git does.

    ``origin`` is what people know the rules by, such as ``.gitignore``; ``file`` is where the lines are from.

    Raises IngestError (``pattern_invalid``) for a pattern that can't be matched here: passed over, it could let in a
    secret.
    """
    expressions = re2.Set.SearchSet(_options())
    negated: list[bool] = []
    length = 0
    for number, line in enumerate(lines, start=1):
        expression = _expression(line)
        if expression is None:
            continue
        length += len(expression)
        if length > _MAX_LENGTH:
            raise _refusal(_TOO_MUCH, file or origin)
        try:
            expressions.Add(expression)
        except re2.error as error:
            where = f"{file}:{number}" if file else line
            raise _refusal(f"this pattern can't be matched: {line[:100]!r}", where) from error
        negated.append(line.startswith("!"))
    try:
        expressions.Compile()
    except re2.error as error:
        raise _refusal(_TOO_MUCH, file or origin) from error
    return RuleList(origin, depth, expressions, tuple(negated))


def _options() -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # one character is one byte, as for Git
    options.dot_nl = options.never_capture = True
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    return options


def _expression(line: str) -> bytes | None:
    """Return what matches the whole path of an entry, a directory's ending with a slash; None for no rule."""
    line = _without_trailing_spaces(line)
    if not line.rstrip().removeprefix("!").strip("/"):
        return None
    # A quoted slash is just a slash, between segments; at the end it is a backslash that quotes nothing.
    line = re.sub(r"(?<!\\)((?:\\\\)*)\\/(?=.)", r"\1/", line)
    # Behind the last slash ** is anything below. pathspec takes the directory itself for matched, as its matching may.
    line = re.sub(r"/\*\*(/?)\s*$", r"/**/*\1", line)
    try:
        expression, _ = GitIgnoreSpecPattern.pattern_to_regex(line)
    except GitIgnorePatternError:  # a backslash at the end: matches nothing in Git
        return None
    if expression is None:
        return None
    # No set matches a slash, nor does one that leaves out others.
    expression = expression.replace("[^]", r"[^\]").replace("[^", "[^/")
    return _bytes(f"(?:{expression})$")


def _without_trailing_spaces(line: str) -> str:
    """Drop the spaces at the end, but for one that a backslash quotes; pathspec miscounts the backslashes."""
    bare = line.rstrip(" ")
    quotes = len(bare) - len(bare.rstrip("\\"))
    return f"{bare} " if quotes % 2 and len(bare) < len(line) else bare


def _bytes(text: str) -> bytes:
    """Encode a path or a pattern: names that are not UTF-8 as well."""
    return text.encode("utf-8", "surrogatepass")


def _refusal(message: str, asset: str) -> IngestError:
    return IngestError(
        message,
        code="pattern_invalid",
        asset=asset,
        hint="write it in another way, or exclude the directory that the file is in",
    )


@dataclass(frozen=True, slots=True)
class Ignore:
    """The rules in force in one directory.

    Asked in this order, and the first list with an opinion wins: what the caller excludes; our own ignore files, the
    deepest first; what is built in; Git's ignore files, the deepest first. So a ``.pycontextifyignore`` can bring back
    what Git or the built-in list leaves out.
    """

    excluded: RuleList
    builtin: RuleList
    own: tuple[RuleList, ...] = ()
    git: tuple[RuleList, ...] = ()

    def within(self, *, own: RuleList | None, git: RuleList | None) -> Ignore:
        """Return the rules in force in a directory below that has these ignore files."""
        if own is None and git is None:
            return self
        return replace(
            self,
            own=self.own if own is None else (own, *self.own),
            git=self.git if git is None else (git, *self.git),
        )

    def origin(self, path: Path, *, directory: bool) -> str | None:
        """Return the origin of the rules that leave a path out, or None when it stays in.

        The directories above the path must have been asked about before.
        """
        for rules in (self.excluded, *self.own, self.builtin, *self.git):
            verdict = rules.verdict(path, directory=directory)
            if verdict is not None:
                return rules.origin if verdict else None
        return None
