"""Bringing an index up to date with a tree: what is new is embedded, what is gone is marked deleted, the rest stays.

Whether a file has changed is decided by the hash of its content, never by its time. The new generation is validated
where it is staged; only then do its blobs get their names, and last of all ``current`` moves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pycontextify.encoder.protocol import Encoder, paths_of
from pycontextify.errors import IngestError
from pycontextify.index.assemble import Entry, carried_entries, should_merge, stage_bytes, stage_segment
from pycontextify.index.segment import Segment, pack_deleted
from pycontextify.index.validate import validate
from pycontextify.index.view import View
from pycontextify.ingest.base import Base, open_base
from pycontextify.ingest.chunk import CHUNKER_VERSION, passage
from pycontextify.ingest.encode import embed_chunks
from pycontextify.ingest.kept import KeptVectors, keeping
from pycontextify.ingest.probes import choose_probes
from pycontextify.ingest.report import IndexProgress, IndexReport, IndexRequest, OnProgress
from pycontextify.ingest.scan import Known, Scan, scan_tree
from pycontextify.ingest.trees import check_label, remember_label
from pycontextify.snapshot.config import DEFAULT_CHANNEL, SegmentInfo, SnapshotConfig, rfc3339
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.manifest import build_manifest
from pycontextify.snapshot.origin import BASE
from pycontextify.snapshot.pair import segment_meta
from pycontextify.store.copies import add_copy
from pycontextify.store.layout import Layout
from pycontextify.store.prune import prune

__all__ = ["update_index"]

_LOCK_SECONDS = 600.0
_NAME = "index"
_UNSAVED = "unsaved"
"""The ref that keeps a generation which is served, but was not to become the current one."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What one run works with."""

    layout: Layout
    request: IndexRequest
    encoder: Encoder
    staging: Path
    kept: KeptVectors
    moment: datetime
    on_progress: OnProgress


@dataclass(frozen=True, slots=True)
class _Draft:
    """The generation to be, and where those of its blobs lie that are not stored yet."""

    config: SnapshotConfig
    files: Mapping[Digest, Path]
    chunks: int


def update_index(
    layout: Layout,
    request: IndexRequest,
    encoder: Encoder,
    *,
    on_progress: OnProgress,
    now: Callable[[], datetime],
) -> IndexReport:
    """Bring a tree of an index up to date and activate the new generation. Blocks, for as long as embedding takes.

    Raises IngestError (wrong root, label, version or encoder), NotReadyError (the encoder fails) or StoreError; the
    index is then as it was, and what was embedded so far is kept for the next run.
    """
    began = time.monotonic()
    layout.create()
    with (
        layout.lock(timeout=_LOCK_SECONDS),
        layout.staging() as staging,
        open_base(layout, request) as base,
    ):
        check_label(layout.trees, request.tree, request.root.resolve())
        base.check_encoder(encoder)
        known = base.known(request.tree)
        scan = scan_tree(request, known, on_progress)
        gone = {path: document for path, document in known.items() if path not in scan.kept}
        if scan.fresh or gone:
            with keeping(layout, encoder.info) as kept:
                run = _Run(layout, request, encoder, staging, kept, now(), on_progress)
                draft = _draft(run, base, scan, gone)
                config, chunks, generation = draft.config, draft.chunks, _commit(run, draft, base.notes)
        elif base.config is not None and base.generation is not None:
            config, generation = base.config, base.generation
            chunks = sum(segment.live_rows for segment in base.segments)
        else:
            raise _nothing_found(request, scan)
    return _report(config, generation, scan, gone, chunks=chunks, seconds=time.monotonic() - began)


def _draft(run: _Run, base: Base, scan: Scan, gone: Mapping[str, Known]) -> _Draft:
    """Embed what is fresh, stage the blobs of the new generation, choose its probes and validate it."""
    entries = _embed(run, scan)
    run.on_progress(IndexProgress("writing", 0, 0))
    config = SnapshotConfig(
        name=run.request.name or (base.config.name if base.config else _NAME),
        version=base.next_version(run.request.version, run.moment),
        created=rfc3339(run.moment),
        encoder=run.encoder.info,
        segments=(),
        channel=base.config.channel if base.config else DEFAULT_CHANNEL,
    )
    segments, files = _stage(run, base, config, entries, gone)
    config = replace(config, segments=segments)

    def blob(digest: Digest) -> Path:
        return files.get(digest, run.layout.blob_path(digest))

    view = View.open(_no_generation(config), config, blob, run.encoder)
    try:
        validate(view, base.config)
        return _Draft(replace(config, probes=choose_probes(view)), files, view.chunks)
    finally:
        view.close()


def _embed(run: _Run, scan: Scan) -> list[Entry]:
    passages = [passage(document.path, chunk) for document, chunks in scan.fresh for chunk in chunks]

    def embedded(done: int, total: int) -> None:
        run.on_progress(IndexProgress("embedding", done, total))

    vectors = embed_chunks(run.encoder, passages, embedded, kept=run.kept)
    entries, row = [], 0
    for document, chunks in scan.fresh:
        entries.append(Entry(document, chunks, vectors[row : row + len(chunks)]))
        row += len(chunks)
    return entries


