"""The chunks of a segment: an open chunks file, read by many threads at a time."""

from __future__ import annotations

import json
import queue
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import zstandard
from numpy.typing import NDArray

from pycontextify.errors import StoreError, ValidateError
from pycontextify.index import chunks_file, postings
from pycontextify.index.chunks_check import check_kinds, check_pages, check_rows
from pycontextify.index.chunks_file import query
from pycontextify.index.model import Chunk, Document
from pycontextify.index.terms import asked_text, can_match
from pycontextify.index.tokens import Tokenizer

__all__ = ["Chunks", "StoredChunk", "StoredDocument"]

_LONGEST_TEXT = 1 << 20
_CONNECTIONS = 4
_AT_ONCE = 32
"""Rows for one statement: every step of one gives up the interpreter's lock, and waits for it while others are busy."""
_MOST_TAGS = chunks_file.MOST_VALUES - 10
_PUBLISH_AGAIN = "publish or hydrate the index again"
_CHUNK_KINDS = (int, int, str, str, bytes)
_DOCUMENT_KINDS = (int, str, str, str, str, int, int, int)
_TAG_KINDS = (str, int)
_CHUNK_COLUMNS = "c.start_line, c.end_line, c.kind, c.symbol, c.text"
_DOCUMENT_COLUMNS = "d.id, d.tree, d.path, d.language, d.content_hash, d.size, d.first_row, d.row_count"
# The tags of documents would be looked for in the whole table, which is ordered by tag. There are few different ones:
# go from each to the next, and see which of the documents have it.
_TAGS_OF_SOME = """
WITH RECURSIVE each(tag) AS (
  SELECT min(tag) FROM tags
  UNION ALL SELECT (SELECT min(t.tag) FROM tags t WHERE t.tag > each.tag) FROM each WHERE each.tag IS NOT NULL)
SELECT t.document, t.tag FROM each CROSS JOIN tags t ON t.tag = each.tag AND t.document IN ({}) ORDER BY t.tag
"""


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as it lies in the file: its row number, its document, and itself."""

    row: int
    document: Document
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document and the rows that its chunks have: ``first_row`` and the following ones."""

    document: Document
    first_row: int
    row_count: int


