"""Pruning: blobs that no ref reaches go, unless a living process has them open.

It happens under the writers' lock, so no writer can be half-way through adding a generation; that nothing breaks where
locks do not work either is told in `pycontextify.store.leases`. A blob that can't be deleted now (Windows, while
somebody reads it) is left for the next time.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from pycontextify.snapshot.digest import Digest
from pycontextify.store.layout import Layout

__all__ = ["Pruned", "living", "prune"]


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many blobs went, and how many bytes that freed."""

    blobs: int
    size: int


def living(layout: Layout) -> frozenset[Digest]:
    """Return every blob that some ref reaches: manifests, configs and layers.

    Raises StoreError or SnapshotRejected when a manifest can't be read; then nothing may be pruned.
    """
    alive: set[Digest] = set()
    for target in layout.refs().refs.values():
        alive.add(target.digest)
        alive.update(blob.digest for blob in layout.manifest(target.digest).blobs)
    return frozenset(alive)


def prune(layout: Layout) -> Pruned:
    """Delete the blobs that no ref reaches. Call it with the writers' lock held."""
    files = layout.blob_files()  # before anything else: what comes later must not be missed by mistake
    names = {digest.hex for digest in living(layout) | layout.leased()}
    blobs = size = 0
    for path in files:
        if path.name in names:
            continue
        with suppress(OSError):
            freed = path.stat().st_size
            path.unlink()
            blobs, size = blobs + 1, size + freed
    return Pruned(blobs, size)
