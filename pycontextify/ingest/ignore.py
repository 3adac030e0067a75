"""Which paths of a tree are left out, with Git's rules.

Source: gitignore(5). A directory that is left out is never entered, so nothing below it can be brought back. Rules of
a deeper directory win over those above it, and in one list the last rule that matches wins. Names are compared letter
by letter, also where the file system takes a for A, so that every machine leaves out the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pycontextify.ingest.wildmatch import Glob, parse_glob

__all__ = ["Ignore", "RuleList", "parse_rules"]

Path = tuple[str, ...]
"""A path as its segments, counted from the top of the work tree."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """One line. A floating rule (no slash but at its end) is tried on the name alone."""

    glob: Glob
    negated: bool
    directories_only: bool
    floating: bool

    def matches(self, path: Path, *, directory: bool) -> bool:
        if self.directories_only and not directory:
            return False
        return self.glob.matches(path[-1:] if self.floating else path)


@dataclass(frozen=True, slots=True)
class RuleList:
    """The rules of one file, the last line first. ``depth`` is the number of segments of the file's directory."""

    origin: str
    depth: int
    rules: tuple[_Rule, ...]

    def verdict(self, path: Path, *, directory: bool) -> bool | None:
        """Return True for left out, False for brought back, None when no rule matches."""
        below = path[self.depth :]
        for rule in self.rules:
            if rule.matches(below, directory=directory):
                return not rule.negated
        return None

    def covers(self, path: Path) -> bool:
        """Say whether the rules match a file, or a directory it is in."""
        verdict = self.verdict(path, directory=False)
        if verdict is not None:
            return verdict
        return any(self.verdict(path[:end], directory=True) for end in range(self.depth + 1, len(path)))


def parse_rules(lines: Iterable[str], *, origin: str, depth: int) -> RuleList:
    """Read gitignore lines; lines that can match nothing are passed over, as Git does.

    ``origin`` is what people know the rules by, such as ``.gitignore``.
    """
    rules = [rule for line in lines if (rule := _rule(line)) is not None]
    return RuleList(origin, depth, tuple(reversed(rules)))


def _rule(line: str) -> _Rule | None:
    line = _without_trailing_spaces(line.removesuffix("\n").removesuffix("\r"))
    if line.startswith("#"):
        return None
    negated = line.startswith("!")
    body = line[negated:]
    directories_only = body.endswith("/")
    body = body.removesuffix("/")
    floating = "/" not in body
    body = body.removeprefix("/")
    glob = parse_glob(body) if body else None
    return None if glob is None else _Rule(glob, negated, directories_only, floating)


def _without_trailing_spaces(line: str) -> str:
    """Drop the spaces at the end, but for one that a backslash quotes."""
    bare = line.rstrip(" ")
    quotes = len(bare) - len(bare.rstrip("\\"))
    return f"{bare} " if quotes % 2 and len(bare) < len(line) else bare


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
