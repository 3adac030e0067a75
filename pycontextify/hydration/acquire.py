"""From a source to a candidate: resolve, plan, fetch, verify and, where there is an archive, extract.

Every kind of source ends in the same thing, a manifest with its blobs, in the layout already or staged beside it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

from pycontextify.errors import FetchError, PermanentFetchError, VerifyError
from pycontextify.hydration.candidate import Candidate, candidate_of, check_named
from pycontextify.hydration.extract import ExtractedLayout, ExtractedPair, extract
from pycontextify.hydration.sources import ArchiveSource, LayoutSource, PairSource, Source
from pycontextify.hydration.status import AssetProgress, StatusBoard
from pycontextify.hydration.transport import Download, Received, Transport, is_absent
from pycontextify.hydration.workers import OnProgress, Workers
from pycontextify.redact import redact_url
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of, parse_sidecar
from pycontextify.snapshot.manifest import Descriptor, Manifest, RefTable
from pycontextify.store.layout import CURRENT, Layout

__all__ = ["SOURCE_DIGEST", "Acquisition", "acquire"]

SOURCE_DIGEST = "io.pycontextify.source.digest"
"""Annotation of a local ref: the digest of the archive or pair that the generation was made of."""

_LOG = logging.getLogger(__name__)
_MANIFEST_LIMIT = 4 << 20
_SIDECAR_LIMIT = 4 << 10

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What acquiring needs. ``staging`` is an empty directory that outlives the candidate."""

    layout: Layout
    transport: Transport
    workers: Workers
    board: StatusBoard
    staging: Path


async def acquire(source: Source, work: Acquisition) -> Candidate | None:
    """Bring in what the source has now; None when that is what ``current`` already is.

    Raises FetchError, SnapshotRejected or StoreError; the layout is as it was.
    """
    current = await work.workers.run(_whole_current, work.layout)
    match source:
        case LayoutSource():
            return await _from_layout(source, work, current)
        case ArchiveSource():
            return await _from_archive(source, work, current)
        case PairSource():
            return await _from_pair(source, work, current)


def _whole_current(layout: Layout) -> Descriptor | None:
    """Return what ``current`` points to, if it is there with all its blobs."""
    current = layout.refs().get(CURRENT)
    if current is None or not layout.has(current.digest, current.size):
        return None
    return None if _missing(layout, layout.manifest(current.digest)) else current


async def _from_layout(source: LayoutSource, work: Acquisition, current: Descriptor | None) -> Candidate | None:
    generation = source.pin or await _resolve_ref(source, work)
    if current is not None and current.digest == generation:
        return None
    content = await _read_blob(source, work, generation)
    manifest = Manifest.from_bytes(content)
    missing = await work.workers.run(_missing, work.layout, manifest)
    work.board.plan(tuple(_asset(blob, missing=blob in missing) for blob in manifest.blobs))
    work.board.enter("fetching")
    staged: dict[Digest, Path] = {}
    for blob in missing:
        destination = work.layout.partial / f"{blob.digest.hex}.part"
        urls = [_blob_url(url, blob.digest) for url in source.urls]
        await _download(work, urls, blob.title, destination, digest=blob.digest, size=blob.size)
        staged[blob.digest] = destination
    work.board.enter("verifying")
    config = await work.workers.run(_staged_config, work.layout, manifest, staged)
    return Candidate(generation, config, staged, (content,))


async def _resolve_ref(source: LayoutSource, work: Acquisition) -> Digest:
    async def read(url: str) -> bytes:
        return (await work.transport.read(_join(url, "index.json"), limit=_MANIFEST_LIMIT)).content

    table = RefTable.from_bytes(await _first(source.urls, read))
    target = table.get(source.ref)
    if target is None:
        known = ", ".join(sorted(table.refs)) or "none"
        raise PermanentFetchError(
            f"it has no ref {source.ref!r} (it has: {known})",
            code="ref_missing",
            asset=source.label,
            hint="publish there, or name one of its refs after a # in the address",
        )
    return target.digest


async def _read_blob(source: LayoutSource, work: Acquisition, digest: Digest) -> bytes:
    async def read(url: str) -> bytes:
        address = _blob_url(url, digest)
        content = (await work.transport.read(address, limit=_MANIFEST_LIMIT)).content
        if digest_of(content) != digest:
            raise VerifyError(
                f"the manifest has SHA-256 {digest_of(content).short}…, expected {digest.short}…",
                code="digest_mismatch",
                asset=redact_url(address),
                hint="publish it again",
            )
        return content

    return await _first(source.urls, read)


def _missing(layout: Layout, manifest: Manifest) -> list[Descriptor]:
    unique = {blob.digest: blob for blob in manifest.blobs}
    return [blob for blob in unique.values() if not layout.has(blob.digest, blob.size)]


