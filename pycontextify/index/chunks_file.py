"""The chunks file: an SQLite database, written once and then opened read-only, even when it comes from elsewhere.

The file is small by itself, for it is published as it is: text is zstd-compressed per row with a dictionary kept in the
file, an inverted index (see `pycontextify.index.postings`) has two or three bytes for each word of a row, the file is
vacuumed.

An opened file is immutable, its schema is compared to ours word for word, so it can hold no trigger, view or generated
column of its own, and SQLite's own guards are on (https://sqlite.org/security.html, "untrusted SQLite database files"):
limits to what our own statements need, an authorizer that lets through what they do, a bound on how long they may take.
Pages are read into memory, not mapped, as advised there; searching was not slower for it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw
import zstandard

from pycontextify.errors import StoreError, ValidateError
from pycontextify.index.model import Chunk, Document
from pycontextify.index.postings import Postings
from pycontextify.index.terms import LONGEST_FILTER, indexed_text
from pycontextify.index.tokens import Tokenizer

__all__ = ["MOST_VALUES", "allow_steps", "connect", "query", "write_chunks"]

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
CREATE TABLE words(id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE, postings BLOB NOT NULL) STRICT;
"""
_WRITING = "PRAGMA page_size=4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
_READING = """
PRAGMA cell_size_check=ON; PRAGMA cache_size=-1000; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;
PRAGMA query_only=ON;
"""
_DICTIONARY_SIZE = 64 * 1024
_DICTIONARY_SAMPLES = 4000
_LEAST_SAMPLES = 200
_COMPRESSION_LEVEL = 10
_SCHEMA_QUERY = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"

MOST_VALUES = 1000
"""How many values a statement may be given."""

_LIMITS = {
    apsw.SQLITE_LIMIT_LENGTH: 64 << 20,  # a row; a word that all of thirty million rows have takes as much
    apsw.SQLITE_LIMIT_SQL_LENGTH: 10_000,
    apsw.SQLITE_LIMIT_SCHEMA: 20,  # tables and indexes; ours are seven
    apsw.SQLITE_LIMIT_COLUMN: 20,
    apsw.SQLITE_LIMIT_EXPR_DEPTH: 20,
    apsw.SQLITE_LIMIT_PARSER_DEPTH: 100,
    apsw.SQLITE_LIMIT_COMPOUND_SELECT: 3,
    apsw.SQLITE_LIMIT_VDBE_OP: 25_000,
    apsw.SQLITE_LIMIT_FUNCTION_ARG: 8,
    apsw.SQLITE_LIMIT_ATTACHED: 0,
    apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 4 * LONGEST_FILTER,  # in bytes
    apsw.SQLITE_LIMIT_VARIABLE_NUMBER: MOST_VALUES,
    apsw.SQLITE_LIMIT_TRIGGER_DEPTH: 0,
    apsw.SQLITE_LIMIT_TRIGGER_STEPS: 10,
    apsw.SQLITE_LIMIT_WORKER_THREADS: 0,
}
_TABLES = frozenset(["meta", "documents", "tags", "chunks", "words", "sqlite_master"])
_FUNCTIONS = frozenset(["coalesce", "count", "glob", "length", "max", "min"])
_PRAGMAS = frozenset(["integrity_check"])

_STEPS_A_LOOK = 10_000
_LEAST_STEPS = 1_000_000
_STEPS_A_BYTE = 20
"""Set when a statement went through every posting, at twice what that took; the check of all pages takes less."""


def write_chunks(
    path: Path, meta: Callable[[], Mapping[str, object]], entries: Sequence[tuple[Document, Sequence[Chunk]]]
) -> None:
    """Write a new chunks file; row numbers follow the order of the entries' chunks.

    ``meta``, which is asked last, gives what the file says about itself: JSON-able. The same arguments give the same
    bytes.

    Raises StoreError when the disk does not take them.
    """
    texts = [chunk.text.encode() for _, chunks in entries for chunk in chunks]
    dictionary = _train(texts)
    compress = zstandard.ZstdCompressor(
        level=_COMPRESSION_LEVEL, dict_data=dictionary, write_content_size=True
    ).compress
    try:
        with closing(_create(path)) as connection:
            with connection:
                _insert_rows(connection, entries, [compress(text) for text in texts])
                _insert_words(connection, entries)
                stored = {**meta(), "dictionary": None if dictionary is None else dictionary.as_bytes().hex()}
                connection.executemany(
                    "INSERT INTO meta VALUES(?, ?)", [(key, json.dumps(stored[key])) for key in sorted(stored)]
                )
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
    connection.execute(_WRITING).fetchall()  # a statement runs once the rows of the one before it are fetched
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


def _insert_rows(
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
        connection.executemany(
            "INSERT INTO chunks VALUES(?, ?, ?, ?, ?, ?, ?)",
            [
                (row + place, number, chunk.start_line, chunk.end_line, chunk.kind, chunk.symbol, packed[row + place])
                for place, chunk in enumerate(chunks)
            ],
        )
        row += len(chunks)


def _insert_words(connection: apsw.Connection, entries: Sequence[tuple[Document, Sequence[Chunk]]]) -> None:
    postings = Postings()
    with closing(Tokenizer()) as tokenize:
        for document, chunks in entries:
            path = tokenize(indexed_text(document.path))
            for chunk in chunks:
                postings.add(tokenize(indexed_text(chunk.symbol)), path, tokenize(indexed_text(chunk.text)))
    numbered = ((number, *each) for number, each in enumerate(postings.lists()))
    connection.executemany("INSERT INTO words VALUES(?, ?, ?)", numbered)


def connect(path: Path) -> apsw.Connection:
    """Open a chunks file for reading.

    Raises apsw.Error when SQLite can't read it, ValidateError when it is not a chunks file.
    """
    # An empty authority before the path, so that one that begins with // (a share, on Windows) is not taken for it.
    name = path.resolve().as_posix()
    # Immutable: no lock is taken, and neither a journal nor a write-ahead log that lies beside the file is looked at.
    uri = f"file://{'' if name.startswith('/') else '/'}{quote(os.fsencode(name))}?mode=ro&immutable=1"
    connection = apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    try:
        _guard(connection)
        allow_steps(connection, 0)
        _check_schema(connection, path.name)
    except BaseException:
        connection.close()
        raise
    return connection


def _guard(connection: apsw.Connection) -> None:
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_VIEW, 0)
    # Without this, every statement is prepared anew for its values: five times as long for one that reads a row.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    for limit, most in _LIMITS.items():
        connection.limit(limit, most)
    connection.execute(_READING).fetchall()
    connection.authorizer = _authorize


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """Let through what our statements do: read our tables, call these functions, check the whole file."""
    allowed = (
        action in (apsw.SQLITE_SELECT, apsw.SQLITE_RECURSIVE)
        or (action == apsw.SQLITE_READ and first in _TABLES)
        or (action == apsw.SQLITE_FUNCTION and second in _FUNCTIONS)
        or (action == apsw.SQLITE_PRAGMA and first in _PRAGMAS)
    )
    return apsw.SQLITE_OK if allowed else apsw.SQLITE_DENY


def allow_steps(connection: apsw.Connection, size: int) -> None:
    """Have what runs on a connection from now on end, with apsw.InterruptError, should it never end by itself.

    ``size`` is how many bytes of the file may have to be read. A damaged B-tree can lead back into itself; what reads
    each row of a sound one once stays far below.
    """
    looks = iter(range((_LEAST_STEPS + size * _STEPS_A_BYTE) // _STEPS_A_LOOK))
    connection.set_progress_handler(lambda: next(looks, None) is None, _STEPS_A_LOOK)


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
