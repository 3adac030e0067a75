"""The chunks file as a file: where it may lie, what is left open, and how foreign or damaged ones are refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest
import zstandard

from pycontextify.errors import StoreError, ValidateError
from pycontextify.index.chunks import Chunks
from pycontextify.index.chunks_file import query
from tests.index.made import DAMAGES, chunks_file, many_entries


@pytest.mark.parametrize(
    "name", ["a b", "50%25", "h#y", "ü", "f.sqlite", *(["q?x", "d:"] if os.name == "posix" else [])]
)
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    """What means something in a URI is part of the name all the same."""
    (tmp_path / name).mkdir()
    with closing(Chunks.open(chunks_file(tmp_path / name / name))) as opened:
        assert opened.rows() == 6


def test_a_path_of_two_slashes_is_no_host(tmp_path: Path) -> None:
    """POSIX lets a path begin with two slashes, and a share on Windows does: it must not be taken for a host's name."""
    path = chunks_file(tmp_path / "chunks")
    doubled = Path(f"/{path.as_posix()}") if os.name == "posix" else path
    with closing(Chunks.open(doubled)) as opened:
        assert opened.rows() == 6


def test_an_open_file_is_never_written_to(tmp_path: Path) -> None:
    """No journal, no write-ahead log, no lock beside it; and the file is as it was."""
    path = chunks_file(tmp_path / "chunks")
    before = path.read_bytes()
    with closing(Chunks.open(path)) as opened:
        opened.match("retry", allowed=None, deleted=None, limit=9)
        opened.rows()
        assert [each.name for each in tmp_path.iterdir()] == ["chunks"]
    assert path.read_bytes() == before


def test_connections_are_closed(tmp_path: Path) -> None:
    """Nothing stays open after closing, nor after a file was refused."""
    before = len(apsw.connections())
    path = chunks_file(tmp_path / "chunks")
    Chunks.open(path).close()
    for spoil in (_extra_view, _no_dictionary, _shallow):
        bad = chunks_file(tmp_path / spoil.__name__)
        _change(bad, spoil)
        with pytest.raises(ValidateError):
            Chunks.open(bad)
    assert len(apsw.connections()) == before


def test_a_file_that_is_not_there_is_a_matter_of_the_disk(tmp_path: Path) -> None:
    """Not a rejected snapshot; and no empty database appears in its place."""
    with pytest.raises(StoreError) as caught:
        Chunks.open(tmp_path / "never")
    assert caught.value.code == "blob_missing"
    assert caught.value.hint
    assert not (tmp_path / "never").exists()


def test_a_place_that_can_not_be_written_is_a_store_error(tmp_path: Path) -> None:
    """SQLite's own error does not get out."""
    for path in (tmp_path, tmp_path / "missing" / "chunks"):
        with pytest.raises(StoreError) as caught:
            chunks_file(path)
        assert caught.value.code == "disk_write_failed"
        assert caught.value.hint


# SQLite reads a missing end of the last page as zeros; only the digest tells.
@pytest.mark.parametrize("damage", sorted(DAMAGES.keys() - {"last byte gone"}))
def test_a_damaged_file_is_refused(tmp_path: Path, damage: str) -> None:
    """Empty, cut, overwritten: refused when it is opened, or at the latest when all of it is looked at."""
    path = chunks_file(tmp_path / "chunks", many_entries())
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    with pytest.raises(ValidateError) as caught:
        _read_everything(path)
    assert caught.value.code in ("chunks_unreadable", "chunks_schema")
    assert caught.value.hint


def _read_everything(path: Path) -> None:
    with closing(Chunks.open(path)) as opened:
        opened.rows()
        opened.read(range(320))
        opened.match("fox", allowed=None, deleted=None, limit=320)


def _change(path: Path, change: Callable[[apsw.Connection], object]) -> None:
    """Change a chunks file as its publisher could have."""
    with closing(apsw.Connection(str(path))) as connection:
        change(connection)


def _extra_trigger(connection: apsw.Connection) -> None:
    connection.execute("CREATE TRIGGER t AFTER INSERT ON chunks BEGIN DELETE FROM meta; END")


def _extra_view(connection: apsw.Connection) -> None:
    connection.execute("CREATE VIEW v AS SELECT * FROM chunks")


def _extra_table(connection: apsw.Connection) -> None:
    connection.execute("CREATE TABLE extra(x)")


