"""The generations that a ref table remembers, newest use first: ``current``, ``previous``, ``previous-2``, … Pure.

Going back is activating again: the generation moves to the front, and the one that was there becomes ``previous``.
Descriptors move with their annotations, so what is known of where a generation came from is never lost or mixed up.
``current`` says what was gone back from, until its source has something else.
"""

from __future__ import annotations

import re
from dataclasses import replace

from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.manifest import Descriptor, RefTable
from pycontextify.snapshot.origin import is_local, offers_of

__all__ = [
    "CURRENT",
    "LOCAL",
    "PREVIOUS",
    "RECOVERED",
    "activated",
    "find",
    "generations",
    "gives_way",
    "gone_back_from",
    "names_of",
    "rolled_back",
]

CURRENT = "current"
"""The ref of the generation that is served."""

PREVIOUS = "previous"
"""The ref of the generation that was served before."""

LOCAL = "local"
"""The ref that keeps what was indexed here when a hydrated generation took its place."""

RECOVERED = "io.pycontextify.recovered"
"""Annotation of ``current`` when it is only what was left: why. An index is wanted again then."""

_GONE_BACK = "io.pycontextify.gone-back"
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
    Something else that was fetched means that the source has moved on: then nothing counts as gone back from.
    """
    before = table.get(CURRENT)
    if before is not None and gives_way(before, target):
        table = table.point(LOCAL, before.digest, before.size, before.annotations)
    if is_local(target) or RECOVERED in target.annotations:
        target = _noted(target, gone_back_from(table))
    return _led_by(table, target, keep)


def rolled_back(table: RefTable, target: Descriptor, *, keep: int) -> RefTable:
    """Return a table where ``target`` is current again; what its source calls the one before is gone back from."""
    before = table.get(CURRENT)
    left = gone_back_from(table) | (frozenset() if before is None else offers_of(before))
    target = replace(target, annotations={name: text for name, text in target.annotations.items() if name != RECOVERED})
    return _led_by(table, _noted(target, left - offers_of(target)), keep)


def gone_back_from(table: RefTable) -> frozenset[str]:
    """Return the digests of what somebody went back from: it is not taken again by itself."""
    current = table.get(CURRENT)
    return frozenset() if current is None else frozenset(current.annotations.get(_GONE_BACK, "").split())


def _noted(target: Descriptor, left: frozenset[str]) -> Descriptor:
    notes = {name: text for name, text in target.annotations.items() if name != _GONE_BACK}
    return replace(target, annotations={**notes, _GONE_BACK: " ".join(sorted(left))} if left else notes)


def _led_by(table: RefTable, target: Descriptor, keep: int) -> RefTable:
    """Return a table whose history begins with ``target``."""
    others = [each for each in generations(table) if each.digest != target.digest]
    kept = [target, *others][: max(1, keep)]
    blank = table.without(name for name in table.refs if _rank(name) is not None)
    for rank, each in enumerate(kept):
        blank = blank.point(_name(rank), each.digest, each.size, each.annotations)
    return blank


def gives_way(before: Descriptor, target: Descriptor) -> bool:
    """Tell whether what was indexed here would give way to what was fetched."""
    return before.digest != target.digest and is_local(before) and not is_local(target)


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
