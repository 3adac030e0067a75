"""Writing segments, and the pure rules for which old ones to carry on with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pycontextify.errors import StoreError
from pycontextify.index.chunks_file import write_chunks
from pycontextify.index.model import Chunk, Document
from pycontextify.index.segment import Segment
from pycontextify.index.vectors import write_vectors
from pycontextify.snapshot.config import SegmentInfo
from pycontextify.snapshot.digest import Digest, digest_of

__all__ = ["Entry", "Staged", "carried_entries", "should_merge", "stage_bytes", "stage_segment"]

_MOST_SEGMENTS = 8
_MOST_DELETED_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Entry:
    """A document on its way into a segment, with its chunks and their unit vectors, float32 (chunks, dimension)."""

    document: Document
    chunks: Sequence[Chunk]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Staged:
    """A segment whose blobs are written but not stored yet: where each lies."""

    info: SegmentInfo
    files: Mapping[Digest, Path]


def stage_segment(directory: Path, entries: Sequence[Entry], meta: Mapping[str, object], dimension: int) -> Staged:
    """Write the blobs of a new segment into an empty directory; row numbers follow the entries' order.

    The chunks file tells which vectors it belongs to; the two are written side by side.

    Raises StoreError when the disk does not take them.
    """
    vectors_path, chunks_path = directory / "vectors", directory / "chunks"
    parts = [entry.vectors for entry in entries]
    vectors = np.concatenate(parts) if parts else np.empty((0, dimension), np.float32)
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="vectors") as beside:
            writing = beside.submit(_write_vectors, vectors, vectors_path)
            write_chunks(
                chunks_path,
                lambda: {**meta, "vectors": writing.result()},
                [(entry.document, entry.chunks) for entry in entries],
            )
        vectors_digest, chunks_digest = writing.result(), _digest_file(chunks_path)
    except (OSError, RuntimeError) as error:
        raise _not_written(error, directory) from error
    info = SegmentInfo(vectors=vectors_digest, chunks=chunks_digest, rows=len(vectors), documents=len(entries))
    return Staged(info, {vectors_digest: vectors_path, chunks_digest: chunks_path})


def stage_bytes(directory: Path, content: bytes) -> tuple[Digest, Path]:
    """Write a small blob into a directory; return its digest and where it lies.

    Raises StoreError when the disk does not take it.
    """
    digest = digest_of(content)
    path = directory / digest.hex
    try:
        path.write_bytes(content)
    except OSError as error:
        raise _not_written(error, directory) from error
    return digest, path


def carried_entries(segment: Segment, gone: Iterable[int]) -> list[Entry]:
    """Read a segment's documents back, with their chunks and vectors, but for those whose first row is in ``gone``."""
    left_out = set(gone)
    vectors = segment.vectors.reconstruct(0, segment.info.rows)
    entries = []
    for stored in segment.live_documents():
        if stored.first_row in left_out:
            continue
        rows = range(stored.first_row, stored.first_row + stored.row_count)
        chunks = [found.chunk for found in segment.chunks.read(rows)]
        entries.append(Entry(stored.document, chunks, vectors[rows.start : rows.stop]))
    return entries


def should_merge(rows: Sequence[int], deleted: Sequence[int], *, added: int) -> bool:
    """Tell whether it is time to write everything into one new segment.

    ``rows`` and ``deleted`` count per old segment; ``added`` rows come on top. A search visits every segment, and
    deleted rows are still fetched and mapped; against that stands that what is merged must be fetched anew by all.
    """
    segments = len(rows) + (1 if added else 0)
    total = sum(rows) + added
    return segments > _MOST_SEGMENTS or (len(rows) > 0 and sum(deleted) > _MOST_DELETED_SHARE * total)


def _write_vectors(vectors: NDArray[np.float32], path: Path) -> Digest:
    write_vectors(vectors, path)
    return _digest_file(path)


def _not_written(error: Exception, directory: Path) -> StoreError:
    return StoreError(
        f"a new segment could not be written ({error})",
        code="disk_write_failed",
        asset=str(directory),
        hint="free space there, or check the disk",
    )


def _digest_file(path: Path) -> Digest:
    with path.open("rb") as file:
        return Digest(f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}")