def _extra_index(connection: apsw.Connection) -> None:
    connection.execute("CREATE INDEX i ON chunks(kind)")


def _extra_column(connection: apsw.Connection) -> None:
    connection.execute("ALTER TABLE documents ADD COLUMN more TEXT")


def _missing_table(connection: apsw.Connection) -> None:
    connection.execute("DROP TABLE tags")


def _view_for_table(connection: apsw.Connection) -> None:
    connection.execute("ALTER TABLE meta RENAME TO hidden; CREATE VIEW meta AS SELECT * FROM hidden")


def _other_tokenizer(connection: apsw.Connection) -> None:
    connection.execute("DROP TABLE words; CREATE VIRTUAL TABLE words USING fts5(symbol, path, text, content='')")


@pytest.mark.parametrize(
    "change",
    [
        _extra_trigger,
        _extra_view,
        _extra_table,
        _extra_index,
        _extra_column,
        _missing_table,
        _view_for_table,
        _other_tokenizer,
    ],
)
def test_another_schema_is_refused(tmp_path: Path, change: Callable[[apsw.Connection], object]) -> None:
    """Word for word ours, or nothing: no trigger, view, table, index or column more or less."""
    path = chunks_file(tmp_path / "chunks")
    _change(path, change)
    with pytest.raises(ValidateError) as caught:
        Chunks.open(path)
    assert caught.value.code == "chunks_schema"
    assert caught.value.hint


def test_any_other_database_is_refused(tmp_path: Path) -> None:
    """An SQLite file of somebody else."""
    _change(tmp_path / "chunks", lambda connection: connection.execute("CREATE TABLE bookmarks(url)"))
    with pytest.raises(ValidateError) as caught:
        Chunks.open(tmp_path / "chunks")
    assert caught.value.code == "chunks_schema"


def _meta(connection: apsw.Connection, key: str, value: str) -> None:
    connection.execute("REPLACE INTO meta VALUES(?, ?)", (key, value))


def _no_dictionary(connection: apsw.Connection) -> None:
    _meta(connection, "dictionary", "5")


def _shallow(connection: apsw.Connection) -> None:
    _meta(connection, "name", "[" * 100_000)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dictionary", "5"),
        ("dictionary", '"no hex"'),
        ("dictionary", "[1]"),
        ("name", "not JSON"),
        ("name", ""),
        ("name", "[" * 100_000),
    ],
)
def test_a_meta_table_that_can_not_be_read_is_refused(tmp_path: Path, key: str, value: str) -> None:
    """Values that are no JSON, or a dictionary that is none."""
    path = chunks_file(tmp_path / "chunks")
    _change(path, lambda connection: _meta(connection, key, value))
    with pytest.raises(ValidateError) as caught:
        Chunks.open(path)
    assert caught.value.code == "chunks_unreadable"
    assert caught.value.hint


def test_another_dictionary_is_found_out(tmp_path: Path) -> None:
    """Texts that were packed with the one can't be read with another."""
    path = chunks_file(tmp_path / "chunks", many_entries())
    samples = (f"something else entirely {n} {n * n} {n**3}".encode() for n in range(2000))
    other = zstandard.train_dictionary(4096, [*samples]).as_bytes().hex()
    _change(path, lambda connection: _meta(connection, "dictionary", json.dumps(other)))
    with closing(Chunks.open(path)) as opened, pytest.raises(ValidateError) as caught:
        opened.read([0])
    assert caught.value.code == "chunks_unreadable"


def _bomb() -> bytes:
    return zstandard.ZstdCompressor(write_content_size=True).compress(bytes(64 << 20))


def _lie() -> bytes:
    """A frame that says it holds 32 TiB (RFC 8878, section 3.1.1)."""
    return b"\x28\xb5\x2f\xfd\xe0" + (1 << 45).to_bytes(8, "little") + b"\x01\x00\x00"


PACKED: dict[str, Callable[[], bytes]] = {
    "bomb": _bomb,
    "lie": _lie,
    "no size": lambda: zstandard.ZstdCompressor(write_content_size=False).compress(b"hello"),
    "not zstd": lambda: b"hello",
    "empty": lambda: b"",
    "cut": lambda: zstandard.ZstdCompressor().compress(b"hello" * 100)[:-3],
    "not UTF-8": lambda: zstandard.ZstdCompressor().compress(b"\xff\xfe\xfd"),
}