def _stage(
    run: _Run, base: Base, config: SnapshotConfig, entries: list[Entry], gone: Mapping[str, Known]
) -> tuple[tuple[SegmentInfo, ...], dict[Digest, Path]]:
    """Write what is new: into a segment of its own beside the old ones, or everything together into one."""
    rows_gone = [_rows_gone(number, segment, gone) for number, segment in enumerate(base.segments)]
    added = sum(len(entry.chunks) for entry in entries)
    rows = [segment.info.rows for segment in base.segments]
    kept: list[SegmentInfo] = []
    files: dict[Digest, Path] = {}
    if should_merge(rows, [len(dead) for dead in rows_gone], added=added):
        carried = [
            entry
            for segment, dead in zip(base.segments, rows_gone, strict=True)
            for entry in carried_entries(segment, dead)
        ]
        entries = [*carried, *entries]
    else:
        for number, (segment, dead) in enumerate(zip(base.segments, rows_gone, strict=True)):
            lost = sum(document.segment == number for document in gone.values())
            if len(dead) < segment.info.rows:
                kept.append(_without(segment.info, dead, lost, run.staging, files))
    if entries or not kept:
        written = sum(len(entry.chunks) for entry in entries)
        meta = segment_meta(config, rows=written, documents=len(entries), chunker=CHUNKER_VERSION)
        staged = stage_segment(run.staging, entries, meta, config.encoder.dimension)
        kept.append(staged.info)
        files |= staged.files
    return tuple(kept), files


def _rows_gone(number: int, segment: Segment, gone: Mapping[str, Known]) -> set[int]:
    """Return the rows of a segment that count for nothing from now on."""
    dead = set() if segment.deleted is None else set(segment.deleted.nonzero()[0].tolist())
    for document in gone.values():
        if document.segment == number:
            first = document.stored.first_row
            dead.update(range(first, first + document.stored.row_count))
    return dead


def _without(
    info: SegmentInfo, dead: set[int], lost_documents: int, staging: Path, files: dict[Digest, Path]
) -> SegmentInfo:
    """Return a segment's description with these rows deleted; its blob is added to ``files``."""
    if not lost_documents:
        return info
    digest, path = stage_bytes(staging, pack_deleted(dead))
    files[digest] = path
    return replace(info, deleted=digest, documents=info.documents - lost_documents)


def _no_generation(config: SnapshotConfig) -> Digest:
    """Return a name for a generation that has no manifest yet."""
    return digest_of(config.to_bytes())


def _commit(run: _Run, draft: _Draft, notes: Mapping[str, str]) -> Digest:
    """Give the blobs their names, then the generation: what is served changes with the last step.

    ``notes`` say what hydrated generation it is laid over, if any.
    """
    layout, config = run.layout, draft.config
    with layout.leases.holding(config.blobs):  # for where locks do not work, see `pycontextify.store.leases`
        for digest, path in draft.files.items():
            layout.add_file(path, digest)
        for name, digest in config.encoder.files.items():
            if not layout.blob_path(digest).exists():
                add_copy(layout, paths_of(run.encoder)[name])
        over = {BASE: notes[BASE]} if BASE in notes else {}
        manifest, content = build_manifest(config, {digest: layout.size_of(digest) for digest in config.blobs}, over)
        documents = [digest_of(content), digest_of(manifest)]
        with layout.leases.holding(documents):
            layout.add_bytes(content)
            generation = layout.add_bytes(manifest)
            _make_current(run, generation, len(manifest), notes)
    remember_label(layout.trees, run.request.tree, run.request.root.resolve())
    prune(layout)
    return generation


def _make_current(run: _Run, generation: Digest, size: int, notes: Mapping[str, str]) -> None:
    layout = run.layout
    if run.request.activate:
        layout.activate(generation, notes)
        layout.write_refs(layout.refs().without([_UNSAVED]))
    else:
        layout.write_refs(layout.refs().point(_UNSAVED, generation, size, notes))


def _nothing_found(request: IndexRequest, scan: Scan) -> IngestError:
    why = f"; {len(scan.skipped)} files were skipped, {scan.ignored} ignored" if scan.skipped or scan.ignored else ""
    return IngestError(
        f"there is nothing in it to index{why}",
        code="nothing_found",
        asset=str(request.root),
        hint="check the path, and what `pycontextify index --dry-run` says of it",
    )


def _report(
    config: SnapshotConfig, generation: Digest, scan: Scan, gone: Mapping[str, Known], *, chunks: int, seconds: float
) -> IndexReport:
    fresh = {document.path for document, _ in scan.fresh}
    return IndexReport(
        generation=generation,
        version=config.version,
        changed=bool(fresh or gone),
        documents=sum(segment.documents for segment in config.segments),
        chunks=chunks,
        added=len(fresh - gone.keys()),
        updated=len(fresh & gone.keys()),
        unchanged=len(scan.kept),
        removed=len(gone.keys() - fresh),
        ignored=scan.ignored,
        skipped=scan.skipped,
        seconds=round(seconds, 3),
    )
