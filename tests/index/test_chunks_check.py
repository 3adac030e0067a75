"""Whatever could make a search fail later is refused when everything is read once; what is not there is never found."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from pycontextify.errors import ValidateError
from pycontextify.index.chunks import Chunks
from tests.index.made import Entries, chunks_file, document, few_entries, many_entries, passages

REWRITE = "PRAGMA writable_schema=1; UPDATE sqlite_schema SET "
LOOSE = REWRITE + "sql = replace(sql, ' STRICT', '') WHERE name = 'chunks'"
STRICT = REWRITE + "sql = sql || ' STRICT' WHERE name = 'chunks'"
LOOSE_WORDS, STRICT_WORDS = (each.replace("'chunks'", "'words'") for each in (LOOSE, STRICT))
TWICE = REWRITE + "rootpage = rootpage - 1 WHERE name = 'chunks'"
RETRIES_IN_ROW = "UPDATE words SET postings = {postings} WHERE word = 'retri'"


def _change(path: Path, *statements: str) -> None:
    """Change a chunks file as somebody could who wants to, on a connection for each, for a schema is read once."""
    for sql in statements:
        with closing(apsw.Connection(str(path))) as connection:
            connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
            connection.execute(sql).fetchall()


@pytest.mark.parametrize("entries", [few_entries(), many_entries(), [], [(document(), passages("", "\0", "é" * 9000))]])
def test_what_is_written_passes(tmp_path: Path, entries: Entries) -> None:
    """Few chunks, many with a dictionary, none, and odd ones."""
    with closing(Chunks.open(chunks_file(tmp_path / "chunks", entries))) as opened:
        assert opened.check() == sum(len(chunks) for _, chunks in entries)


WRONG = {
    "an undecodable text": (["UPDATE chunks SET text = x'00' WHERE id = 5"], "unreadable"),
    "a text of another type": ([LOOSE, "UPDATE chunks SET text = 'plain' WHERE id = 5", STRICT], "unreadable"),
    "a symbol of no encoding": (["UPDATE chunks SET symbol = CAST(x'ff' AS TEXT) WHERE id = 5"], "unreadable"),
    "a chunk of another document": (["UPDATE chunks SET document = 0 WHERE id = 2"], "incoherent"),
    "a chunk of no document": (["UPDATE chunks SET document = 77 WHERE id = 2"], "incoherent"),
    "a gap": (["DELETE FROM chunks WHERE id = 2"], "incoherent"),
    "rows that nobody has": (["UPDATE documents SET row_count = 1 WHERE id = 0"], "incoherent"),
    "a path as long as a book": (["UPDATE documents SET path = hex(zeroblob(3000)) WHERE id = 1"], "incoherent"),
    "words of a row too many": ([RETRIES_IN_ROW.format(postings="x'0106ff'")], "unreadable"),
    "words of no row": ([RETRIES_IN_ROW.format(postings="x'01'")], "unreadable"),
    "words in pieces": ([RETRIES_IN_ROW.format(postings="x'02ffff'")], "unreadable"),
    "words of no width": ([RETRIES_IN_ROW.format(postings="x'030000'")], "unreadable"),
    "words of nothing": ([RETRIES_IN_ROW.format(postings="x''")], "unreadable"),
    "words of another type": (
        [LOOSE_WORDS, RETRIES_IN_ROW.format(postings="'text'"), STRICT_WORDS],
        "unreadable",
    ),
    "a page used twice": ([TWICE], "unreadable"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_would_fail_later_is_refused(tmp_path: Path, wrong: str) -> None:
    """Each in a file that opens, for its head and its schema are as they should be."""
    statements, code = WRONG[wrong]
    path = chunks_file(tmp_path / "chunks")
    _change(path, *statements)
    with closing(Chunks.open(path)) as opened:
        for _ in range(5):  # more often than there are connections
            with pytest.raises(ValidateError) as caught:
                opened.check()
            assert caught.value.code == f"chunks_{code}"
            assert caught.value.hint


@pytest.mark.parametrize("postings", ["x'0106ff'", "x'04ffffffffff'", "x''", "x'02ffff'", "x'ff'", "'text'", "NULL"])
def test_a_row_that_is_not_there_is_never_found(tmp_path: Path, postings: str) -> None:
    """Though the words of one be in the index, before anything was checked: that search fails, and says why."""
    path = chunks_file(tmp_path / "chunks")
    loose = LOOSE_WORDS.replace("' STRICT', ''", "' NOT NULL) STRICT', ')'")
    strict = REWRITE + "sql = replace(sql, 'BLOB)', 'BLOB NOT NULL) STRICT') WHERE name = 'words'"
    _change(path, loose, RETRIES_IN_ROW.format(postings=postings), strict)
    with closing(Chunks.open(path)) as opened:
        with pytest.raises(ValidateError) as caught:
            opened.match("retries", allowed=None, deleted=None, limit=9)
        assert caught.value.code == "chunks_unreadable"
        assert set(opened.match("pause", allowed=None, deleted=None, limit=9)) == {1}


def test_a_row_number_beyond_all_bounds_takes_no_memory(tmp_path: Path) -> None:
    """A score is kept for each row up to the last, so that one is not believed."""
    path = chunks_file(tmp_path / "chunks")
    _change(path, "UPDATE chunks SET id = 1 << 62 WHERE id = 5")
    with closing(Chunks.open(path)) as opened:
        for ask in (opened.last_row, lambda: opened.match("pause", allowed=None, deleted=None, limit=9)):
            with pytest.raises(ValidateError) as caught:
                ask()
            assert caught.value.code == "chunks_unreadable"


def test_documents_are_listed_with_their_tags_in_one_go(tmp_path: Path) -> None:
    """However many have the same tag: 3,000 documents were five million rows of the table of tags, beyond the bound."""
    entries = [(document(f"{n}.md", tags=("a", f"t{n % 3}")), passages("text")) for n in range(3000)]
    with closing(Chunks.open(chunks_file(tmp_path / "chunks", entries))) as opened:
        assert [stored.document for stored in opened.documents()] == [each for each, _ in entries]
        assert [found.document.tags for found in opened.read(range(3))] == [("a", "t0"), ("a", "t1"), ("a", "t2")]


def test_tags_asked_for_twice_count_once(tmp_path: Path) -> None:
    """And more tags than any document has select nothing, without an error."""
    with closing(Chunks.open(chunks_file(tmp_path / "chunks"))) as opened:
        for tags, rows in [
            (["net", "net"], [0, 1, 2]),
            (["net", "docs", "net"], [0, 1]),
            ([f"{n}" for n in range(5000)], []),
        ]:
            assert opened.select(tags=tags, path=None, language=None).tolist() == rows
