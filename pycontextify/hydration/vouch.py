"""Who vouches for what a source offers: signatures come first, and nothing that is signed is parsed before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from pycontextify.errors import FetchError, SnapshotRejected, UntrustedError, VerifyError
from pycontextify.hydration.resolve import Offer
from pycontextify.hydration.sources import LayoutSource
from pycontextify.hydration.transfer.address import beside, joined
from pycontextify.hydration.transfer.client import Client, Document
from pycontextify.hydration.transfer.transport import is_absent
from pycontextify.redact import redact_url
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.manifest import DOCUMENT_LIMIT, Descriptor, RefTable
from pycontextify.snapshot.referrer import Referrer
from pycontextify.snapshot.signature import (
    SIGNATURE_LIMIT,
    PublicKey,
    Signature,
    check_document,
    check_file,
    check_trusted,
    parse_signature,
)

__all__ = [
    "VouchedFile",
    "VouchedManifest",
    "blob_url",
    "offered_signatures",
    "read_blob",
    "vouched_file",
    "vouched_manifest",
]

_MOST_SIGNATURES = 8


@dataclass(frozen=True, slots=True)
class VouchedManifest:
    """The bytes of a manifest, and where signatures are asked for, the one that is right and whose it is."""

    content: bytes
    signature: bytes | None = None
    signed_by: PublicKey | None = None


async def vouched_manifest(
    source: LayoutSource, offer: Offer, client: Client, keys: Sequence[PublicKey]
) -> VouchedManifest:
    """Fetch the manifest that is offered; with ``keys``, its signatures before it.

    Raises FetchError, or VerifyError: UntrustedError when none of ``keys`` has signed it.
    """
    generation = offer.parts[0]
    if generation is None:
        raise AssertionError("a layout always tells what it offers")
    if not keys:
        return VouchedManifest(await read_blob(source, generation, client, limit=DOCUMENT_LIMIT))
    found = await offered_signatures(source, generation, offer, client)
    failure = _unsigned(source.label)
    if found:
        content = await read_blob(source, generation, client, limit=DOCUMENT_LIMIT)
    for each in found:
        try:
            signature = parse_signature(each, asset=source.label)
            return VouchedManifest(content, each, check_document(signature, keys, content, asset=source.label))
        except UntrustedError as error:
            failure = error
    raise failure


async def offered_signatures(source: LayoutSource, generation: Digest, offer: Offer, client: Client) -> list[bytes]:
    """Return the signature files that the layout lists for a manifest; those that can't be had are passed over.

    Raises FetchError, or UntrustedError when it lists some, and none can be had.
    """
    found: list[bytes] = []
    failure: SnapshotRejected | FetchError | None = None
    for target in islice(await _listed(source, generation, offer, client), _MOST_SIGNATURES):
        try:
            found += await _referred(source, generation, target.digest, client)
        except (SnapshotRejected, FetchError) as error:
            if isinstance(error, FetchError) and not is_absent(error):
                raise
            failure = error
    if failure is not None and not found:
        raise UntrustedError(
            f"its signature can't be had: {failure.what}",
            code="signature_invalid",
            asset=source.label,
            hint="publish it again with --sign",
        ) from failure
    return found


async def _listed(source: LayoutSource, generation: Digest, offer: Offer, client: Client) -> tuple[Descriptor, ...]:
    if source.pin is None:
        return offer.signatures
    # Nobody has looked at index.json yet.
    urls = [joined(url, "index.json") for url in source.telling]
    table = await client.read(urls, lambda document: RefTable.from_bytes(document.content or b""), limit=DOCUMENT_LIMIT)
    return table.signatures_of(generation)


async def _referred(source: LayoutSource, generation: Digest, referrer: Digest, client: Client) -> list[bytes]:
    """Return the signature files that the manifest of a signature lists, if it is one of this generation."""
    found = Referrer.from_bytes(await read_blob(source, referrer, client, limit=DOCUMENT_LIMIT))
    layers = found.layers if found.subject == generation else ()
    return [await read_blob(source, each.digest, client, limit=SIGNATURE_LIMIT) for each in layers]


async def read_blob(source: LayoutSource, digest: Digest, client: Client, *, limit: int) -> bytes:
    """Fetch a small blob. Raises FetchError, or VerifyError when it has other bytes on every mirror."""

    def accept(document: Document) -> bytes:
        content = document.content or b""
        if digest_of(content) != digest:
            raise VerifyError(
                f"it has SHA-256 {digest_of(content).short}…, expected {digest.short}…",
                code="digest_mismatch",
                asset=document.seen.url,
                hint="publish it again",
            )
        return content

    return await client.read([blob_url(url, digest) for url in source.urls], accept, limit=limit)


def blob_url(base: str, digest: Digest) -> str:
    """Return where a layout's blob is."""
    return joined(base, f"blobs/sha256/{digest.hex}")


@dataclass(slots=True)
class VouchedFile:
    """A file's signature, by one of ``keys`` as it says, to be held against the file once that has come.

    ``signed_by`` is the key that has signed it, once `check` has passed.
    """

    asset: str
    keys: Sequence[PublicKey]
    signature: Signature
    signed_by: PublicKey | None = None

    def check(self, prehashed: bytes) -> None:
        """Raise UntrustedError unless the signature is right for a file with this BLAKE2b-512. Blocks."""
        self.signed_by = check_file(self.signature, self.keys, prehashed, asset=self.asset)


async def vouched_file(urls: Sequence[str], client: Client, keys: Sequence[PublicKey]) -> VouchedFile | None:
    """Fetch the ``.minisig`` beside a file; None when nobody needs to vouch for it.

    Raises FetchError, or UntrustedError when there is none, or none by ``keys``.
    """
    if not keys:
        return None
    label = redact_url(urls[0])

    def accept(document: Document) -> VouchedFile:
        signature = parse_signature(document.content or b"", asset=document.seen.url)
        check_trusted(signature, keys, asset=document.seen.url)
        return VouchedFile(label, keys, signature)

    try:
        return await client.read([beside(url, ".minisig") for url in urls], accept, limit=SIGNATURE_LIMIT)
    except FetchError as error:
        if is_absent(error) or error.code == "http_403":
            raise _unsigned(label) from error
        raise


def _unsigned(asset: str) -> UntrustedError:
    return UntrustedError(
        "it is not signed, and only what is signed is taken here",
        code="signature_missing",
        asset=asset,
        hint="sign it (`pycontextify publish --sign`), or remove index_bootstrap_trusted_keys",
    )
