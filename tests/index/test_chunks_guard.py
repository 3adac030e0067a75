"""What an open chunks file can't be made to do, whatever it holds and whatever lies beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from pycontextify.errors import ValidateError
from pycontextify.index.chunks import Chunks
from pycontextify.index.chunks_file import allow_steps, connect, query
from tests.index.made import chunks_file, document, passages

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
PAGE = 4096


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A chunks file as it is opened for reading."""
    with closing(connect(chunks_file(tmp_path / "chunks"))) as connection:
        yield connection


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM chunks",
        "INSERT INTO meta VALUES('k', '1')",
        "INSERT INTO words VALUES(99, 'word', x'0100ff')",
        "CREATE TABLE extra(x)",
        "CREATE TEMP TABLE extra(x)",
        "CREATE TEMP VIEW extra AS SELECT 1",
        "CREATE VIRTUAL TABLE temp.extra USING fts5vocab(main, words, row)",
        "DROP TABLE chunks",
        "ATTACH ':memory:' AS other",
        "VACUUM INTO 'elsewhere'",
        "BEGIN IMMEDIATE",
        "PRAGMA writable_schema=1",
        "PRAGMA query_only=0",
        "PRAGMA mmap_size=1000000",
        "SELECT * FROM pragma_database_list",
        "SELECT load_extension('anything')",
        "SELECT randomblob(100000000)",
        "SELECT fts5(NULL)",
        "SELECT * FROM json_each('[1]')",
        "SELECT * FROM dbstat",
        "ANALYZE",
    ],
)
def test_nothing_but_reading_our_tables_is_let_through(connection: apsw.Connection, sql: str) -> None:
    """Statements that none of ours are: refused before they run."""
    with pytest.raises((apsw.AuthError, apsw.SQLError)):
        connection.execute(sql).fetchall()


def test_sqlites_own_guards_are_on(connection: apsw.Connection) -> None:
    """All of what is advised for files from elsewhere, on every connection."""
    for guard, state in {
        apsw.SQLITE_DBCONFIG_DEFENSIVE: 1,
        apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA: 0,
        apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER: 0,
        apsw.SQLITE_DBCONFIG_ENABLE_VIEW: 0,
    }.items():
        assert connection.config(guard, -1) == state
    connection.authorizer = None
    for pragma, state in {"query_only": 1, "cell_size_check": 1, "mmap_size": 0}.items():
        assert connection.execute(f"PRAGMA {pragma}").fetchone() == (state,)


def test_every_limit_is_lowered(connection: apsw.Connection) -> None:
    """None is left as it comes, those of a later SQLite included; so a new one makes this fail until it is set."""
    names = [name for name in dir(apsw) if name.startswith("SQLITE_LIMIT_")]
    with closing(apsw.Connection(":memory:")) as fresh:
        for name in names:
            limit = getattr(apsw, name)
            before = fresh.limit(limit)
            assert connection.limit(limit) < before or before == 0, name


def test_what_never_ends_is_ended(connection: apsw.Connection) -> None:
    """And the connection is as good as before, for as many statements as there are."""
    for _ in range(3):
        allow_steps(connection, 0)
        with pytest.raises(apsw.InterruptError):
            connection.execute(ENDLESS).fetchall()
    for _ in range(30):
        allow_steps(connection, 0)
        long = connection.execute(ENDLESS.replace("FROM n)", "FROM n WHERE i < 20000)")).fetchall()
        assert long == [(20000,)]


def test_words_that_repeat_are_no_endless_work(tmp_path: Path) -> None:
    """The most steps for the fewest bytes: texts that pack to next to nothing, and take a byte a word in the index."""
    path = chunks_file(tmp_path / "chunks", [(document(), passages(*["a " * 100_000] * 8))])
    assert path.stat().st_size < 1_000_000
    with closing(Chunks.open(path)) as opened:
        assert opened.check() == 8


