"""Publishing a layout: blobs are copied, then the ref moves. Clients that are fetching the old snapshot can go on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from pycontextify.errors import PyContextifyError
from pycontextify.publish.issue import AS_IT_IS, Issue, check_newer, trusted_comment
from pycontextify.publish.progress import Meter, OnProgress
from pycontextify.publish.report import PublishReport, without_encoder
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.history import PREVIOUS
from pycontextify.snapshot.manifest import Descriptor, Manifest, RefTable
from pycontextify.snapshot.signature import prehash
from pycontextify.store.copies import add_copy, bring
from pycontextify.store.layout import Layout
from pycontextify.store.signed import add_signature, signature_of

__all__ = ["LATEST", "publish_directory"]

LATEST = "latest"
"""The ref under which a published layout has its newest snapshot."""

_LOCK_SECONDS = 600.0


def publish_directory(
    layout: Layout,
    generation: Digest,
    target: Path,
    issue: Issue = AS_IT_IS,
    on_progress: OnProgress = lambda _: None,
) -> PublishReport:
    """Copy a generation into a layout that a static host can serve as it is.

    What is there already is not copied again; the snapshot published before stays, under ``previous``. On other terms
    than its own it is another snapshot, of the same blobs.

    Raises ConfigError when what is published there is newer, StoreError, or VerifyError when a blob is rotten; the
    target then still has its old ref.
    """
    published = Layout(target)
    published.create()
    with published.lock(timeout=_LOCK_SECONDS):
        table = published.refs()
        before = _published(published, table)
        config = issue.of(layout.config(generation), before)
        check_newer(config, before, str(target))
        config_content, manifest = _documents(layout, generation, config)
        layers = layout.manifest(generation).layers
        meter = Meter("copying", sum(blob.size for blob in layers), on_progress)
        copied = sum(_bring(layout, blob, published, meter) for blob in layers)
        copied += _add(published, config_content)
        published.add_bytes(manifest)
        signature = _signature(layout, published, manifest, config, issue)
        if signature is not None:
            issued = digest_of(manifest)
            table = table.signed(issued, add_signature(published, issued, signature))
        _point(published, table, manifest)
    return PublishReport(
        generation=digest_of(manifest),
        version=config.version,
        files=(str(target),),
        bytes_total=sum(blob.size for blob in Manifest.from_bytes(manifest).blobs) + len(manifest),
        bytes_copied=copied,
        lacks=None if config.encoder.files else without_encoder(config.encoder),
    )


def _published(published: Layout, table: RefTable) -> SnapshotConfig | None:
    """Return the config of what is published; None where there is none that can be read."""
    latest = table.get(LATEST)
    if latest is not None:
        with suppress(PyContextifyError):
            return published.config(latest.digest)
    return None


def _documents(layout: Layout, generation: Digest, config: SnapshotConfig) -> tuple[bytes, bytes]:
    """Return config and manifest of what is published: those of the generation, where its terms are its own."""
    manifest = layout.manifest(generation)
    if config == layout.config(generation):
        return layout.read(manifest.config.digest), layout.read(generation)
    content = config.to_bytes()
    head = replace(manifest.config, digest=digest_of(content), size=len(content))
    return content, replace(manifest, config=head).to_bytes()


def _signature(
    layout: Layout, published: Layout, manifest: bytes, config: SnapshotConfig, issue: Issue
) -> bytes | None:
    """Return the signature to add: a new one, or the one that the snapshot came with, unless it has one there."""
    generation = digest_of(manifest)
    if issue.sign is not None:
        return issue.sign(prehash(manifest), trusted_comment(config, generation.hex))
    if signature_of(published, published.refs(), generation) is not None:
        return None
    return signature_of(layout, layout.refs(), generation)


def _point(published: Layout, table: RefTable, manifest: bytes) -> None:
    generation = digest_of(manifest)
    before = table.get(LATEST)
    if before is not None and before.digest != generation:
        table = table.copy(LATEST, PREVIOUS)
    published.write_refs(table.point(LATEST, generation, len(manifest)))


def _add(published: Layout, document: bytes) -> int:
    """Add a document that may be there; return how many bytes that took."""
    there = published.has(digest_of(document), len(document))
    published.add_bytes(document)
    return 0 if there else len(document)


def _bring(layout: Layout, blob: Descriptor, published: Layout, meter: Meter) -> int:
    """Copy a blob that may be there; return how many bytes that took."""
    copied = bring(layout, blob, published, partial(add_copy, on_bytes=meter.add))
    if not copied:
        meter.add(blob.size)
    return copied
