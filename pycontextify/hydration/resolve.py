"""What a source has now, found out with as little as one small request and no write to the disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pycontextify.errors import FetchError, PermanentFetchError
from pycontextify.hydration.sources import ArchiveSource, LayoutSource, PairSource, Source
from pycontextify.hydration.transfer.address import beside, joined
from pycontextify.hydration.transfer.client import Client, Document, Seen
from pycontextify.hydration.transfer.transport import Validators, is_absent
from pycontextify.snapshot import origin
from pycontextify.snapshot.digest import Digest, digest_of, parse_sidecar
from pycontextify.snapshot.manifest import DOCUMENT_LIMIT, Descriptor, RefTable

__all__ = ["Offer", "is_made_of", "no_such_ref", "notes_of", "offered_pair", "resolve"]

_SIDECAR_LIMIT = 4 << 10
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Offer:
    """What a source has. The first part names it all: a manifest, or what an archive or a pair comes to. The others are
    the digests of the files to fetch. None: not told beforehand.

    ``notes`` are what to remember of where that was learned, as annotations of the local ref. ``signatures`` are where
    those of a layout's manifest may be.
    """

    parts: tuple[Digest | None, ...]
    notes: Mapping[str, str] = field(default_factory=dict)
    signatures: tuple[Descriptor, ...] = ()


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


def notes_of(seen: Sequence[Seen], digest: Digest | None = None) -> dict[str, str]:
    """Return the annotations that say where a generation came from; there is always one."""
    told = [[each.url, each.validators.etag, each.validators.modified] for each in seen]
    made_of = {} if digest is None else {origin.DIGEST: str(digest)}
    return {origin.SEEN: json.dumps(told), **made_of}


def is_made_of(current: Descriptor, offer: Offer) -> bool:
    """Tell whether a generation is what is offered, or was laid over that."""
    whole = offer.parts[0]
    return whole is not None and whole in (origin.base_of(current), current.annotations.get(origin.DIGEST))


def offered_archive(archive: Digest, name: str) -> Digest:
    """Return one digest for what an archive holds under an index's name."""
    return digest_of(f"{archive} {name}".encode())


def offered_pair(vectors: Digest, chunks: Digest) -> Digest:
    """Return one digest for a pair of files."""
    return digest_of(f"{vectors} {chunks}".encode())


def _seen_of(current: Descriptor | None) -> list[Seen]:
    """Return where a generation came from, as `notes_of` wrote it; nothing where that is not known."""
    try:
        told = json.loads(current.annotations[origin.SEEN]) if current else []
        return [Seen(url, Validators(etag, modified)) for url, etag, modified in told if isinstance(url, str)]
    except (KeyError, ValueError, TypeError):
        return []


async def _layout(source: LayoutSource, client: Client, current: Descriptor | None) -> Offer | None:
    if source.pin is not None:
        pinned = Offer((source.pin,), notes_of([Seen(source.label, Validators())]))
        return None if current is not None and is_made_of(current, pinned) else pinned
    suffix = f"#{source.ref}"

    def accept(document: Document) -> Offer | None:
        if document.content is None:
            return None
        table = RefTable.from_bytes(document.content)
        target = table.get(source.ref)
        if target is None:
            raise no_such_ref(source, table)
        seen = notes_of([replace(document.seen, url=document.seen.url + suffix)])
        return Offer((target.digest,), seen, table.signatures_of(target.digest))

    known = [
        replace(each, url=each.url.removesuffix(suffix)) for each in _seen_of(current) if each.url.endswith(suffix)
    ]
    urls = [joined(url, "index.json") for url in source.telling]
    unless = next((each for each in known if each.validators), None)
    offer = await client.read(urls, accept, limit=DOCUMENT_LIMIT, unless=unless)
    return None if offer is None or (current is not None and is_made_of(current, offer)) else offer


def no_such_ref(source: LayoutSource, table: RefTable) -> PermanentFetchError:
    """Return the error of a layout that lacks the ref that is asked for."""
    names = sorted(table.refs)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return PermanentFetchError(
        f"it has no ref {source.ref!r} (it has: {', '.join(names[:_NAMED]) or 'none'}{more})",
        code="ref_missing",
        asset=source.label,
        hint="publish there, or name one of its refs after a # in the address",
    )


async def _archive(source: ArchiveSource, client: Client, current: Descriptor | None) -> Offer | None:
    if source.pin is None and await _unchanged([source.urls], source.name, client, current):
        return None
    digest = source.pin or await _sidecar(source.urls, client)
    offer = Offer((None if digest is None else offered_archive(digest, source.name), digest))
    return None if current is not None and is_made_of(current, offer) else offer


async def _pair(source: PairSource, client: Client, current: Descriptor | None) -> Offer | None:
    if await _unchanged([source.vectors_urls, source.chunks_urls], "", client, current):
        return None
    vectors = source.vectors_pin or await _sidecar(source.vectors_urls, client)
    chunks = source.chunks_pin or await _sidecar(source.chunks_urls, client)
    whole = offered_pair(vectors, chunks) if vectors and chunks else None
    offer = Offer((whole, vectors, chunks))
    return None if current is not None and is_made_of(current, offer) else offer


async def _unchanged(files: Sequence[tuple[str, ...]], name: str, client: Client, current: Descriptor | None) -> bool:
    """Ask for files that had no .sha256 beside them, if they still are what ``current`` was made of."""
    seen = [each for each in _seen_of(current) if each.validators]
    if len(seen) != len(files):
        return False
    for urls, each in zip(files, seen, strict=True):
        if not each.url.endswith(f"#{name}"):
            return False
        if not await client.is_unmodified(urls, replace(each, url=each.url.removesuffix(f"#{name}"))):
            return False
    return True


async def _sidecar(urls: tuple[str, ...], client: Client) -> Digest | None:
    """Return what the .sha256 file beside an asset says; None where some mirror answers that there is none."""

    def accept(document: Document) -> Digest:
        return parse_sidecar((document.content or b"").decode("utf-8", "replace"), asset=document.seen.url)

    absent, failure = False, None
    for url in urls:
        try:
            return await client.read([beside(url, ".sha256")], accept, limit=_SIDECAR_LIMIT)
        except FetchError as error:
            # 403 is what S3 answers for a missing key, unless one may list them.
            absent = absent or is_absent(error) or error.code == "http_403"
            failure = error
    if failure is None or absent:
        return None
    raise failure
