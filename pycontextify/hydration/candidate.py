"""Candidates: generations on their way in, and what must hold before their contents are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pycontextify.errors import VerifyError
from pycontextify.hydration.extract import ExtractedLayout, ExtractedPair
from pycontextify.index.chunks import Chunks
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.history import CURRENT
from pycontextify.snapshot.manifest import Manifest, RefTable, build_manifest
from pycontextify.snapshot.pair import config_of_pair
from pycontextify.store.durable import on_disk

__all__ = ["Candidate", "candidate_of", "check_named"]

_ARCHIVE_REFS = ("latest", CURRENT)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A generation on its way in.

    ``staged`` tells where the blobs are that the layout lacks; ``documents`` are small ones still in memory, the
    manifest last. ``signature`` is the signature file that vouches for the manifest, if one does.
    """

    generation: Digest
    config: SnapshotConfig
    staged: Mapping[Digest, Path]
    documents: tuple[bytes, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)
    signature: bytes | None = None

    @property
    def blobs(self) -> frozenset[Digest]:
        """Every blob of it that is known by name here."""
        return frozenset({self.generation, *self.config.blobs, *self.staged, *map(digest_of, self.documents)})


def check_named(config: SnapshotConfig, manifest: Manifest) -> None:
    """Raise VerifyError when the config names blobs that the manifest does not list."""
    if not config.blobs <= {layer.digest for layer in manifest.layers}:
        raise VerifyError(
            "the config names blobs that the manifest does not list",
            code="manifest_incomplete",
            hint="publish it again",
        )


def candidate_of(extracted: ExtractedPair | ExtractedLayout, annotations: Mapping[str, str]) -> Candidate:
    """Make a candidate of what an archive held, or of a pair of files. Blocks.

    Raises VerifyError or ValidateError when it is not whole, StoreError when it can't be read.
    """
    if isinstance(extracted, ExtractedPair):
        with on_disk(extracted.sqlite):
            return _pair_candidate(extracted, annotations)
    with on_disk(next(iter(extracted.blobs.values()), Path()).parent):
        return _layout_candidate(extracted, annotations)


def _pair_candidate(pair: ExtractedPair, annotations: Mapping[str, str]) -> Candidate:
    chunks = Chunks.open(pair.sqlite)
    try:
        config = config_of_pair(chunks.meta, vectors=pair.faiss_digest, chunks=pair.sqlite_digest)
    finally:
        chunks.close()
    sizes = {pair.faiss_digest: pair.faiss.stat().st_size, pair.sqlite_digest: pair.sqlite.stat().st_size}
    manifest, content = build_manifest(config, sizes)
    staged = {pair.faiss_digest: pair.faiss, pair.sqlite_digest: pair.sqlite}
    return Candidate(digest_of(manifest), config, staged, (content, manifest), annotations)


def _layout_candidate(layout: ExtractedLayout, annotations: Mapping[str, str]) -> Candidate:
    table = RefTable.from_bytes(layout.index_json)
    target = next((table.refs[name] for name in _ARCHIVE_REFS if name in table.refs), None)
    if target is None or target.digest not in layout.blobs:
        raise VerifyError(
            "the archived layout has no ref 'latest' with its manifest",
            code="ref_missing",
            hint="archive what `pycontextify publish` wrote",
        )
    content = layout.blobs[target.digest].read_bytes()
    manifest = Manifest.from_bytes(content)
    for blob in manifest.blobs:
        path = layout.blobs.get(blob.digest)
        if path is None or path.stat().st_size != blob.size:
            raise VerifyError(f"the archived layout lacks the blob {blob.title!r}", code="manifest_incomplete")
    config = SnapshotConfig.from_bytes(layout.blobs[manifest.config.digest].read_bytes())
    check_named(config, manifest)
    staged = {blob.digest: layout.blobs[blob.digest] for blob in manifest.blobs}
    return Candidate(target.digest, config, staged, (content,), annotations)
