"""The chunks file: what is written is read back, many threads at a time, and a foreign file is refused whole."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pycontextify.errors import ValidateError
from pycontextify.index.chunks import Chunks
from pycontextify.index.chunks_file import query, write_chunks
from pycontextify.index.model import Chunk, Document
from tests.index.made import META, Entries, chunks_file, document, few_entries, many_entries, passages


@pytest.fixture
def chunks(tmp_path: Path) -> Iterator[Chunks]:
    """A small chunks file, open."""
    with closing(Chunks.open(chunks_file(tmp_path / "chunks"))) as chunks:
        yield chunks


lines = st.integers(0, 2**31)
some_chunks = st.lists(
    st.builds(Chunk, st.text(max_size=200), lines, lines, st.sampled_from(["text", "function"]), st.text(max_size=10)),
    min_size=1,
    max_size=4,
)
some_documents = st.builds(
    Document,
    path=st.text(min_size=1, max_size=10),
    tree=st.text(max_size=5),
    language=st.text(max_size=5),
    content_hash=st.just("0" * 64),
    size=st.integers(0, 2**40),
    tags=st.lists(st.text(max_size=5), unique=True, max_size=3).map(lambda tags: tuple(sorted(tags))),
)
some_entries = st.lists(
    st.tuples(some_documents, some_chunks), max_size=5, unique_by=lambda entry: (entry[0].tree, entry[0].path)
)


@settings(max_examples=30)
@given(entries=some_entries)
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, entries: Entries) -> None:
    """Every document and chunk, in order, whatever their text; and the file says of itself what it was given."""
    path = chunks_file(tmp_path_factory.mktemp("chunks") / "chunks", entries)
    flat = [(document, chunk) for document, each in entries for chunk in each]
    with closing(Chunks.open(path)) as opened:
        assert opened.meta == {**META, "dictionary": None}
        assert opened.check() == opened.rows() == len(flat)
        assert opened.rows() == len(flat) == opened.last_row() + 1
        assert [(found.document, found.chunk) for found in opened.read(range(len(flat)))] == flat
        assert [stored.document for stored in opened.documents()] == [document for document, _ in entries]
        first = 0
        for stored, (_, each) in zip(opened.documents(), entries, strict=True):
            assert (stored.first_row, stored.row_count) == (first, len(each))
            first += len(each)


def test_a_large_set_is_packed_with_a_dictionary(tmp_path: Path) -> None:
    """It is kept in the file, makes it smaller, and every text comes back."""
    entries = many_entries()
    with closing(Chunks.open(chunks_file(tmp_path / "chunks", entries))) as opened:
        assert opened.meta["dictionary"]
        texts = [found.chunk.text for found in opened.read(range(opened.rows()))]
    assert texts == [chunk.text for _, each in entries for chunk in each]
    with closing(apsw.Connection(str(tmp_path / "chunks"))) as connection:
        (packed,) = next(query(connection, "SELECT sum(length(text)) FROM chunks"))
    alone = sum(len(zstandard.ZstdCompressor(level=10).compress(text.encode())) for text in texts)
    assert packed < alone / 2


def test_texts_too_alike_to_learn_from_are_packed_alone(tmp_path: Path) -> None:
    """A thousand times the same line: no dictionary, and no error."""
    entries = [(document(f"m{n}.md"), passages(*["the same line"] * 4)) for n in range(250)]
    with closing(Chunks.open(chunks_file(tmp_path / "chunks", entries))) as opened:
        assert opened.read([999])[0].chunk.text == "the same line"


@pytest.mark.parametrize("entries", [[], few_entries(), many_entries()], ids=["none", "few", "many"])
def test_the_same_chunks_give_the_same_bytes(tmp_path: Path, entries: Entries) -> None:
    """With a dictionary or without, in whatever order the meta is given: the digest of a segment hangs on it."""
    chunks_file(tmp_path / "one", entries)
    write_chunks(tmp_path / "two", lambda: dict(reversed(META.items())), entries)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_file_without_chunks_is_one(tmp_path: Path) -> None:
    """No rows, no documents, nothing found."""
    with closing(Chunks.open(chunks_file(tmp_path / "chunks", []))) as opened:
        assert (opened.rows(), opened.last_row(), opened.documents()) == (0, -1, [])
        assert opened.match("anything", allowed=None, deleted=None, limit=5) == {}
        assert len(opened.select(tags=(), path=None, language=None)) == 0


def test_rows_come_in_the_order_asked_for(chunks: Chunks) -> None:
    """And as often."""
    assert [found.row for found in chunks.read([4, 0, 4])] == [4, 0, 4]
    assert chunks.read([]) == []


def test_many_rows_come_with_their_own_documents_and_tags(tmp_path: Path) -> None:
    """More than one statement reads, of documents with tags, with others, and without any."""
    entries = [
        (replace(document, tags=("all", f"t{number % 3}") if number % 4 else ()), chunks)
        for number, (document, chunks) in enumerate(many_entries())
    ]
    expected = [(document.path, document.tags, chunk.text) for document, chunks in entries for chunk in chunks]
    order = [*range(319, -1, -1), 7, 7]
    with closing(Chunks.open(chunks_file(tmp_path / "chunks", entries))) as opened:
        found = [(each.document.path, each.document.tags, each.chunk.text) for each in opened.read(order)]
    assert found == [expected[row] for row in order]


@pytest.mark.parametrize("row", [-1, 6, 2**40])
def test_a_row_that_is_not_there_is_a_typed_error(chunks: Chunks, row: int) -> None:
    """The caller's vectors and these chunks do not belong together."""
    with pytest.raises(ValidateError) as caught:
        chunks.read([0, row])
    assert caught.value.code == "chunks_unreadable"
    assert caught.value.hint


