"""Pruning: blobs that no ref reaches go, unless a living process has them open.

It happens under the writers' lock, so no writer can be half-way through adding a generation; that nothing breaks where
locks do not work either is told in `pycontextify.store.leases`. A blob that can't be deleted now (Windows, while
somebody reads it) is left for the next time.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pycontextify.errors import PyContextifyError
from pycontextify.snapshot.digest import Digest
from pycontextify.store.durable import shift, unique
from pycontextify.store.layout import Layout
from pycontextify.store.signed import signature_blobs

__all__ = ["Pruned", "living", "prune"]


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many blobs went, and how many bytes that freed."""

    blobs: int
    size: int


def living(layout: Layout) -> frozenset[Digest]:
    """Return every blob that some ref reaches: manifests, configs and layers, and their signatures.

    Raises StoreError or SnapshotRejected when a manifest can't be read; then nothing may be pruned.
    """
    table = layout.refs()
    alive = {blob.digest for blob in signature_blobs(layout, table)}
    for target in table.refs.values():
        alive.add(target.digest)
        alive.update(blob.digest for blob in layout.manifest(target.digest).blobs)
    return frozenset(alive)


def prune(layout: Layout) -> Pruned:
    """Delete the blobs that no ref reaches and nobody holds. Call it with the writers' lock held."""
    files = layout.blob_files()  # before anything else: what comes later must not be missed by mistake
    needed = _needed(layout)
    aside = {path: moved for path in files if path.name not in needed and (moved := _aside(layout, path))}
    try:
        needed = _needed(layout)
    except PyContextifyError:
        _put_back(aside)
        raise
    _put_back({path: moved for path, moved in aside.items() if path.name in needed})
    blobs = size = 0
    for moved in aside.values():
        with suppress(OSError):
            freed = moved.stat().st_size
            moved.unlink()
            blobs, size = blobs + 1, size + freed
    return Pruned(blobs, size)


def _needed(layout: Layout) -> set[str]:
    return {digest.hex for digest in living(layout) | layout.leased()}


def _aside(layout: Layout, path: Path) -> Path | None:
    """Move a file out of the way; return where it lies now, None where it must stay."""
    with suppress(OSError):
        layout.trash.mkdir(exist_ok=True)
        moved = layout.trash / f"{path.name}.{unique()}"
        shift(path, moved)
        return moved
    return None


def _put_back(aside: Mapping[Path, Path]) -> None:
    for path, moved in aside.items():
        with suppress(OSError):
            shift(moved, path)
