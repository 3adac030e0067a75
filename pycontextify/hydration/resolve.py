"""What a source has now, found out with as little as one small request and no write to the disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pycontextify.errors import FetchError, PermanentFetchError
from pycontextify.hydration.sources import ArchiveSource, LayoutSource, PairSource, Source
from pycontextify.hydration.transfer.address import beside, joined
from pycontextify.hydration.transfer.client import Client, Document, Seen
from pycontextify.hydration.transfer.transport import Validators, is_absent
from pycontextify.redact import redact_url
from pycontextify.snapshot import origin
from pycontextify.snapshot.digest import Digest, digest_of, parse_sidecar
from pycontextify.snapshot.manifest import Descriptor, RefTable

__all__ = ["DOCUMENT_LIMIT", "Offer", "is_made_of", "notes_of", "offered_pair", "resolve"]

DOCUMENT_LIMIT = 4 << 20
_SIDECAR_LIMIT = 4 << 10


@dataclass(frozen=True, slots=True)
class Offer:
    """What a source has: the digests of its parts (a manifest; an archive; vectors and chunks), None where not told.

    ``notes`` are what to remember of where that was learned, as annotations of the local ref.
    """

    parts: tuple[Digest | None, ...]
    notes: Mapping[str, str] = field(default_factory=dict)


async def resolve(source: Source, client: Client, current: Descriptor | None) -> Offer | None:
    """Ask what the source has; None when that is what ``current`` was made of.

    Raises FetchError or SnapshotRejected.
    """
    match source:
        case LayoutSource():
            return await _layout(source, client, current)
        case ArchiveSource():
            return await _archive(source, client, current)
        case PairSource():
            return await _pair(source, client, current)


def notes_of(seen: Seen | None, digest: Digest | None = None) -> dict[str, str]:
    """Return the annotations that say where a generation came from."""
    told = {
        origin.DIGEST: digest,
        origin.URL: seen.url if seen else None,
        origin.ETAG: seen.validators.etag if seen else None,
        origin.MODIFIED: seen.validators.modified if seen else None,
    }
    return {name: value for name, value in told.items() if value}


def is_made_of(current: Descriptor, offer: Offer) -> bool:
    """Tell whether a generation is what is offered."""
    match offer.parts:
        case (Digest() as whole,):
            return origin.base_of(current) == whole or _made_of(current, whole)
        case (Digest() as vectors, Digest() as chunks):
            return _made_of(current, offered_pair(vectors, chunks))
    return False


def offered_pair(vectors: Digest, chunks: Digest) -> Digest:
    """Return one digest for a pair of files."""
    return digest_of(f"{vectors} {chunks}".encode())


def _seen_of(current: Descriptor | None) -> Seen | None:
    """Return where a generation came from and how that was called; None when nothing is remembered."""
    notes = current.annotations if current else {}
    seen = Seen(notes.get(origin.URL, ""), Validators(notes.get(origin.ETAG), notes.get(origin.MODIFIED)))
    return seen if seen.url and seen.validators else None


async def _layout(source: LayoutSource, client: Client, current: Descriptor | None) -> Offer | None:
    if source.pin is not None:
        pinned = Offer((source.pin,), {origin.URL: source.label})
        return None if current is not None and is_made_of(current, pinned) else pinned

    def accept(document: Document) -> Offer | None:
        if document.content is None:
            return None
        target = RefTable.from_bytes(document.content).get(source.ref)
        if target is None:
            raise _no_such_ref(source, document)
        seen = Seen(f"{document.seen.url}#{source.ref}", document.seen.validators)
        return Offer((target.digest,), notes_of(seen))

    seen = _seen_of(current)
    unless = None
    if seen is not None and seen.url.endswith(f"#{source.ref}"):
        unless = Seen(seen.url.removesuffix(f"#{source.ref}"), seen.validators)
    urls = [joined(url, "index.json") for url in source.urls]
    offer = await client.read(urls, accept, limit=DOCUMENT_LIMIT, unless=unless)
    return None if offer is None or (current is not None and is_made_of(current, offer)) else offer


def _no_such_ref(source: LayoutSource, document: Document) -> PermanentFetchError:
    refs = RefTable.from_bytes(document.content or b"").refs
    return PermanentFetchError(
        f"it has no ref {source.ref!r} (it has: {', '.join(sorted(refs)) or 'none'})",
        code="ref_missing",
        asset=source.label,
        hint="publish there, or name one of its refs after a # in the address",
    )


async def _archive(source: ArchiveSource, client: Client, current: Descriptor | None) -> Offer | None:
    if source.pin is None and await _unchanged(source.urls, client, current):
        return None
    digest = source.pin or await _sidecar(source.urls, client)
    return None if _made_of(current, digest) else Offer((digest,))


async def _pair(source: PairSource, client: Client, current: Descriptor | None) -> Offer | None:
    vectors = source.vectors_pin or await _sidecar(source.vectors_urls, client)
    chunks = source.chunks_pin or await _sidecar(source.chunks_urls, client)
    if vectors and chunks and _made_of(current, offered_pair(vectors, chunks)):
        return None
    return Offer((vectors, chunks))


def _made_of(current: Descriptor | None, digest: Digest | None) -> bool:
    return current is not None and digest is not None and current.annotations.get(origin.DIGEST) == digest


async def _unchanged(urls: tuple[str, ...], client: Client, current: Descriptor | None) -> bool:
    """Ask for an archive that has no .sha256 beside it, if it is still the one that ``current`` was made of."""
    seen = _seen_of(current)
    if seen is None or seen.url not in map(redact_url, urls):
        return False
    return await client.is_unmodified([url for url in urls if redact_url(url) == seen.url], seen)


async def _sidecar(urls: tuple[str, ...], client: Client) -> Digest | None:
    """Return what the .sha256 file beside an asset says; None where there is none."""

    def accept(document: Document) -> Digest:
        return parse_sidecar((document.content or b"").decode("utf-8", "replace"), asset=document.seen.url)

    try:
        return await client.read([beside(url, ".sha256") for url in urls], accept, limit=_SIDECAR_LIMIT)
    except FetchError as error:
        if is_absent(error) or error.code == "http_403":  # what S3 answers for a missing key, unless one may list them
            return None
        raise