def test_words_are_matched_best_first(chunks: Chunks) -> None:
    """By BM25, higher is better; word forms count; a symbol's or a path's words do too, and for more."""
    found = chunks.match("retry", allowed=None, deleted=None, limit=10)
    assert list(found)[:1] == [0]
    assert set(found) == {0, 1, 4}
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert min(found.values()) > 0
    assert list(chunks.match("http server", allowed=None, deleted=None, limit=10)) == [2]
    assert chunks.match("zebra", allowed=None, deleted=None, limit=10) == {}
    assert chunks.match("?!", allowed=None, deleted=None, limit=10) == {}


def test_masks_and_the_limit_are_obeyed(chunks: Chunks) -> None:
    """Only what is allowed, nothing that is deleted, the best of what is left; ties in the order of rows."""
    allowed, deleted = np.array([0, 1, 1, 1, 1, 1], bool), np.array([0, 0, 0, 0, 1, 0], bool)
    assert set(chunks.match("retry", allowed=allowed, deleted=None, limit=10)) == {1, 4}
    assert set(chunks.match("retry", allowed=None, deleted=deleted, limit=10)) == {0, 1}
    assert set(chunks.match("retry", allowed=allowed, deleted=deleted, limit=10)) == {1}
    assert len(chunks.match("retry", allowed=None, deleted=None, limit=2)) == 2
    assert chunks.match("retry", allowed=None, deleted=None, limit=0) == {}


def test_equal_scores_come_in_the_order_of_rows(tmp_path: Path) -> None:
    """The same query gives the same answer every time."""
    entries = [(document(f"{n:03}.md"), passages("zebra")) for n in range(50)]
    with closing(Chunks.open(chunks_file(tmp_path / "chunks", entries))) as opened:
        assert list(opened.match("zebra", allowed=None, deleted=None, limit=50)) == list(range(50))


