"""Which of an archive's members make an index. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pycontextify.errors import ExtractError
from pycontextify.hydration.extract.members import shown
from pycontextify.snapshot.digest import Digest, parse_digest

__all__ = ["LayoutChoice", "PairChoice", "choose", "is_blob", "is_candidate"]

_VECTORS, _CHUNKS = ".faiss", ".sqlite"
_MARK, _INDEX = "oci-layout", "index.json"
_BLOB = re.compile(r"(?:(.*)/)?blobs/sha256/([0-9a-f]{64})")
_NAMED = 5


@dataclass(frozen=True, slots=True)
class PairChoice:
    """The paths, within the archive, of the two files of an index."""

    vectors: str
    chunks: str


@dataclass(frozen=True, slots=True)
class LayoutChoice:
    """The paths, within the archive, of a layout's index.json and of its blobs by the digests in their names."""

    index: str
    blobs: Mapping[Digest, str]


def is_candidate(path: str) -> bool:
    """Tell whether a file at ``path`` may be part of an index."""
    name = PurePosixPath(path).name
    if name.startswith("._"):  # what macOS keeps beside a file
        return False
    return name in (_MARK, _INDEX) or name.endswith((_VECTORS, _CHUNKS)) or is_blob(path)


def is_blob(path: str) -> bool:
    """Tell whether a file at ``path`` has the name of a layout's blob."""
    return _BLOB.fullmatch(path) is not None


def choose(paths: Sequence[str], name: str) -> PairChoice | LayoutChoice:
    """Choose among the files of an archive: a layout, or the pair called ``name``, or the only pair there is.

    Raises ExtractError when there is none, or more than one.
    """
    files = frozenset(paths)
    layouts = [_root(path) for path in sorted(files) if _is_layout(path, files)]
    pairs = [path.removesuffix(_VECTORS) for path in sorted(files) if _is_pair(path, files)]
    named = [stem for stem in pairs if PurePosixPath(stem).name == name]
    if not layouts and not pairs:
        raise _missing(paths, name)
    if layouts and pairs:
        raise _ambiguous([*(f"{root}{_MARK}" for root in layouts), *pairs], name)
    if layouts:
        return _layout(layouts, files, name)
    chosen = named or pairs
    if len(chosen) > 1:
        raise _ambiguous(chosen, name)
    return PairChoice(chosen[0] + _VECTORS, chosen[0] + _CHUNKS)


def _layout(roots: Sequence[str], files: frozenset[str], name: str) -> LayoutChoice:
    if len(roots) > 1:
        raise _ambiguous([f"{root}{_MARK}" for root in roots], name)
    root = roots[0]
    found = (_BLOB.fullmatch(path) for path in sorted(files) if path.startswith(f"{root}blobs/"))
    blobs = {
        parse_digest(match[2]): match[0] for match in found if match and match[0] == f"{root}blobs/sha256/{match[2]}"
    }
    return LayoutChoice(f"{root}{_INDEX}", blobs)


def _is_layout(path: str, files: frozenset[str]) -> bool:
    return PurePosixPath(path).name == _MARK and f"{_root(path)}{_INDEX}" in files


def _is_pair(path: str, files: frozenset[str]) -> bool:
    return path.endswith(_VECTORS) and is_candidate(path) and path.removesuffix(_VECTORS) + _CHUNKS in files


def _root(path: str) -> str:
    """Return what stands before the last part of a path, with its slash."""
    return path[: path.rfind("/") + 1]


def _missing(paths: Sequence[str], name: str) -> ExtractError:
    held = ", ".join(shown(path) for path in paths[:_NAMED]) or "no files"
    more = f" and {len(paths) - _NAMED:,} more" if len(paths) > _NAMED else ""
    return ExtractError(
        f"it has neither {name}{_VECTORS} with {name}{_CHUNKS} nor an {_MARK}; it has {held}{more}",
        code="members_missing",
        hint="make it with `pycontextify publish --archive`",
    )


def _ambiguous(found: Sequence[str], name: str) -> ExtractError:
    held = ", ".join(shown(path) for path in found[:_NAMED])
    return ExtractError(
        f"it has several indexes: {held}",
        code="members_ambiguous",
        hint=f"put one into it, or call the one that is meant {name}{_VECTORS} (setting: index name)",
    )
