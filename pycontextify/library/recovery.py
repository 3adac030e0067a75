"""Opening an index directory whatever state it is in: the current generation, or what is left of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from pycontextify.errors import SnapshotRejected, StoreError
from pycontextify.index.view import View
from pycontextify.library.workspace import Workspace
from pycontextify.snapshot.history import CURRENT, RECOVERED
from pycontextify.snapshot.manifest import Descriptor
from pycontextify.store.check import damaged_blobs, quarantine
from pycontextify.store.layout import Layout
from pycontextify.store.reclaim import reclaim
from pycontextify.store.recover import mend, whole_generations

__all__ = ["Opened", "open_best"]

_LOG = logging.getLogger(__name__)
_LOCK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Opened:
    """An open generation, if there is one, and what was found damaged, if anything was."""

    view: View | None
    damage: str | None = None


def open_best(workspace: Workspace) -> Opened:
    """Open the current generation, or where that is damaged, the newest that is whole. Never raises for damage.

    What is found damaged is mended on the disk too, where that can be written to: what is whole becomes current, blobs
    with wrong bytes are set aside, and an index is wanted again. Blocks.
    """
    _reclaim(workspace.layout)
    try:
        return Opened(workspace.open_current(), _still_recovered(workspace.layout))
    except (StoreError, SnapshotRejected) as error:
        _LOG.warning("the index is damaged: %s", error)
        return _open_what_is_left(workspace, f"The index was found damaged ({error})")


def _open_what_is_left(workspace: Workspace, why: str) -> Opened:
    suspects: list[Descriptor] = []
    for target in whole_generations(workspace.layout):
        try:
            view = workspace.open(target.digest)
        except (StoreError, SnapshotRejected):
            suspects.append(target)
        else:
            damage = f"{why}; the newest generation that is whole is served"
            _mend(workspace.layout, suspects, target, damage)
            return Opened(view, damage)
    damage = f"{why}; no generation is whole"
    _mend(workspace.layout, suspects, None, damage)
    return Opened(None, damage)


def _mend(layout: Layout, suspects: Sequence[Descriptor], target: Descriptor | None, why: str) -> None:
    """Mend what is on the disk. Where it can't be written to, or somebody else is at work, it stays as it is.

    So does an index whose bytes are all right: that it can't be opened is a matter of this process then, and no reason
    to take it away from others.
    """
    with suppress(StoreError), layout.lock(timeout=_LOCK_SECONDS):
        try:
            current = layout.refs().get(CURRENT)
        except StoreError:
            damaged = True
        else:
            suspects = [*suspects, *([current] if current else [])]
            damaged = False
        for damage in list(damaged_blobs(layout, suspects, deep=True)):
            damaged = True
            if damage.kind in ("rotten", "size"):
                _LOG.warning("%s is damaged; set aside as %s", damage.blob.title, quarantine(layout, damage.blob))
        if damaged:
            mend(layout, target, why)


def _still_recovered(layout: Layout) -> str | None:
    """Return why what is current is only what was left, if it is."""
    current = layout.refs().get(CURRENT)
    return None if current is None else current.annotations.get(RECOVERED)


def _reclaim(layout: Layout) -> None:
    """Remove what dead writers have left, unless somebody is at work, or there is nothing to write to."""
    if layout.partial.is_dir():
        with suppress(StoreError), layout.hydration_lock(), layout.lock(timeout=0):
            reclaim(layout)
