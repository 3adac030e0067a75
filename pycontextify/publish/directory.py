"""Publishing a layout: blobs are copied, then the ref moves. Clients that are fetching the old snapshot can go on."""

from __future__ import annotations

from pathlib import Path

from pycontextify.errors import VerifyError
from pycontextify.publish.report import PublishReport, without_encoder
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.history import PREVIOUS
from pycontextify.snapshot.manifest import Descriptor
from pycontextify.store.copies import add_copy
from pycontextify.store.layout import Layout

__all__ = ["LATEST", "publish_directory"]

LATEST = "latest"
"""The ref under which a published layout has its newest snapshot."""

_LOCK_SECONDS = 600.0


def publish_directory(layout: Layout, generation: Digest, target: Path) -> PublishReport:
    """Copy a generation into a layout that a static host can serve as it is.

    What is there already is not copied again; the snapshot published before stays, under ``previous``.

    Raises StoreError, or VerifyError when a blob is rotten; the target then still has its old ref.
    """
    published = Layout(target)
    published.create()
    manifest = layout.manifest(generation)
    copied = size = 0
    with published.lock(timeout=_LOCK_SECONDS):
        for blob in manifest.blobs:
            size += blob.size
            if not published.has(blob.digest, blob.size):
                _copy(layout, blob, published)
                copied += blob.size
        content = layout.read(generation)
        published.add_bytes(content)
        table = published.refs()
        before = table.get(LATEST)
        if before is not None and before.digest != generation:
            table = table.copy(LATEST, PREVIOUS)
        published.write_refs(table.point(LATEST, generation, len(content)))
    config = layout.config(generation)
    return PublishReport(
        generation=generation,
        version=config.version,
        files=(str(target),),
        bytes_total=size + len(content),
        bytes_copied=copied,
        lacks=None if config.encoder.files else without_encoder(config.encoder),
    )


def _copy(layout: Layout, blob: Descriptor, published: Layout) -> None:
    digest = add_copy(published, layout.blob_path(blob.digest))
    if digest != blob.digest:
        raise VerifyError(
            f"a stored blob ({blob.title}) no longer has the bytes it is named by",
            code="blob_rotten",
            asset=blob.digest,
            hint="remove the file, then hydrate or index again",
        )
