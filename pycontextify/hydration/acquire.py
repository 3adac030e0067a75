"""From an offer to a candidate: plan, fetch, verify and, where there is an archive, extract.

Every kind of source ends in the same thing, a manifest with its blobs, in the layout already or staged beside it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from pycontextify.errors import VerifyError
from pycontextify.hydration.board import StatusBoard
from pycontextify.hydration.candidate import Candidate, candidate_of, check_named
from pycontextify.hydration.extract import ExtractedLayout, ExtractedPair, extract
from pycontextify.hydration.resolve import Offer, notes_of, offered_archive, offered_pair
from pycontextify.hydration.sources import ArchiveSource, LayoutSource, PairSource, Source
from pycontextify.hydration.status import AssetProgress, State
from pycontextify.hydration.transfer.client import Client, Seen
from pycontextify.hydration.transfer.transport import Download, Received, Watch, check_document
from pycontextify.hydration.trust import Trust, signed_notes
from pycontextify.hydration.vouch import VouchedFile, blob_url, read_blob, vouched_file, vouched_manifest
from pycontextify.hydration.workers import OnProgress, Workers, together
from pycontextify.redact import redact_url
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.manifest import DOCUMENT_LIMIT, Descriptor, Manifest
from pycontextify.store.layout import Layout
from pycontextify.store.reclaim import drop_downloads
from pycontextify.store.space import allocated, check_space

__all__ = ["Acquisition", "Lease", "acquire"]

_LOG = logging.getLogger(__name__)
_VECTORS, _CHUNKS = "vectors file", "chunks file"


Lease = Callable[[Collection[Digest]], Awaitable[None]]
"""Holds blobs, so that no other process prunes them, for as long as the attempt goes on."""


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What acquiring needs. ``staging`` is an empty directory that outlives the candidate.

    ``limit`` bounds, in bytes, every asset. ``lease`` is told which blobs are built on, before they are looked for.
    ``trust`` judges what comes.
    """

    layout: Layout
    client: Client
    workers: Workers
    board: StatusBoard
    staging: Path
    limit: int
    lease: Lease
    trust: Trust

    def partial_for(self, request: Download) -> Path:
        """Return where an asset is downloaded to: by its digest, or else by its name and first address."""
        if request.digest is not None:
            return self.layout.partial / f"{request.digest.hex}.part"
        known_by = f"{request.name} {redact_url(request.urls[0])}"
        return self.layout.partial / f"url-{digest_of(known_by.encode()).hex}.part"

    async def fetch(self, request: Download, *, unpacked: int = 0) -> tuple[Path, Received]:
        """Download one asset; what it holds, unpacked, will take ``unpacked`` times its size beside it."""
        path = self.partial_for(request)

        async def sized(size: int) -> None:
            self.board.sized(request.name, size)
            status = self.board.status
            left = status.bytes_total - status.bytes_done + unpacked * size
            await self.workers.run(check_space, self.layout.partial, left, request.name)

        watch = Watch(
            landed=partial(self.board.landed, request.name),
            sized=sized if request.size is None else None,
            asking=self.board.asking,
        )
        received = await self.client.download(request, path, watch)
        self.board.verified(request.name, received.size)
        return path, received

    async def make_room(self, requests: Sequence[Download]) -> None:
        """Clear away the downloads that nobody wants any more, and make sure that there is room for these.

        Raises StoreError when there is not; sizes that are not known yet count once they are.
        """
        await self.workers.run(self._make_room, requests)

    def _make_room(self, requests: Sequence[Download]) -> None:
        begun = [self.partial_for(request) for request in requests]
        drop_downloads(self.layout, keep=begun)
        left = sum((request.size or 0) for request in requests) - sum(map(allocated, begun))
        check_space(self.layout.partial, left, "what is to be fetched")


async def acquire(source: Source, offer: Offer, work: Acquisition) -> Candidate:
    """Bring in what the source offers.

    Raises FetchError, SnapshotRejected or StoreError; the layout is as it was, and what has come is kept for next time.
    """
    match source:
        case LayoutSource():
            return await _from_layout(source, offer, work)
        case ArchiveSource():
            return await _from_archive(source, offer, work)
        case PairSource():
            return await _from_pair(source, offer, work)


async def _from_layout(source: LayoutSource, offer: Offer, work: Acquisition) -> Candidate:
    vouched = await vouched_manifest(source, offer, work.client, work.trust.keys)
    generation, manifest = digest_of(vouched.content), Manifest.from_bytes(vouched.content)
    await work.lease([generation, *(blob.digest for blob in manifest.blobs)])
    content = await _config(source, manifest, work)
    config = SnapshotConfig.from_bytes(content)
    check_named(config, manifest)
    await work.workers.run(work.trust.check, config, generation, vouched.signed_by)
    staged = await _blobs(source, manifest, work)
    notes = {**offer.notes, **signed_notes(vouched.signed_by)}
    return Candidate(generation, config, staged, (content, vouched.content), notes, vouched.signature)


async def _config(source: LayoutSource, manifest: Manifest, work: Acquisition) -> bytes:
    """Return the config, which is looked at before anything large is fetched."""
    head = manifest.config
    check_document(head.size, DOCUMENT_LIMIT, source.label)
    stored = await work.workers.run(_stored, work.layout, head)
    return stored or await read_blob(source, head.digest, work.client, limit=head.size)


def _stored(layout: Layout, blob: Descriptor) -> bytes | None:
    return layout.read(blob.digest) if layout.has(blob.digest, blob.size) else None