class Chunks:
    """An open chunks file. Thread safe; `close` is for when nobody reads any more.

    All connections are opened at once, so that a file deleted under an open view stays readable where the system
    allows that.
    """

    def __init__(
        self, connections: Sequence[apsw.Connection], tokenize: Tokenizer, meta: Mapping[str, Any], size: int
    ) -> None:
        self.meta = meta
        self._idle: queue.LifoQueue[apsw.Connection] = queue.LifoQueue()
        self._connections = connections
        self._size = size
        for connection in connections:
            self._idle.put(connection)
        packed = meta.get("dictionary")
        self._tokenize = tokenize
        self._dictionary = zstandard.ZstdCompressionDict(bytes.fromhex(packed)) if packed else None

    @classmethod
    def open(cls, path: Path) -> Chunks:
        """Open a chunks file.

        Raises StoreError when it is not there, ValidateError for anything but a file that `write_chunks` could have
        made.
        """
        with ExitStack() as opened:
            try:
                connections = [opened.enter_context(closing(chunks_file.connect(path))) for _ in range(_CONNECTIONS)]
                meta = {key: json.loads(value) for key, value in query(connections[0], "SELECT key, value FROM meta")}
                tokenize = opened.enter_context(closing(Tokenizer()))
                chunks = cls(connections, tokenize, meta, path.stat().st_size)
            except apsw.CantOpenError as error:
                raise StoreError(
                    f"the chunks file can't be opened ({error})",
                    code="blob_missing",
                    asset=path.name,
                    hint="hydrate again, or rebuild with `pycontextify index`",
                ) from error
            except (apsw.Error, ValueError, TypeError, RecursionError, zstandard.ZstdError) as error:
                raise ValidateError(
                    f"the chunks file is damaged or not one of ours ({error})",
                    code="chunks_unreadable",
                    asset=path.name,
                    hint=_PUBLISH_AGAIN,
                ) from error
            opened.pop_all()
        return chunks

    @contextmanager
    def _borrow(self) -> Iterator[apsw.Connection]:
        connection = self._idle.get()
        try:
            chunks_file.allow_steps(connection, self._size)
            yield connection
        except (apsw.Error, zstandard.ZstdError, UnicodeDecodeError, postings.PostingsError) as error:
            raise ValidateError(
                f"the chunks file is damaged ({error})", code="chunks_unreadable", hint=_PUBLISH_AGAIN
            ) from error
        finally:
            self._idle.put(connection)

    def rows(self) -> int:
        """Count the chunks.

        Raises ValidateError when they are not numbered from 0 without a gap, or the documents do not share them out.
        """
        with self._borrow() as connection:
            return check_rows(partial(query, connection))

    def check(self) -> int:
        """Read everything once; count the chunks.

        Raises ValidateError for whatever could make a search fail later: what `rows` finds fault with, pages that do
        not hang together, values of another type than their column's, texts that can't be unpacked.
        """
        with self._borrow() as connection:
            check_pages(partial(query, connection))
            unpacker = self._unpacker()
            for row, *columns in query(connection, f"SELECT c.id, {_CHUNK_COLUMNS} FROM chunks c"):  # noqa: S608 - constants
                _chunk(row, columns, unpacker)
            for document in query(connection, f"SELECT {_DOCUMENT_COLUMNS} FROM documents d"):  # noqa: S608 - constants
                check_kinds(document, _DOCUMENT_KINDS)
            for tag in query(connection, "SELECT tag, document FROM tags"):
                check_kinds(tag, _TAG_KINDS)
            rows = self._rows(connection)
            for (packed,) in query(connection, "SELECT postings FROM words"):
                postings.check(_bytes(packed), rows)
        return self.rows()

    def last_row(self) -> int:
        """Return the highest row number, -1 when there is none; unlike `rows`, this reads next to nothing."""
        with self._borrow() as connection:
            return self._rows(connection) - 1

    def _rows(self, connection: apsw.Connection) -> int:
        """Count the rows by their highest number; a file of fewer bytes than that has none of such a number."""
        ((last,),) = query(connection, "SELECT coalesce(max(id), -1) FROM chunks")
        if not -1 <= last < self._size:
            raise ValidateError(f"no row can be number {last}", code="chunks_unreadable", hint=_PUBLISH_AGAIN)
        return int(last) + 1

    def match(
        self, text: str, *, allowed: NDArray[np.bool_] | None, deleted: NDArray[np.bool_] | None, limit: int
    ) -> dict[int, float]:
        """Return the best rows for the words of ``text`` with their BM25 scores, higher is better, best first.

        ``allowed`` and ``deleted`` are masks, bool (rows,): what must and what must not be returned.
        """
        words = dict.fromkeys(self._tokenize(asked_text(text)))
        with self._borrow() as connection:
            scores = postings.Scores(self._rows(connection))
            having = f"SELECT postings FROM words WHERE word IN ({_marks(words)})"  # noqa: S608 - values are bound
            for (packed,) in query(connection, having, tuple(words)):
                scores.add(*postings.unpack(_bytes(packed), scores.rows))
        return scores.best(limit, allowed, deleted)

    def select(self, *, tags: Sequence[str], path: str | None, language: str | None) -> NDArray[np.int64]:
        """Return the rows whose documents pass every filter given; see `Query` for their meaning."""
        if not all(can_match(text) for text in (*tags, path or "", language or "")):
            return np.empty(0, np.int64)
        conditions, values = ["1"], list[str | int]()
        if path is not None:
            conditions.append("(d.path GLOB ? OR d.tree || '/' || d.path GLOB ?)")
            values += [path, path]
        if language is not None:
            conditions.append("d.language = ? COLLATE NOCASE")
            values.append(language)
        wanted = sorted(set(tags))
        if len(wanted) > _MOST_TAGS:
            return np.empty(0, np.int64)
        if wanted:
            marks = ", ".join("?" * len(wanted))
            having_all = f"SELECT document FROM tags WHERE tag IN ({marks}) GROUP BY 1 HAVING count(*) = ?"  # noqa: S608 - values are bound
            conditions.append(f"d.id IN ({having_all})")
            values += [*wanted, len(wanted)]
        where = " AND ".join(conditions)
        with self._borrow() as connection:
            found = query(
                connection,
                f"SELECT d.first_row, d.row_count FROM documents d WHERE {where}",  # noqa: S608 - values are bound
                values,
            )
            spans = [np.arange(first, first + count) for first, count in found]
        return np.concatenate(spans).astype(np.int64) if spans else np.empty(0, np.int64)

    def read(self, rows: Sequence[int]) -> list[StoredChunk]:
        """Return these chunks, in the order asked for.

        Raises ValidateError when a row is not there.
        """
        found: dict[int, StoredChunk] = {}
        with self._borrow() as connection:
            unpacker = self._unpacker()
            for first in range(0, len(rows), _AT_ONCE):
                found |= _read_some(connection, rows[first : first + _AT_ONCE], unpacker)
        for row in rows:
            if row not in found:
                raise ValidateError(f"the chunks file has no row {row}", code="chunks_unreadable", hint=_PUBLISH_AGAIN)
        return [found[row] for row in rows]

    def _unpacker(self) -> zstandard.ZstdDecompressor:
        """Return what unpacks texts: not thread safe, and it costs more to make than a text to unpack."""
        return zstandard.ZstdDecompressor(dict_data=self._dictionary)

    def spans(self) -> NDArray[np.int64]:
        """Return the first row and the number of rows of every document, int64 (documents, 2)."""
        with self._borrow() as connection:
            found = [*query(connection, "SELECT first_row, row_count FROM documents")]
        if not all(type(number) is int for span in found for number in span):
            raise ValidateError("a column holds what it must not", code="chunks_unreadable", hint=_PUBLISH_AGAIN)
        return np.array(found, dtype=np.int64).reshape(-1, 2)

    def documents(self) -> list[StoredDocument]:
        """Return every document, in row order."""
        with self._borrow() as connection:
            tags = defaultdict[int, list[str]](list)
            for tag, number in query(connection, "SELECT tag, document FROM tags ORDER BY tag"):
                tags[number].append(tag)
            found = query(connection, f"SELECT {_DOCUMENT_COLUMNS} FROM documents d ORDER BY d.first_row")  # noqa: S608 - constants
            return [_document(columns, tuple(tags.get(columns[0], ()))) for columns in found]

    def close(self) -> None:
        """Close every connection."""
        self._tokenize.close()
        for connection in self._connections:
            connection.close()