def _staged_config(layout: Layout, manifest: Manifest, staged: Mapping[Digest, Path]) -> SnapshotConfig:
    path = staged.get(manifest.config.digest, layout.blob_path(manifest.config.digest))
    config = SnapshotConfig.from_bytes(path.read_bytes())
    check_named(config, manifest)
    return config


async def _from_archive(source: ArchiveSource, work: Acquisition, current: Descriptor | None) -> Candidate | None:
    expected = source.pin or await _sidecar(source.urls, work)
    if _same_source(current, expected):
        return None
    name = urlsplit(source.urls[0]).path.rsplit("/", 1)[-1] or "archive"
    work.board.plan((AssetProgress(name, expected, None),))
    work.board.enter("fetching")
    packed = work.staging / "archive"
    received = await _download(work, source.urls, name, packed, digest=expected, size=None)
    if _same_source(current, received.digest):
        return None
    work.board.enter("extracting")

    def unpack(step: OnProgress) -> ExtractedPair | ExtractedLayout:
        content = work.staging / "content"
        content.mkdir()
        return extract(packed, content, name=source.name, file_name=name, on_progress=step)

    extracted = await work.workers.run_watched(unpack, lambda _done: None)
    _LOG.info("extracted in %.2f s", work.board.enter("verifying"))
    return await work.workers.run(candidate_of, extracted, {SOURCE_DIGEST: received.digest})


async def _from_pair(source: PairSource, work: Acquisition, current: Descriptor | None) -> Candidate | None:
    vectors_digest = source.vectors_pin or await _sidecar(source.vectors_urls, work)
    chunks_digest = source.chunks_pin or await _sidecar(source.chunks_urls, work)
    if vectors_digest and chunks_digest and _same_source(current, _pair_digest(vectors_digest, chunks_digest)):
        return None
    names = ("vectors file", "chunks file")
    work.board.plan(
        (AssetProgress(names[0], vectors_digest, None), AssetProgress(names[1], chunks_digest, None)),
    )
    work.board.enter("fetching")
    vectors, chunks = work.staging / "vectors", work.staging / "chunks"
    first = await _download(work, source.vectors_urls, names[0], vectors, digest=vectors_digest, size=None)
    second = await _download(work, source.chunks_urls, names[1], chunks, digest=chunks_digest, size=None)
    digest = _pair_digest(first.digest, second.digest)
    if _same_source(current, digest):
        return None
    work.board.enter("verifying")
    pair = ExtractedPair(vectors, chunks, first.digest, second.digest)
    return await work.workers.run(candidate_of, pair, {SOURCE_DIGEST: digest})


def _pair_digest(vectors: Digest, chunks: Digest) -> Digest:
    return digest_of(f"{vectors} {chunks}".encode())


def _same_source(current: Descriptor | None, digest: Digest | None) -> bool:
    return current is not None and digest is not None and current.annotations.get(SOURCE_DIGEST) == digest


async def _sidecar(urls: Sequence[str], work: Acquisition) -> Digest | None:
    """Return what the .sha256 file beside an asset says; None where there is none."""

    async def read(url: str) -> Digest:
        address = _with_suffix(url, ".sha256")
        content = (await work.transport.read(address, limit=_SIDECAR_LIMIT)).content
        return parse_sidecar(content.decode("utf-8", "replace"), asset=redact_url(address))

    try:
        return await _first(urls, read)
    except FetchError as error:
        if is_absent(error):
            return None
        raise


async def _download(
    work: Acquisition, urls: Sequence[str], name: str, destination: Path, *, digest: Digest | None, size: int | None
) -> Received:
    def arrived(done: int) -> None:
        work.board.received(name, done)

    def announced(total: int) -> None:
        work.board.received(name, 0, size=total)

    async def fetch(url: str) -> Received:
        return await work.transport.download(Download(name, url, digest, size), destination, arrived, announced)

    received = await _first(urls, fetch)
    work.board.verified(name, received.size)
    return received


async def _first(urls: Sequence[str], ask: Callable[[str], Awaitable[_T]]) -> _T:
    """Ask mirror after mirror; the last one's error counts."""
    for url in urls[:-1]:
        try:
            return await ask(url)
        except (FetchError, VerifyError):
            continue
    return await ask(urls[-1])


def _asset(blob: Descriptor, *, missing: bool) -> AssetProgress:
    if missing:
        return AssetProgress(blob.title, blob.digest, blob.size)
    return AssetProgress(blob.title, blob.digest, blob.size, done=blob.size, state="reused")


def _blob_url(base: str, digest: Digest) -> str:
    return _join(base, f"blobs/sha256/{digest.hex}")


def _join(base: str, path: str) -> str:
    parts = urlsplit(base)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{path}", fragment=""))


def _with_suffix(url: str, suffix: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path + suffix, fragment=""))