def _endless_meta(content: bytes) -> bytes:
    """Return a chunks file whose ``meta`` is a tree of ten levels, each page of which has one child 200 times.

    (https://sqlite.org/fileformat2.html, section 1.6: interior pages of an index have the type 2, its leaves 10.)
    """
    pages = len(content) // PAGE
    cell = b"\x05\x03\x0f\x0fk1"  # five bytes: a record of the texts "k" and "1"
    for level in range(10):
        child, kind = (pages + level + 2).to_bytes(4, "big"), b"\x02" if level < 9 else b"\x0a"
        cells = [(child if level < 9 else b"") + cell] * 200
        starts = [PAGE - sum(map(len, cells[: place + 1])) for place in range(200)]
        head = kind + bytes(2) + (200).to_bytes(2, "big") + starts[-1].to_bytes(2, "big") + b"\0"
        head += child if level < 9 else b""
        page = head + b"".join(start.to_bytes(2, "big") for start in starts)
        content += page.ljust(starts[-1], b"\0") + b"".join(cells)
    return content[:28] + (len(content) // PAGE).to_bytes(4, "big") + content[32:]


def test_a_tree_that_leads_nowhere_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    """A hundred kilobytes that take longer to read than there is time: 200 to the power of ten rows."""
    path = chunks_file(tmp_path / "chunks")
    content = path.read_bytes()
    with closing(apsw.Connection(str(path))) as connection:
        ((root,),) = query(connection, "SELECT rootpage FROM sqlite_schema WHERE name = 'meta'")
    endless = _endless_meta(content)
    first = endless[len(content) : len(content) + PAGE]
    path.write_bytes(endless[: (root - 1) * PAGE] + first + endless[root * PAGE :])
    with pytest.raises(ValidateError, match="interrupted") as caught:
        Chunks.open(path)
    assert caught.value.code == "chunks_unreadable"


def test_a_log_beside_the_file_is_not_read(tmp_path: Path) -> None:
    """A file in WAL mode, its log beside it: only what is in the file itself, whose digest was verified, is served."""
    made, path = chunks_file(tmp_path / "made"), tmp_path / "chunks"
    with closing(apsw.Connection(str(made))) as connection:
        connection.execute("PRAGMA journal_mode=WAL").fetchall()
        connection.execute("UPDATE chunks SET symbol = 'of the log'")
        log = made.with_name("made-wal")
        assert log.stat().st_size > 0
        for suffix in ("", "-wal", "-shm"):
            shutil.copy(f"{made}{suffix}", f"{path}{suffix}")
    assert path.read_bytes()[18:20] == b"\2\2"
    _must_stay_as_it_is(path, ["-wal", "-shm"], "HttpServer")
    assert _symbol_for_others(path) == "of the log"


def test_a_journal_beside_the_file_is_not_rolled_back(tmp_path: Path) -> None:
    """A hot journal: others would write its pages into the file before they read."""
    made, path = chunks_file(tmp_path / "made"), tmp_path / "chunks"
    before = made.read_bytes()
    with closing(apsw.Connection(str(made))) as connection:
        connection.execute("PRAGMA journal_mode=DELETE; PRAGMA cache_size=1; PRAGMA cache_spill=1").fetchall()
        connection.execute("BEGIN; UPDATE chunks SET symbol = 'of the journal'")
        connection.cache_flush()
        shutil.copy(f"{made}-journal", f"{path}-journal")
        spoilt = made.read_bytes()
        connection.execute("ROLLBACK")
    path.write_bytes(spoilt)
    assert spoilt != before
    _must_stay_as_it_is(path, ["-journal"], "of the journal")
    assert _symbol_for_others(path) == "HttpServer"
    assert path.read_bytes() == before


def _symbol_for_others(path: Path) -> object:
    """Open a chunks file as SQLite opens any, and read a chunk's symbol."""
    with closing(apsw.Connection(str(path))) as connection:
        ((symbol,),) = query(connection, "SELECT symbol FROM chunks WHERE id = 2")
        return symbol


def _must_stay_as_it_is(path: Path, beside: list[str], symbol: str) -> None:
    files = {name: Path(f"{path}{name}").read_bytes() for name in ("", *beside)}
    with closing(Chunks.open(path)) as opened:
        assert opened.check() == 6
        assert opened.read([2])[0].chunk.symbol == symbol
    assert files == {name: Path(f"{path}{name}").read_bytes() for name in files}
