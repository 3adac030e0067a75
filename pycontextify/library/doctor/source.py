"""The source, as hydration would meet it: every mirror, and what would be taken. Nothing is downloaded or remembered.

All requests go the way of hydration's own: the same logins, certificates, proxies and redaction.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import anyio.to_thread

from pycontextify.errors import FetchError, PyContextifyError, StoreError
from pycontextify.hydration.sources import ArchiveSource, LayoutSource, PairSource, Source
from pycontextify.hydration.transfer.address import joined
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.connect import Patience, open_access, open_client, over
from pycontextify.hydration.transfer.fetch import Access, Timeouts
from pycontextify.hydration.transfer.mirrors import Mirrors
from pycontextify.hydration.transfer.probe import Look, gives_ranges, look, reach
from pycontextify.hydration.transfer.retry import RetryPolicy
from pycontextify.hydration.transfer.transport import Transport
from pycontextify.hydration.vouch import blob_url
from pycontextify.hydration.workers import Workers
from pycontextify.library.doctor.finding import Finding
from pycontextify.library.doctor.offer import files_vouched, layout_offer
from pycontextify.library.doctor.told import found as found_of
from pycontextify.library.doctor.told import of_failure, of_look, of_ranges, of_reach
from pycontextify.library.hydrating import keys_of, trust_of
from pycontextify.library.source import configured_source
from pycontextify.library.workspace import Workspace
from pycontextify.redact import redact_url
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.manifest import DOCUMENT_LIMIT, RefTable

__all__ = ["SourceReport", "examine_source"]

_STEP_SECONDS = 5.0
_PATIENCE = Patience(policy=RetryPolicy(attempts=1), timeouts=Timeouts(connect=5.0, reply=10.0, read=10.0))


@dataclass(slots=True)
class SourceReport:
    """What is found of a source. ``needed`` is how many bytes of it are not here yet, None where nobody can tell."""

    findings: list[Finding] = field(default_factory=list)
    needed: int | None = None


@dataclass(frozen=True, slots=True)
class _Way:
    """What every mirror is asked with."""

    workspace: Workspace
    access: Access
    transport: Transport
    client: Client


async def examine_source(workspace: Workspace) -> SourceReport:
    """Ask every mirror of the configured source."""
    report, source = SourceReport(), configured_source(workspace.settings)
    if source is None:
        hint = "name a published index with --index-bootstrap-url, or index what is here"
        report.findings.append(Finding("no_source", "no source is configured", hint, area="source", level="note"))
        return report
    async with AsyncExitStack() as stack:
        workers = stack.enter_context(Workers())
        keys = keys_of(workspace.settings)
        try:
            access = await open_access(keys, workers)
        except PyContextifyError as error:
            report.findings.append(of_failure(error))
            return report
        transport = await stack.enter_async_context(over(access, workers, timeouts=_PATIENCE.timeouts))
        client = await stack.enter_async_context(
            open_client(workers, Mirrors(time.monotonic), on_retry=lambda _: None, keys=keys, patience=_PATIENCE)
        )
        await _examine(source, _Way(workspace, access, transport, client), report)
    return report


async def _examine(source: Source, way: _Way, report: SourceReport) -> None:
    match source:
        case LayoutSource():
            await _examine_layout(source, way, report)
        case ArchiveSource():
            await _examine_files([source.urls], source, way, report)
        case PairSource():
            await _examine_files([source.vectors_urls, source.chunks_urls], source, way, report)


async def _examine_layout(source: LayoutSource, way: _Way, report: SourceReport) -> None:
    several: list[list[Finding]] = []
    offered: dict[Digest, str] = {}
    for url in source.urls:
        found, reached = await _way_to(url, way)
        if reached:
            found += await _layout_mirror(replace(source, urls=(url,)), way, report, offered)
        several.append(found)
    report.findings += _weighed(several)
    if len(offered) > 1:
        what = ", ".join(f"{asset} has {generation.short}" for generation, asset in offered.items())
        hint = "publish to all of them; the newest that can be had is taken"
        report.findings.append(found_of("mirrors_differ", f"the mirrors differ: {what}", hint, "warning"))
    if way.workspace.settings.index_bootstrap_mode != "follow":
        report.findings += await anyio.to_thread.run_sync(_left_alone, offered, way.workspace)


def _left_alone(offered: Collection[Digest], workspace: Workspace) -> list[Finding]:
    """Tell where the index that is here is not the source's, and will not become it."""
    try:
        here = workspace.layout.current()
    except StoreError:  # who looks at the index tells that
        return []
    if not offered or here is None or here in offered:
        return []
    what = f"generation {here.short}, which is here, is not what the source has, and is left as it is"
    hint = "`pycontextify hydrate` takes the source's now, --index-bootstrap-mode follow whenever it changes"
    return [found_of("source_not_followed", what, hint, "note")]