@settings(max_examples=60)
@given(text=st.text(st.characters(), max_size=50))
def test_no_query_raises(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever is typed as a query or as a filter: an answer."""
    path = tmp_path_factory.getbasetemp() / "no-query-raises"
    if not path.exists():
        chunks_file(path)
    with closing(Chunks.open(path)) as opened:
        opened.match(text, allowed=None, deleted=None, limit=5)
        assert set(opened.select(tags=(text,), path=None, language=None)) <= set(range(6))
        assert set(opened.select(tags=(), path=text, language=None)) <= set(range(6))
        assert set(opened.select(tags=(), path=None, language=text)) <= set(range(6))


@pytest.mark.parametrize(
    ("filters", "rows"),
    [
        ({}, {0, 1, 2, 3, 4, 5}),
        ({"tags": ("net",)}, {0, 1, 2}),
        ({"tags": ("net", "docs")}, {0, 1}),
        ({"tags": ("Net",)}, set()),
        ({"language": "python"}, {2, 3, 4, 5}),
        ({"language": "Python"}, {2, 3, 4, 5}),
        ({"language": "pyth_n"}, set()),
        ({"language": ""}, set()),
        ({"language": "python", "tags": ("net",)}, {2}),
        ({"path": "*.py"}, {2, 3, 4, 5}),
        ({"path": "src/*"}, {2, 3, 4, 5}),
        ({"path": "tree/*"}, {0, 1, 2}),
        ({"path": "other/src/x.py"}, {3, 4, 5}),
        ({"path": "src/[hx]*"}, {2, 3, 4, 5}),
        ({"path": "src/?.py"}, {3, 4, 5}),
        ({"path": "*"}, {0, 1, 2, 3, 4, 5}),
        ({"path": "SRC/*"}, set()),
        ({"path": ""}, set()),
        ({"path": "*" * 60_000}, set()),
        ({"tags": ("\udcff",)}, set()),
        ({"path": "' OR 1 --"}, set()),
    ],
)
def test_filters_select_rows(chunks: Chunks, filters: dict[str, Any], rows: set[int]) -> None:
    """By tags, all of which must be there, by path or tree and path, by language, and by all of them together."""
    found = chunks.select(**{"tags": (), "path": None, "language": None, **filters})
    assert found.dtype == np.int64
    assert set(found.tolist()) == rows


globs = st.lists(st.sampled_from(["*", "?", "a", "b", "/", ".", "src/", ".py"]), max_size=6).map("".join)


@settings(max_examples=60)
@given(glob=globs)
def test_globs_mean_what_the_shell_means(tmp_path_factory: pytest.TempPathFactory, glob: str) -> None:
    """``*`` any characters, slashes too, ``?`` any single one: as Python's fnmatch has it."""
    names = ["a", "b.py", "a/b", "src/a.py", "src/b/a.py", "a.b"]
    path = tmp_path_factory.getbasetemp() / "globs"
    if not path.exists():
        chunks_file(path, [(document(name, tree="t"), passages("x")) for name in names])
    with closing(Chunks.open(path)) as opened:
        expected = [n for n, name in enumerate(names) if fnmatchcase(name, glob) or fnmatchcase(f"t/{name}", glob)]
        assert sorted(opened.select(tags=(), path=glob, language=None).tolist()) == expected


def test_many_threads_read_at_once(tmp_path: Path) -> None:
    """Eight threads on one open file, twice as many as it has connections, get the answers that one gets."""
    with closing(Chunks.open(chunks_file(tmp_path / "chunks", many_entries()))) as opened:
        expected = opened.match("fox chapter", allowed=None, deleted=None, limit=7)
        texts = [found.chunk.text for found in opened.read(range(320))]
        wrong: list[object] = []
        start = threading.Barrier(8)

        def read(seed: int) -> None:
            start.wait(30)
            for row in np.random.default_rng(seed).integers(0, 320, 40).tolist():
                found = opened.read([row, 319 - row])
                if [each.chunk.text for each in found] != [texts[row], texts[319 - row]]:
                    wrong.append(found)
                if opened.match("fox chapter", allowed=None, deleted=None, limit=7) != expected:
                    wrong.append(row)
                if len(opened.select(tags=(), path="m1?.md", language=None)) != 40:
                    wrong.append("select")

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


def test_a_file_may_go_while_it_is_open(tmp_path: Path) -> None:
    """Pruning deletes blobs under open views: every connection was opened at once. (Windows keeps the file.)"""
    path = chunks_file(tmp_path / "chunks")
    with closing(Chunks.open(path)) as opened:
        try:
            path.unlink()
        except PermissionError:
            assert path.exists()
        results: list[int] = []

        def read() -> None:
            results.append(len(opened.match("retry", allowed=None, deleted=None, limit=9)) + len(opened.read([0, 5])))

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [5] * 8
