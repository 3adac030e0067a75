"""Opening an index directory whatever state it is in: the current generation, or what is left of it."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass

from pycontextify.errors import SnapshotRejected, StoreError
from pycontextify.index.view import View
from pycontextify.library.workspace import Workspace
from pycontextify.snapshot.history import CURRENT
from pycontextify.snapshot.manifest import Descriptor
from pycontextify.store.check import damaged_blobs, quarantine
from pycontextify.store.layout import Layout
from pycontextify.store.reclaim import reclaim
from pycontextify.store.recover import RECOVERED, mend, whole_generations

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
    for target in whole_generations(workspace.layout):
        with suppress(StoreError, SnapshotRejected):
            opened = Opened(workspace.open(target.digest), f"{why}; an older generation is served")
            _mend(workspace.layout, target, opened.damage or why)
            return opened
    _mend(workspace.layout, None, why)
    return Opened(None, f"{why}; no generation is whole")


def _mend(layout: Layout, target: Descriptor | None, why: str) -> None:
    """Mend what is on the disk. Where it can't be written to, or somebody else is at work, it stays as it is."""
    with suppress(StoreError), layout.lock(timeout=_LOCK_SECONDS):
        with suppress(StoreError):
            current = layout.refs().get(CURRENT)
            for damage in damaged_blobs(layout, [current] if current else [], deep=True):
                if damage.kind in ("rotten", "size"):
                    _LOG.warning("%s is damaged; set aside as %s", damage.blob.title, quarantine(layout, damage.blob))
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