def _read_some(
    connection: apsw.Connection, rows: Sequence[int], unpacker: zstandard.ZstdDecompressor
) -> dict[int, StoredChunk]:
    """Return those of a few rows that are there."""
    joined = f"SELECT c.id, {_CHUNK_COLUMNS}, {_DOCUMENT_COLUMNS} FROM chunks c JOIN documents d ON d.id = c.document"  # noqa: S608 - constants
    found = [*query(connection, f"{joined} WHERE c.id IN ({_marks(rows)})", tuple(rows))]
    width = len(_CHUNK_KINDS)
    documents = {columns[width]: columns[width:] for _, *columns in found}
    tags = defaultdict[int, list[str]](list)
    for number, tag in query(connection, _TAGS_OF_SOME.format(_marks(documents)), tuple(documents)):
        tags[number].append(tag)
    stored = {number: _document(columns, tuple(tags[number])) for number, columns in documents.items()}
    return {
        row: StoredChunk(row, stored[columns[width]].document, _chunk(row, columns[:width], unpacker))
        for row, *columns in found
    }


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def _chunk(row: int, columns: Sequence[Any], unpacker: zstandard.ZstdDecompressor) -> Chunk:
    check_kinds(columns, _CHUNK_KINDS)
    start_line, end_line, kind, symbol, packed = columns
    # The decompressor believes a frame's own word on its size, whatever ``max_output_size`` says.
    if not 0 <= zstandard.frame_content_size(packed) <= _LONGEST_TEXT:
        raise ValidateError(f"row {row} claims an impossible size", code="chunks_unreadable", hint=_PUBLISH_AGAIN)
    return Chunk(unpacker.decompress(packed).decode(), start_line, end_line, kind, symbol)


def _bytes(packed: object) -> bytes:
    if not isinstance(packed, bytes):
        raise postings.PostingsError("it is of another type")
    return packed


def _document(columns: Sequence[Any], tags: tuple[str, ...]) -> StoredDocument:
    check_kinds(columns, _DOCUMENT_KINDS)
    _, tree, path, language, content_hash, size, first_row, row_count = columns
    return StoredDocument(Document(path, tree, language, content_hash, size, tags), first_row, row_count)
