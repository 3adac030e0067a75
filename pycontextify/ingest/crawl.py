"""Walk a tree and say, for everything in it, whether it is to be indexed.

Left out by rule (``Skipped.ignored``): what `Ignore` says, with a directory standing for all that is in it; the stores
of version control; virtual environments, caches and index layouts, told by the marker files in them. Left out because
it can't be indexed: binary or oversized files, what can't be read or listed, names that are not UTF-8, special files
(never opened), links that lead nowhere, out of the tree, or to a directory.

A link to a file inside the tree is followed: the path it adds may be the one people know. A link to a directory is
not: what it leads to has its own place in the tree, so following would index it twice or without end.

Not looked at: Git's index (a tracked file that a rule matches is left out all the same) and the user's own
core.excludesFile, so that every machine indexes the same files.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pycontextify.errors import IngestError
from pycontextify.ingest.builtin import CACHE_TAG, MARKERS, VCS_NAMES
from pycontextify.ingest.regular import open_regular, why
from pycontextify.ingest.scope import Scope, scope_of
from pycontextify.ingest.sniff import HEAD_BYTES, content_of

__all__ = ["CrawlRules", "Found", "Skipped", "crawl"]


@dataclass(frozen=True, slots=True)
class CrawlRules:
    """What to take from a tree.

    ``include`` and ``exclude`` are patterns in gitignore syntax, relative to the root: ``*.py`` at any depth,
    ``/docs/`` or ``src/**/*.md`` from the root; a pattern that matches a directory takes all that is in it. With
    ``include`` only files that it covers are taken; it brings nothing back that is ignored. ``exclude`` may bring back
    with ``!``. Sizes in bytes; a file of just that size is taken.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_bytes: int = 1 << 20
    max_pdf_bytes: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """A file to index. ``relative`` is the path below the root, with ``/``; ``size`` in bytes."""

    path: Path
    relative: str
    size: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or directory that is left out; a directory's ``relative`` ends with ``/`` (the root's is ``./``).

    ``ignored`` says that a rule left it out: enough to count, by reason. What is not ``ignored`` is worth naming.
    """

    relative: str
    reason: str
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class _Directory:
    path: Path
    relative: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    relative: str


_Item = _Directory | _File | Skipped
_SPECIAL = "not a regular file"


def crawl(root: Path, rules: CrawlRules | None = None) -> Iterator[Found | Skipped]:
    """Walk a tree, or look at one file, in the order of relative paths.

    A root that is a file is judged by size and content alone: naming it outranks every pattern. The same goes for a
    root that is itself ignored.

    Raises IngestError when there is no such root (``tree_missing``), it can't be looked at (``tree_unreadable``), it is
    neither directory nor file (``tree_unsupported``), or when a pattern can match nothing (``pattern_invalid``); at
    once, not when the first item is asked for. A pattern of an ignore file below the root that can't be matched is
    refused (``pattern_invalid``, with file and line) when the walk comes to it.
    """
    rules = rules or CrawlRules()
    try:
        real = root.resolve(strict=True)
        mode = real.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise IngestError(
            "there is no such directory or file",
            code="tree_missing",
            asset=str(root),
            hint="check the path",
        ) from error
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: a link to itself; ValueError: a NUL
        raise IngestError(f"it can't be looked at: {error}", code="tree_unreadable", asset=str(root)) from error
    if stat.S_ISDIR(mode):
        return _Walk(root, real, rules).run()
    if stat.S_ISREG(mode):
        return iter((_examined(_File(root, root.name or real.name), rules),))
    raise IngestError("it is neither a directory nor a regular file", code="tree_unsupported", asset=str(root))


class _Walk:
    """One walk: where it began, and the directories it has been in."""

    def __init__(self, root: Path, real: Path, rules: CrawlRules) -> None:
        self._start = _Directory(root, "", scope_of(real, include=rules.include, exclude=rules.exclude))
        self._real = real
        self._rules = rules
        self._been: set[tuple[int, int]] = set()

    def run(self) -> Iterator[Found | Skipped]:
        pending: list[_Item] = [self._start]
        while pending:
            item = pending.pop()
            if isinstance(item, _Directory):
                pending.extend(reversed(self._entered(item)))
            elif isinstance(item, _File):
                yield _examined(item, self._rules)
            else:
                yield item

    def _entered(self, directory: _Directory) -> list[_Item]:
        """Return what is in a directory, in the order of relative paths."""
        name = directory.relative or "./"
        try:
            status = directory.path.stat()
            with os.scandir(directory.path) as listing:
                entries = {entry.name: entry for entry in listing}
        except OSError as error:
            return [Skipped(name, why(error))]
        place = (status.st_dev, status.st_ino)
        if status.st_ino and place in self._been:
            return [Skipped(name, "a directory met before under another name")]
        self._been.add(place)
        if directory.relative and (marked := _marked(directory.path, entries)):
            return [Skipped(name, marked, ignored=True)]
        scope, unread = directory.scope.entered(directory.path, entries)
        items: list[tuple[str, _Item]] = []
        for entry in entries.values():
            item = self._judged(entry, directory, scope)
            inside = isinstance(item, _Directory)
            if entry.name in unread and not inside:
                item = Skipped(directory.relative + entry.name, why(unread[entry.name]))
            items.append((f"{entry.name}/" if inside else entry.name, item))
        # A directory sorts as name/, which makes the walk's order the order of whole relative paths.
        return [item for _, item in sorted(items, key=lambda pair: pair[0])]

    def _judged(self, entry: os.DirEntry[str], directory: _Directory, scope: Scope) -> _Item:
        if not _is_unicode(entry.name):
            printable = os.fsencode(entry.name).decode("utf-8", "backslashreplace")
            return Skipped(directory.relative + printable, "its name is not valid UTF-8")
        relative = directory.relative + entry.name
        path = directory.path / entry.name
        try:
            link, inside = entry.is_symlink(), entry.is_dir(follow_symlinks=False)
            regular = entry.is_file(follow_symlinks=False)
        except OSError as error:
            return Skipped(relative, why(error))
        shown = f"{relative}/" if inside else relative
        store = entry.name == ".git" or (inside and entry.name in VCS_NAMES)
        if reason := "version control" if store else scope.left_out(entry.name, directory=inside):
            return Skipped(shown, reason, ignored=True)
        if link:
            return self._followed(path, relative, scope)
        if inside:
            return _Directory(path, shown, scope.below(entry.name))
        return _File(path, relative) if regular else Skipped(relative, _SPECIAL)

    def _followed(self, path: Path, relative: str, scope: Scope) -> _Item:
        try:
            target = path.resolve(strict=True)
            mode = target.stat().st_mode
        except (OSError, RuntimeError):
            return Skipped(relative, "a link that leads nowhere")
        if not target.is_relative_to(self._real):
            return Skipped(relative, "a link that leads out of the tree")
        inside = target.relative_to(self._real).parts
        if scope.hides(inside) or not VCS_NAMES.isdisjoint(inside):
            return Skipped(relative, "a link to what is ignored by default", ignored=True)
        if stat.S_ISDIR(mode):
            loop = path.parent.resolve().is_relative_to(target)
            return Skipped(relative, "a link that loops back" if loop else "a link to another directory of the tree")
        return _File(path, relative) if stat.S_ISREG(mode) else Skipped(relative, _SPECIAL)


def _examined(file: _File, rules: CrawlRules) -> Found | Skipped:
    try:
        with open_regular(file.path) as (content, status):
            head = content.read(HEAD_BYTES)
    except OSError as error:
        return Skipped(file.relative, why(error))
    kind = content_of(file.path.name, head)
    if kind == "binary":
        return Skipped(file.relative, "binary")
    limit = rules.max_pdf_bytes if kind == "pdf" else rules.max_bytes
    if status.st_size > limit:
        return Skipped(file.relative, f"larger than {limit:,} bytes")
    return Found(file.path, file.relative, status.st_size)


def _marked(path: Path, names: dict[str, os.DirEntry[str]]) -> str | None:
    for marker, meaning in MARKERS.items():
        if marker in names:
            return meaning
    tag, signature = CACHE_TAG
    if tag not in names:
        return None
    try:
        with open_regular(path / tag) as (content, _):
            return "a cache" if content.read(len(signature)) == signature else None
    except OSError:
        return None  # no cache then; the tag itself is met again, and named, as a file that can't be read


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
