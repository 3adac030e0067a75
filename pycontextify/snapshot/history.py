"""The generations that a ref table remembers, newest use first: ``current``, ``previous``, ``previous-2``, … Pure.

Going back is activating again: the generation moves to the front, and the one that was there becomes ``previous``.
Descriptors move with their annotations, so what is known of where a generation came from is never lost or mixed up.
"""

from __future__ import annotations

import re
from dataclasses import replace

from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.manifest import Descriptor, RefTable
from pycontextify.snapshot.origin import is_local

__all__ = [
    "CURRENT",
    "LOCAL",
    "PREVIOUS",
    "activated",
    "find",
    "generations",
    "gives_way",
    "mark_rolled_back",
    "names_of",
    "rolled_back",
    "unmarked",
    "was_rolled_back",
]

CURRENT = "current"
"""The ref of the generation that is served."""

PREVIOUS = "previous"
"""The ref of the generation that was served before."""

LOCAL = "local"
"""The ref that keeps what was indexed here when a hydrated generation took its place."""

_ROLLED_BACK = "io.pycontextify.rolled-back"
_NUMBERED = re.compile(rf"{PREVIOUS}-([1-9][0-9]{{0,3}})")


def generations(table: RefTable) -> tuple[Descriptor, ...]:
    """Return what was served, newest use first: what ``current`` points to leads, if there is one."""
    ranked = {rank: target for name, target in table.refs.items() if (rank := _rank(name)) is not None}
    first: dict[Digest, Descriptor] = {}
    for rank in sorted(ranked):
        first.setdefault(ranked[rank].digest, ranked[rank])
    return tuple(first.values())


def activated(table: RefTable, target: Descriptor, *, keep: int) -> RefTable:
    """Return a table where ``target`` is current, and of those used before so many stay that ``keep`` are kept.

    What was indexed here and gives way to what was fetched is kept under ``local`` as well, until the next such time.
    """
    before = table.get(CURRENT)
    if before is not None and gives_way(before, target):
        table = table.point(LOCAL, before.digest, before.size, before.annotations)
    others = [each for each in generations(table) if each.digest != target.digest]
    kept = [target, *others][: max(1, keep)]
    blank = table.without(name for name in table.refs if _rank(name) is not None)
    for rank, each in enumerate(kept):
        blank = blank.point(_name(rank), each.digest, each.size, each.annotations)
    return blank


def mark_rolled_back(target: Descriptor) -> Descriptor:
    """Return a descriptor that says that somebody went back from it: it is not taken again by itself."""
    return replace(target, annotations={**target.annotations, _ROLLED_BACK: "true"})


def was_rolled_back(target: Descriptor) -> bool:
    """Tell whether somebody went back from a generation."""
    return _ROLLED_BACK in target.annotations


def gives_way(before: Descriptor, target: Descriptor) -> bool:
    """Tell whether what was indexed here would give way to what was fetched."""
    return before.digest != target.digest and is_local(before) and not is_local(target)


def rolled_back(table: RefTable, target: Descriptor, *, keep: int) -> RefTable:
    """Return a table where ``target`` is current again, and what was current is marked as gone back from."""
    current = table.get(CURRENT)
    if current is not None and current.digest != target.digest:
        table = activated(table, mark_rolled_back(current), keep=keep)
    return activated(table, unmarked(target), keep=keep)


def unmarked(target: Descriptor) -> Descriptor:
    """Return a descriptor that nobody went back from."""
    return replace(target, annotations={key: text for key, text in target.annotations.items() if key != _ROLLED_BACK})


def find(table: RefTable, wanted: str) -> Descriptor | None:
    """Return the generation that ``wanted`` names: a ref, or a digest or the unmistakable beginning of one."""
    if wanted in table.refs:
        return table.refs[wanted]
    digits = wanted.lower().removeprefix("sha256:")
    found = {target.digest: target for target in table.refs.values() if target.digest.hex.startswith(digits)}
    return next(iter(found.values())) if len(found) == 1 and digits else None


def names_of(table: RefTable, generation: Digest) -> list[str]:
    """Return the refs that point to a generation, in order of their use."""
    names = [name for name, target in table.refs.items() if target.digest == generation]
    return sorted(names, key=lambda name: (_rank(name) is None, _rank(name) or 0, name))


def _rank(name: str) -> int | None:
    """Return the place in the history that a ref stands for; None for a ref that is none of it."""
    if name in (CURRENT, PREVIOUS):
        return (CURRENT, PREVIOUS).index(name)
    match = _NUMBERED.fullmatch(name)
    return int(match[1]) if match else None


def _name(rank: int) -> str:
    return (CURRENT, PREVIOUS)[rank] if rank < 2 else f"{PREVIOUS}-{rank}"
