"""Small generations for the store: a manifest, a config blob, and blobs of any bytes. Nothing opens them."""

from __future__ import annotations

from collections.abc import Mapping

from pycontextify.snapshot.config import EncoderInfo, SegmentInfo, SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.manifest import build_manifest
from pycontextify.store.layout import Layout

__all__ = ["blobs_of", "build", "store"]


def build(version: int, *contents: bytes, notes: Mapping[str, str] | None = None) -> tuple[Digest, list[bytes]]:
    """Return the digest of a generation and its blobs, the manifest last; ``contents`` are at least two blobs."""
    vectors, chunks, *rest = contents
    encoder = EncoderInfo(
        id="none", digest=digest_of(b"none"), dimension=8, files={f"{n}.bin": digest_of(b) for n, b in enumerate(rest)}
    )
    config = SnapshotConfig(
        name="index",
        version=version,
        created=f"2026-11-22T10:00:{version:02}Z",
        encoder=encoder,
        segments=(SegmentInfo(vectors=digest_of(vectors), chunks=digest_of(chunks), rows=1, documents=1),),
    )
    manifest, content = build_manifest(config, {digest_of(each): len(each) for each in contents}, notes)
    return digest_of(manifest), [*contents, content, manifest]


def store(layout: Layout, version: int, *contents: bytes, notes: Mapping[str, str] | None = None) -> Digest:
    """Store a generation without making it current; return its digest."""
    generation, blobs = build(version, *contents, notes=notes)
    for blob in blobs:
        layout.add_bytes(blob)
    return generation


def blobs_of(layout: Layout, generation: Digest) -> set[Digest]:
    """Return every blob of a stored generation."""
    return {generation, *(blob.digest for blob in layout.manifest(generation).blobs)}