@pytest.mark.parametrize("kind", PACKED)
def test_a_text_that_can_not_be_unpacked_is_a_typed_error(tmp_path: Path, kind: str) -> None:
    """Nor does a frame's word for its size make us ask for that much memory; the other rows are read as before."""
    path = chunks_file(tmp_path / "chunks")
    _change(path, lambda connection: connection.execute("UPDATE chunks SET text = ? WHERE id = 3", (PACKED[kind](),)))
    with closing(Chunks.open(path)) as opened:
        for _ in range(8):  # more often than there are connections: none gets lost
            with pytest.raises(ValidateError) as caught:
                opened.read([3])
            assert caught.value.code == "chunks_unreadable"
            assert caught.value.hint
        assert opened.read([2])[0].chunk.text == "def serve(): ..."


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM chunks WHERE id = 2",
        "DELETE FROM chunks WHERE id = 5",
        "DELETE FROM documents WHERE id = 1",
        "UPDATE chunks SET id = 77 WHERE id = 3",
        "UPDATE documents SET row_count = 1 WHERE id = 0",
        "UPDATE documents SET row_count = 0 WHERE id = 0",
        "UPDATE documents SET first_row = 9 WHERE id = 2",
        "UPDATE documents SET row_count = row_count + 1 WHERE id = 2",
        "INSERT INTO documents VALUES(9, 't', 'p', 'l', 'h', 1, 0, 0)",
    ],
)
def test_rows_with_gaps_are_refused(tmp_path: Path, sql: str) -> None:
    """Rows must be numbered from 0 without a gap, and the documents must share them out."""
    path = chunks_file(tmp_path / "chunks")
    _change(path, lambda connection: connection.execute(sql))
    assert _refused(path, Chunks.rows) == "chunks_incoherent"


KINDS = [
    ("chunks", "start_line", "'one'"),
    ("chunks", "symbol", "x'00ff'"),
    ("chunks", "text", "'plain'"),
    ("chunks", "text", "17"),
    ("documents", "path", "x'00ff'"),
    ("documents", "size", "'large'"),
    ("documents", "language", "x'00ff'"),
]


@pytest.mark.parametrize(("table", "column", "value"), KINDS)
def test_a_column_of_another_kind_is_a_typed_error(tmp_path: Path, table: str, column: str, value: str) -> None:
    """The schema binds whoever writes by it: a file made by hand can hold anything under it."""
    path = chunks_file(tmp_path / "chunks")

    strict = _schema_of(tmp_path, table)
    _change(path, lambda connection: _redefine(connection, table, strict.replace(" STRICT", "")))
    _change(path, lambda connection: connection.execute(f"UPDATE {table} SET {column} = {value} WHERE id = 0"))  # noqa: S608 - constants
    _change(path, lambda connection: _redefine(connection, table, strict))
    assert _refused(path, lambda chunks: chunks.read([0])) == "chunks_unreadable"
    assert _refused(path, Chunks.check) == "chunks_unreadable"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE documents SET path = CAST(x'f06162' AS TEXT) WHERE id = 1",
        "INSERT INTO tags(tag, document) VALUES (CAST(x'f06162' AS TEXT), 0)",
        "UPDATE chunks SET symbol = CAST(x'80' AS TEXT) WHERE id = 1",
    ],
)
def test_letters_that_are_none_are_found_before_a_search_meets_them(tmp_path: Path, sql: str) -> None:
    """SQLite takes any bytes for a text."""
    path = chunks_file(tmp_path / "chunks")
    _change(path, lambda connection: connection.execute(sql))
    assert _refused(path, Chunks.check) == "chunks_unreadable"


def _refused(path: Path, read: Callable[[Chunks], object]) -> str:
    """Read a file that must be refused, with a hint; return the code."""
    with closing(Chunks.open(path)) as opened, pytest.raises(ValidateError) as caught:
        read(opened)
    assert caught.value.hint
    return caught.value.code


def _redefine(connection: apsw.Connection, table: str, sql: str) -> None:
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
    connection.execute("PRAGMA writable_schema=1")
    connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (sql, table))


def _schema_of(directory: Path, table: str) -> str:
    """Return a table's definition as we write it."""
    with closing(apsw.Connection(str(chunks_file(directory / "good")))) as connection:
        (sql,) = next(query(connection, "SELECT sql FROM sqlite_schema WHERE name = ?", (table,)))
        return str(sql)