async def _blobs(source: LayoutSource, manifest: Manifest, work: Acquisition) -> Mapping[Digest, Path]:
    """Fetch the layers that the layout lacks; return where they are staged."""
    lacking = {blob.digest for blob in await work.workers.run(work.layout.missing, manifest)}
    missing = [blob for blob in manifest.layers if blob.digest in lacking]
    work.board.plan(tuple(_asset(blob, missing=blob in missing) for blob in manifest.layers))
    requests = {
        blob.digest: Download(
            blob.title,
            tuple(blob_url(url, blob.digest) for url in source.urls),
            blob.digest,
            blob.size,
            work.limit,
        )
        for blob in missing
    }
    await work.make_room(list(requests.values()))
    work.board.enter("fetching")
    staged: dict[Digest, Path] = {}

    async def fetch(digest: Digest, request: Download) -> None:
        staged[digest], _ = await work.fetch(request)

    await together(*[partial(fetch, digest, request) for digest, request in requests.items()])
    _fetched(work.board, "verifying")
    return staged


async def _from_archive(source: ArchiveSource, offer: Offer, work: Acquisition) -> Candidate:
    _, expected = offer.parts
    name = urlsplit(source.urls[0]).path.rsplit("/", 1)[-1] or "archive"
    vouched = await vouched_file(source.urls, work.client, work.trust.keys)
    work.board.plan((AssetProgress(name, expected, None),))
    check = None if vouched is None else vouched.check
    request = Download(name, source.urls, expected, limit=work.limit, check=check, lasting=False)
    await work.make_room([request])
    work.board.enter("fetching")
    # What is in it takes room as well, and what an index consists of hardly shrinks when it is packed.
    packed, received = await work.fetch(request, unpacked=1)
    _fetched(work.board, "extracting")

    def unpack(step: OnProgress) -> ExtractedPair | ExtractedLayout:
        content = work.staging / "content"
        content.mkdir()
        return extract(packed, content, name=source.name, file_name=name, on_progress=step)

    extracted = await work.workers.run_watched(unpack, lambda _done: None)
    _LOG.info("extracted in %.2f s", work.board.enter("verifying"))
    seen = _seen([received], source.name) if expected is None else []
    made_of = offered_archive(received.digest, source.name)
    return await _trusted(extracted, notes_of(seen, made_of), vouched, work)


async def _from_pair(source: PairSource, offer: Offer, work: Acquisition) -> Candidate:
    _, vectors, chunks = offer.parts
    if vectors is not None and vectors == chunks:
        raise VerifyError("the vectors and the chunks have one digest", code="pair_same", asset=source.label)
    files = ((_VECTORS, source.vectors_urls, vectors), (_CHUNKS, source.chunks_urls, chunks))
    vouched = [await vouched_file(urls, work.client, work.trust.keys) for _, urls, _ in files]
    work.board.plan(tuple(AssetProgress(name, digest, None) for name, _, digest in files))
    requests = [
        Download(name, urls, digest, limit=work.limit, check=None if voucher is None else voucher.check)
        for (name, urls, digest), voucher in zip(files, vouched, strict=True)
    ]
    await work.make_room(requests)
    work.board.enter("fetching")
    came: dict[str, tuple[Path, Received]] = {}

    async def fetch(request: Download) -> None:
        came[request.name] = await work.fetch(request)

    await together(*[partial(fetch, request) for request in requests])
    _fetched(work.board, "verifying")
    (faiss, faiss_as), (sqlite, sqlite_as) = came[_VECTORS], came[_CHUNKS]
    pair = ExtractedPair(faiss, sqlite, faiss_as.digest, sqlite_as.digest)
    seen = _seen([faiss_as, sqlite_as], "") if vectors is None and chunks is None else []
    made_of = offered_pair(faiss_as.digest, sqlite_as.digest)
    return await _trusted(pair, notes_of(seen, made_of), vouched[0], work)


async def _trusted(
    extracted: ExtractedPair | ExtractedLayout, notes: Mapping[str, str], vouched: VouchedFile | None, work: Acquisition
) -> Candidate:
    """Make a candidate of files whose signatures were found right, and judge what it says of itself."""
    signed_by = None if vouched is None else vouched.signed_by
    candidate = await work.workers.run(candidate_of, extracted, {**notes, **signed_notes(signed_by)})
    await work.workers.run(work.trust.check, candidate.config, candidate.generation, signed_by)
    return candidate


def _seen(files: Sequence[Received], name: str) -> list[Seen]:
    """Return what to ask after the next time, of files that have no digest beside them."""
    return [Seen(f"{each.url}#{name}", each.validators) for each in files]


def _fetched(board: StatusBoard, then: State) -> None:
    """Everything has come: log how much and how fast, and enter the next phase."""
    status, spent = board.status, board.enter(then)
    _LOG.info(
        "fetched %.1f MB in %.2f s (%.1f MB/s), %.1f MB were here already",
        status.bytes_fetched / 1e6,
        spent,
        status.bytes_fetched / 1e6 / max(spent, 0.001),
        (status.bytes_reused + status.bytes_done - status.bytes_fetched) / 1e6,
    )


def _asset(blob: Descriptor, *, missing: bool) -> AssetProgress:
    if missing:
        return AssetProgress(blob.title, blob.digest, blob.size)
    return AssetProgress(blob.title, blob.digest, blob.size, done=blob.size, state="reused")