async def _way_to(url: str, way: _Way) -> tuple[list[Finding], bool]:
    """Tell of the way to a mirror, and whether it leads there."""
    if _is_file(url):
        return [], True
    try:
        reached = await reach(url, way.access, step_seconds=_STEP_SECONDS)
    except FetchError as error:
        return [of_failure(error)], False
    return list(of_reach(redact_url(url), reached, time.time())), True


async def _layout_mirror(
    mirror: LayoutSource, way: _Way, report: SourceReport, offered: dict[Digest, str]
) -> list[Finding]:
    url, findings = mirror.urls[0], list[Finding]()
    asked = joined(url, "index.json") if mirror.pin is None else blob_url(url, mirror.pin)
    try:
        seen = await look(way.transport, asked, limit=DOCUMENT_LIMIT, clock=time.time)
        findings += of_look(redact_url(asked), seen, remote=not _is_file(url))
        table = RefTable.from_bytes(seen.content) if mirror.pin is None else RefTable()
        offer = await layout_offer(
            mirror, table, way.client, trust_of(way.workspace.layout, way.workspace.settings), way.workspace.layout
        )
        findings += offer.findings
        if offer.generation is not None:
            offered.setdefault(offer.generation, redact_url(url))
        if report.needed is None:
            report.needed = offer.needed
        if offer.sample is not None and not _is_file(url):
            blob = blob_url(url, offer.sample)
            ranges, _ = await gives_ranges(way.transport, blob, time.time)
            findings.append(of_ranges(redact_url(url), ranges=ranges, known=True))
    except PyContextifyError as error:
        error.asset = error.asset or asked
        findings.append(of_failure(error))
    return findings


async def _examine_files(files: Sequence[tuple[str, ...]], source: Source, way: _Way, report: SourceReport) -> None:
    sizes: list[int | None] = []
    for urls in files:
        several: list[list[Finding]] = []
        seen: list[Look] = []
        for url in urls:
            found, reached = await _way_to(url, way)
            several.append(found + (await _file_mirror(url, way, seen, known=_is_pinned(source)) if reached else []))
        report.findings += _weighed(several)
        sizes.append(seen[0].size if seen else None)
        if not seen:
            return
    report.needed = None if None in sizes else sum(size or 0 for size in sizes)
    report.findings += await files_vouched(source, way.client, way.workspace.settings.index_bootstrap_trusted_keys)


async def _file_mirror(url: str, way: _Way, seen: list[Look], *, known: bool) -> list[Finding]:
    """Ask for one file; what is seen of it is added to ``seen``."""
    try:
        ranges, looked = await gives_ranges(way.transport, url, time.time)
    except PyContextifyError as error:
        return [of_failure(error)]
    seen.append(looked)
    findings = of_look(redact_url(url), looked, remote=not _is_file(url))
    if not _is_file(url):
        findings.append(of_ranges(redact_url(url), ranges=ranges, known=known or looked.etag == "strong"))
    return findings


def _is_pinned(source: Source) -> bool:
    match source:
        case PairSource():
            return source.vectors_pin is not None and source.chunks_pin is not None
        case _:
            return source.pin is not None


def _is_file(url: str) -> bool:
    return urlsplit(url).scheme.lower() == "file"


def _has_problem(findings: Sequence[Finding]) -> bool:
    return any(finding.level == "problem" for finding in findings)


def _weighed(several: Sequence[Sequence[Finding]]) -> Iterator[Finding]:
    """Yield what was found of each mirror: where one will do, what fails with another is but a warning."""
    one_works = any(not _has_problem(each) for each in several)
    for each in several:
        for finding in each:
            yield replace(finding, level="warning") if one_works and finding.level == "problem" else finding
