"""What a source offers, and whether it would be taken: its signature, channel, version and expiry."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import anyio.to_thread

from pycontextify.errors import PyContextifyError, SnapshotRejected, UntrustedError
from pycontextify.hydration.resolve import Offer, no_such_ref, resolve
from pycontextify.hydration.sources import ArchiveSource, LayoutSource, PairSource, Source
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.trust import Trust
from pycontextify.hydration.vouch import offered_signatures, read_blob, vouched_file, vouched_manifest
from pycontextify.library.doctor.finding import Finding
from pycontextify.library.doctor.told import found, of_failure
from pycontextify.redact import one_line, redact_url
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.manifest import DOCUMENT_LIMIT, Manifest, RefTable
from pycontextify.snapshot.signature import PublicKey, parse_signature
from pycontextify.store.layout import Layout

__all__ = ["OfferReport", "files_vouched", "layout_offer"]

_SOON = timedelta(days=2)


@dataclass(slots=True)
class OfferReport:
    """What is found of an offer: which generation, how many bytes of it are not here, and a blob to ask for."""

    findings: list[Finding] = field(default_factory=list)
    generation: Digest | None = None
    needed: int | None = None
    sample: Digest | None = None


async def layout_offer(
    mirror: LayoutSource, table: RefTable, client: Client, trust: Trust, layout: Layout
) -> OfferReport:
    """Judge what a mirror offers as hydration would, and remember nothing. Raises FetchError or SnapshotRejected."""
    target = mirror.pin or (named.digest if (named := table.get(mirror.ref)) else None)
    if target is None:
        raise no_such_ref(mirror, table)
    report = OfferReport(generation=target)
    offer = Offer((target,), signatures=table.signatures_of(target))
    try:
        vouched = await vouched_manifest(mirror, offer, client, trust.keys)
    except UntrustedError as error:
        report.findings.append(of_failure(error))
        return report
    if vouched.signed_by is not None:
        what = f"{mirror.label}: generation {target.short} is signed by the trusted key {vouched.signed_by.name}"
        report.findings.append(found("signed", what))
    else:
        report.findings.append(await _signatures(mirror, target, offer, client))
    manifest = Manifest.from_bytes(vouched.content)
    content = await read_blob(mirror, manifest.config.digest, client, limit=DOCUMENT_LIMIT)
    config = SnapshotConfig.from_bytes(content)
    report.findings.append(await _judged(mirror, config, trust))
    report.needed = await anyio.to_thread.run_sync(_lacking, manifest, layout)
    # The smallest: a server that gives no ranges sends all of it.
    report.sample = min(manifest.layers, key=lambda blob: blob.size).digest if manifest.layers else None
    return report


def _lacking(manifest: Manifest, layout: Layout) -> int:
    return sum(blob.size for blob in manifest.blobs if not layout.has(blob.digest, blob.size))


async def _signatures(mirror: LayoutSource, target: Digest, offer: Offer, client: Client) -> Finding:
    """Tell who says to have signed it, where nobody checks that."""
    names: list[str] = []
    with suppress(PyContextifyError):
        for each in await offered_signatures(mirror, target, offer, client) if offer.signatures else ():
            with suppress(SnapshotRejected):
                names.append(parse_signature(each, asset=mirror.label).name)
    if not names:
        return found("unsigned", f"{mirror.label}: generation {target.short} is not signed, and need not be")
    hint = "check it: name their public keys as index_bootstrap_trusted_keys"
    what = f"{mirror.label}: generation {target.short} says that it is signed by {', '.join(names)}; nobody checks that"
    return found("signature_unchecked", what, hint, "note")


async def _judged(mirror: LayoutSource, config: SnapshotConfig, trust: Trust) -> Finding:
    try:
        await anyio.to_thread.run_sync(trust.judge, config)
    except PyContextifyError as error:
        error.asset = mirror.label
        return of_failure(error)
    told = f"{mirror.label}: version {config.version} of the channel {one_line(config.channel)} would be taken"
    if config.expires is None:
        return found("offer", f"{told}; it does not expire")
    if datetime.fromisoformat(config.expires) - trust.now() < _SOON:
        hint = "publish it again (`pycontextify publish --expires-in`)"
        return found("expires_soon", f"{told}, and expires at {config.expires}", hint, "warning")
    return found("offer", f"{told}; it expires at {config.expires}")


async def files_vouched(source: Source, client: Client, keys: Sequence[PublicKey]) -> list[Finding]:
    """Tell what says beforehand what files must be: their digests, and their signatures where those count."""
    match source:
        case ArchiveSource():
            files = [source.urls]
        case PairSource():
            files = [source.vectors_urls, source.chunks_urls]
        case _:
            return []
    findings = []
    try:
        offer = await resolve(source, client, None)
        if offer is not None and None in offer.parts[1:]:
            hint = "put the .sha256 beside it that `pycontextify publish` writes, or pin the digest"
            findings.append(
                found("digest_unknown", f"{source.label}: nothing says what digest it must have", hint, "note")
            )
        else:
            findings.append(found("digest_known", f"{source.label}: its digest is known beforehand"))
        for urls in files:
            signed = await vouched_file(urls, client, keys)
            if signed is not None:
                what = f"{redact_url(urls[0])} says that it is signed by the trusted key {signed.signature.name}"
                findings.append(found("signed", what))
    except PyContextifyError as error:
        findings.append(of_failure(error))
    return findings
