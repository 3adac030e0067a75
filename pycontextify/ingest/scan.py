"""Scanning a tree: which files are as the index has them, which must be chunked and embedded, which are gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pycontextify.index.chunks import StoredDocument
from pycontextify.index.model import Chunk, Document
from pycontextify.ingest.chunk import chunk_document
from pycontextify.ingest.crawl import Found, Skipped, crawl
from pycontextify.ingest.load import Unreadable, load
from pycontextify.ingest.report import IndexProgress, IndexRequest, OnProgress, SkippedFile

__all__ = ["Known", "Scan", "scan_tree"]


@dataclass(frozen=True, slots=True)
class Known:
    """A document that the index has: in which segment, and whether today's rules would cut it into the same chunks."""

    segment: int
    stored: StoredDocument
    same_rules: bool


@dataclass(frozen=True, slots=True)
class Scan:
    """What a tree holds compared with the index. ``fresh`` must be embedded; paths in ``kept`` stay as they are."""

    fresh: tuple[tuple[Document, tuple[Chunk, ...]], ...]
    kept: frozenset[str]
    skipped: tuple[SkippedFile, ...]
    ignored: int


def scan_tree(request: IndexRequest, known: Mapping[str, Known], on_progress: OnProgress) -> Scan:
    """Compare a tree with the documents that the index has of it, by path.

    Raises IngestError when the root is not there.
    """
    fresh: list[tuple[Document, tuple[Chunk, ...]]] = []
    kept: set[str] = set()
    skipped: list[SkippedFile] = []
    ignored = 0
    for seen, entry in enumerate(crawl(request.root, request.rules), start=1):
        on_progress(IndexProgress("scanning", seen, 0))
        if isinstance(entry, Skipped):
            if entry.ignored:
                ignored += 1
            else:
                skipped.append(SkippedFile(entry.relative, entry.reason))
            continue
        try:
            judged = _judge(entry, request, known.get(entry.relative))
        except Unreadable as error:
            skipped.append(SkippedFile(entry.relative, error.reason))
            continue
        if judged is None:
            kept.add(entry.relative)
        else:
            fresh.append(judged)
    return Scan(tuple(fresh), frozenset(kept), tuple(skipped), ignored)


def _judge(found: Found, request: IndexRequest, known: Known | None) -> tuple[Document, tuple[Chunk, ...]] | None:
    """Return a file's document and chunks; None when the index has it as it is.

    Raises Unreadable when the file can't be read, or has nothing in it to find.
    """
    loaded = load(found.path, found.relative, found.size)
    document = Document(
        path=found.relative,
        tree=request.tree,
        language=loaded.language,
        content_hash=loaded.content_hash,
        size=loaded.size,
        tags=tuple(sorted(set(request.tags))),
    )
    if known is not None and known.same_rules and known.stored.document == document:
        return None
    chunks = chunk_document(loaded)
    if not chunks:
        raise Unreadable("it has no text")
    return document, tuple(chunks)
