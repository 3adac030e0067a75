"""The chunks file: an SQLite database, written once and then opened read-only, even when it comes from elsewhere.

The file is small by itself, for it is published as it is: text is zstd-compressed per row with a dictionary kept in the
file, the full-text table is contentless, the file is vacuumed. The full-text table keeps positions (``detail=full``)
for they can't be done without: with ``none`` or ``column``, a contentless table gives every match a BM25 score of 0.

An opened file is immutable, its schema is compared to ours word for word, so it can hold no trigger, view or generated
column of its own, and SQLite's own guards are on (https://sqlite.org/security.html, "untrusted SQLite database files").
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw
import zstandard

from pycontextify.errors import StoreError, ValidateError
from pycontextify.index.model import Chunk, Document
from pycontextify.index.terms import indexed_text

__all__ = ["connect", "query", "write_chunks"]

_SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE documents(
  id INTEGER PRIMARY KEY, tree TEXT NOT NULL, path TEXT NOT NULL, language TEXT NOT NULL,
  content_hash TEXT NOT NULL, size INTEGER NOT NULL, first_row INTEGER NOT NULL, row_count INTEGER NOT NULL,
  UNIQUE(tree, path)) STRICT;
CREATE TABLE tags(tag TEXT NOT NULL, document INTEGER NOT NULL, PRIMARY KEY(tag, document)) STRICT, WITHOUT ROWID;
CREATE TABLE chunks(
  id INTEGER PRIMARY KEY, document INTEGER NOT NULL, start_line INTEGER NOT NULL, end_line INTEGER NOT NULL,
  kind TEXT NOT NULL, symbol TEXT NOT NULL, text BLOB NOT NULL) STRICT;
CREATE VIRTUAL TABLE words USING fts5(symbol, path, text, content='', tokenize='porter unicode61');
"""
_WRITING = "PRAGMA page_size=4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
_READING = "PRAGMA query_only=ON; PRAGMA cell_size_check=ON; PRAGMA cache_size=-2000; PRAGMA mmap_size=1099511627776;"
_LONGEST_VALUE = 64 << 20
_DICTIONARY_SIZE = 64 * 1024
_DICTIONARY_SAMPLES = 4000
_LEAST_SAMPLES = 200
_COMPRESSION_LEVEL = 10
_SCHEMA_QUERY = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"


def write_chunks(path: Path, meta: Mapping[str, object], entries: Sequence[tuple[Document, Sequence[Chunk]]]) -> None:
    """Write a new chunks file; row numbers follow the order of the entries' chunks.

    ``meta`` is JSON-able: what the file says about itself. The same arguments give the same bytes.

    Raises StoreError when the disk does not take them.
    """
    texts = [chunk.text.encode() for _, chunks in entries for chunk in chunks]
    dictionary = _train(texts)
    compress = zstandard.ZstdCompressor(
        level=_COMPRESSION_LEVEL, dict_data=dictionary, write_content_size=True
    ).compress
    stored = {**meta, "dictionary": None if dictionary is None else dictionary.as_bytes().hex()}
    try:
        with closing(_create(path)) as connection:
            with connection:
                connection.executemany(
                    "INSERT INTO meta VALUES(?, ?)", [(key, json.dumps(stored[key])) for key in sorted(stored)]
                )
                _insert(connection, entries, [compress(text) for text in texts])
                connection.execute("INSERT INTO words(words) VALUES('optimize')")
            connection.execute("VACUUM")
    except apsw.Error as error:
        raise StoreError(
            f"the chunks of a new segment could not be written ({error})",
            code="disk_write_failed",
            asset=str(path),
            hint="free space there, or check the disk",
        ) from error


def _create(path: Path) -> apsw.Connection:
    """Create a chunks file with empty tables. It needs no journal: a build that fails is thrown away whole."""
    connection = apsw.Connection(str(path))
    connection.execute(_WRITING)
    connection.execute(_SCHEMA)
    return connection


def _train(texts: Sequence[bytes]) -> zstandard.ZstdCompressionDict | None:
    """Learn a dictionary from an even sample of the texts; None when there are too few to learn from."""
    step = max(1, len(texts) // _DICTIONARY_SAMPLES)
    samples = [text for text in texts[::step] if len(text) > 8]
    if len(samples) < _LEAST_SAMPLES:
        return None
    size = min(_DICTIONARY_SIZE, sum(map(len, samples)) // 10)
    try:
        return zstandard.train_dictionary(size, list(samples))
    except zstandard.ZstdError:
        return None  # texts too uniform to learn from; they compress well on their own


def _insert(
    connection: apsw.Connection, entries: Sequence[tuple[Document, Sequence[Chunk]]], packed: Sequence[bytes]
) -> None:
    row = 0
    for number, (document, chunks) in enumerate(entries):
        connection.execute(
            "INSERT INTO documents VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(number, document.tree, document.path, document.language),
                *(document.content_hash, document.size, row, len(chunks)),
            ),
        )
        connection.executemany("INSERT INTO tags VALUES(?, ?)", [(tag, number) for tag in sorted(set(document.tags))])
        for chunk in chunks:
            connection.execute(
                "INSERT INTO chunks VALUES(?, ?, ?, ?, ?, ?, ?)",
                (row, number, chunk.start_line, chunk.end_line, chunk.kind, chunk.symbol, packed[row]),
            )
            connection.execute(
                "INSERT INTO words(rowid, symbol, path, text) VALUES(?, ?, ?, ?)",
                (row, indexed_text(chunk.symbol), indexed_text(document.path), indexed_text(chunk.text)),
            )
            row += 1


def connect(path: Path) -> apsw.Connection:
    """Open a chunks file for reading.

    Raises apsw.Error when SQLite can't read it, ValidateError when it is not a chunks file.
    """
    # An empty authority before the path, so that one that begins with // (a share, on Windows) is not taken for it.
    name = path.resolve().as_posix()
    uri = f"file://{'' if name.startswith('/') else '/'}{quote(os.fsencode(name))}?mode=ro&immutable=1"
    connection = apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    try:
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_VIEW, 0)
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
        connection.limit(apsw.SQLITE_LIMIT_ATTACHED, 0)
        connection.execute(_READING)
        _check_schema(connection, path.name)
    except BaseException:
        connection.close()
        raise
    return connection


def query(connection: apsw.Connection, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
    """Run one statement and yield its rows; their columns have the types that the schema gives them."""
    return connection.execute(sql, values)


def _check_schema(connection: apsw.Connection, name: str) -> None:
    if list(query(connection, _SCHEMA_QUERY)) != _expected_schema():
        raise ValidateError(
            "the chunks file has another schema than this version reads",
            code="chunks_schema",
            asset=name,
            hint="publish again with a matching pycontextify",
        )


@cache
def _expected_schema() -> list[tuple[Any, ...]]:
    connection = apsw.Connection(":memory:")
    connection.execute(_SCHEMA)
    try:
        return list(query(connection, _SCHEMA_QUERY))
    finally:
        connection.close()
