"""A segment: vectors and chunks that share their row numbers, and the rows that count for nothing any more.

The ``deleted`` blob is a sorted array of little-endian uint32 row numbers, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pycontextify.errors import StoreError, ValidateError
from pycontextify.index.chunks import Chunks, StoredDocument
from pycontextify.index.model import Query
from pycontextify.index.vectors import Vectors
from pycontextify.snapshot.config import SegmentInfo
from pycontextify.snapshot.digest import Digest

__all__ = ["Segment", "pack_deleted"]


def pack_deleted(rows: Iterable[int]) -> bytes:
    """Return the bytes of a deleted blob."""
    return np.unique(np.fromiter(rows, dtype="<u4")).tobytes()


@dataclass(frozen=True, slots=True)
class Segment:
    """An open segment. ``deleted`` is a mask, bool (rows,), or None when every row counts."""

    info: SegmentInfo
    vectors: Vectors
    chunks: Chunks
    deleted: NDArray[np.bool_] | None

    @classmethod
    def open(cls, info: SegmentInfo, blob: Callable[[Digest], Path]) -> Segment:
        """Open a segment; ``blob`` tells where a blob lies.

        Checks what costs next to nothing: both parts have the rows that the config promises.

        Raises StoreError when a blob is not there, ValidateError when one is damaged or they do not fit each other.
        """
        vectors = Vectors.open(blob(info.vectors))
        try:
            chunks = Chunks.open(blob(info.chunks))
        except BaseException:
            vectors.close()
            raise
        try:
            _check_rows(info, vectors.rows, chunks.last_row() + 1)
            deleted = None if info.deleted is None else _read_deleted(blob(info.deleted), info.rows)
        except BaseException:
            vectors.close()
            chunks.close()
            raise
        return cls(info, vectors, chunks, deleted)

    @property
    def live_rows(self) -> int:
        """How many rows count."""
        return self.info.rows - (0 if self.deleted is None else int(self.deleted.sum()))

    def dense(self, embedding: NDArray[np.float32], query: Query, depth: int) -> dict[int, float]:
        """Return the rows nearest to an embedding with their cosine similarities, best first."""
        scores, rows = self.vectors.search(embedding, depth, allowed=self._allowed(query), deleted=self.deleted)
        return dict(zip(rows.tolist(), scores.tolist(), strict=True))

    def keyword(self, query: Query, depth: int) -> dict[int, float]:
        """Return the rows that share words with the query with their BM25 scores, best first."""
        return self.chunks.match(query.text, allowed=self._allowed(query), deleted=self.deleted, limit=depth)

    def live_spans(self) -> NDArray[np.int64]:
        """Return the first row and the number of rows of each document that still has any, int64 (documents, 2).

        Raises ValidateError where a document has rows that the segment has not.
        """
        spans = self.chunks.spans()
        outside = (spans[:, 0] < 0) | (spans[:, 0] >= self.info.rows)
        if outside.any():
            raise ValidateError("documents have rows that it has not", code="documents_differ", hint="publish it again")
        return spans if self.deleted is None else spans[~self.deleted[spans[:, 0]]]

    def live_documents(self) -> list[StoredDocument]:
        """Return the documents that still have rows, in row order. A document's rows go all together."""
        gone = self.deleted
        return [stored for stored in self.chunks.documents() if gone is None or not gone[stored.first_row]]

    def _allowed(self, query: Query) -> NDArray[np.bool_] | None:
        if not query.tags and query.path is None and query.language is None:
            return None
        mask = np.zeros(self.info.rows, dtype=bool)
        mask[self.chunks.select(tags=query.tags, path=query.path, language=query.language)] = True
        return mask

    def close(self) -> None:
        """Close both parts."""
        self.vectors.close()
        self.chunks.close()


def _check_rows(info: SegmentInfo, vectors: int, chunks: int) -> None:
    if not info.rows == vectors == chunks:
        raise ValidateError(
            f"row counts differ: the config says {info.rows}, the vectors file has {vectors}, the chunks file {chunks}",
            code="rows_differ",
            asset=f"segment {info.vectors.short}",
            hint="publish the two files of one build together",
        )


def _read_deleted(path: Path, rows: int) -> NDArray[np.bool_]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(
            f"the deleted blob can't be read ({error.strerror})",
            code="blob_missing",
            asset=path.name,
            hint="hydrate again, or rebuild with `pycontextify index`",
        ) from error
    numbers = np.frombuffer(content, dtype="<u4") if len(content) % 4 == 0 else None
    if numbers is None or (len(numbers) and int(numbers.max()) >= rows):
        raise ValidateError(
            f"the deleted blob does not list rows of the segment's {rows}",
            code="deleted_invalid",
            asset=path.name,
            hint="publish the index again",
        )
    mask = np.zeros(rows, dtype=bool)
    mask[numbers] = True
    return mask
