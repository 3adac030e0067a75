"""The ignore files of a tree, read as the walk comes to them."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from pathlib import Path

from pycontextify.errors import IngestError
from pycontextify.ingest.builtin import BUILTIN_RULES
from pycontextify.ingest.ignore import Ignore, RuleList, parse_rules
from pycontextify.ingest.regular import open_regular

__all__ = ["GIT_IGNORE", "OWN_IGNORE", "Scope", "scope_of"]

GIT_IGNORE, OWN_IGNORE = ".gitignore", ".pycontextifyignore"
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Scope:
    """What is left out in one directory.

    ``place`` is the directory, as segments from the top of the work tree; ``depth`` of them lie above the root.
    """

    ignore: Ignore
    include: RuleList | None
    place: tuple[str, ...]

    def below(self, name: str) -> Scope:
        """Return the scope that holds in a directory in here, before its own ignore files are read."""
        return replace(self, place=(*self.place, name))

    def entered(self, path: Path, names: Container[str]) -> tuple[Scope, dict[str, OSError]]:
        """Read the ignore files among ``names``; return the scope they make, and those that can't be read.

        Raises IngestError (``pattern_invalid``).
        """
        unread: dict[str, OSError] = {}
        lists: dict[str, RuleList] = {}
        for name in (GIT_IGNORE, OWN_IGNORE):
            if name not in names:
                continue
            try:
                lists[name] = _read_rules(path / name, origin=name, depth=len(self.place))
            except OSError as error:
                unread[name] = error
        return replace(self, ignore=self.ignore.within(own=lists.get(OWN_IGNORE), git=lists.get(GIT_IGNORE))), unread

    def left_out(self, name: str, *, directory: bool) -> str | None:
        """Return why an entry of this directory is left out by a rule, or None."""
        path = (*self.place, name)
        if origin := self.ignore.origin(path, directory=directory):
            return f"ignored by {origin}"
        if self.include is not None and not directory and not self.include.covers(path):
            return "not included"
        return None

    def hides(self, below_root: tuple[str, ...]) -> bool:
        """Say whether the built-in rules leave out a path below the root: what a link must not lead to."""
        above = self.place[: self.ignore.builtin.depth]
        return self.ignore.builtin.covers((*above, *below_root))


def scope_of(root: Path, *, include: tuple[str, ...], exclude: tuple[str, ...]) -> Scope:
    """Return the scope of a tree's root, given as a real path, before the root's own ignore files are read.

    In a Git work tree the ignore files above the root and ``.git/info/exclude`` hold as well.

    Raises IngestError (``pattern_invalid``) for a pattern that can match nothing, or that can't be matched here.
    """
    top = next((place for place in (root, *root.parents) if _exists(place / ".git")), root)
    place = root.relative_to(top).parts
    depth = len(place)
    git: list[RuleList] = []
    if (top / ".git").is_dir():
        git.extend(_if_readable(top / ".git" / "info" / "exclude", origin=".git/info/exclude", depth=0))
    ignore = Ignore(
        excluded=_patterns(exclude, origin="an exclude pattern", depth=depth),
        builtin=parse_rules(BUILTIN_RULES, origin="default", depth=depth),
        git=tuple(git),
    )
    for above in range(depth):
        directory = top.joinpath(*place[:above])
        own = _if_readable(directory / OWN_IGNORE, origin=OWN_IGNORE, depth=above)
        ruled = _if_readable(directory / GIT_IGNORE, origin=GIT_IGNORE, depth=above)
        ignore = ignore.within(own=next(iter(own), None), git=next(iter(ruled), None))
    return Scope(ignore, _patterns(include, origin="", depth=depth) if include else None, place)


def _exists(path: Path) -> bool:
    try:
        path.lstat()
    except OSError:
        return False
    return True


def _patterns(lines: tuple[str, ...], *, origin: str, depth: int) -> RuleList:
    for line in lines:
        if not parse_rules([line], origin=origin, depth=depth).negated:
            raise IngestError(
                "this pattern can't match anything",
                code="pattern_invalid",
                asset=line,
                hint="write it as in a .gitignore, for example *.py or /docs/",
            )
    return parse_rules(lines, origin=origin, depth=depth)


def _if_readable(path: Path, *, origin: str, depth: int) -> list[RuleList]:
    """Read rules from above the root, where a file that can't be read is nothing to report."""
    try:
        return [_read_rules(path, origin=origin, depth=depth)]
    except OSError:
        return []


def _read_rules(path: Path, *, origin: str, depth: int) -> RuleList:
    """Read an ignore file; raises OSError, and IngestError (``pattern_invalid``). Links are refused, as by Git."""
    if path.is_symlink():
        raise OSError(None, "an ignore file must not be a link")
    with open_regular(path) as (file, _):
        content = file.read(_MAX_BYTES)
    # surrogateescape, because that is how Python spells file names that are not UTF-8.
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    return parse_rules(text.split("\n"), origin=origin, depth=depth, file=str(path))
