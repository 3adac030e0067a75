"""Segments: two files and a list of deleted rows that must fit each other."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import apsw
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.errors import StoreError, ValidateError
from pycontextify.index.model import Query
from pycontextify.index.segment import Segment, pack_deleted
from pycontextify.snapshot.config import SegmentInfo
from pycontextify.snapshot.digest import digest_of
from pycontextify.store.layout import Layout
from tests.fakes.encoder import TinyEncoder
from tests.fakes.generation import Doc, make_generation

DOCS = [
    Doc("a.md", ("first alpha", "second alpha"), language="markdown", tags=("docs",)),
    Doc("b.py", ("third beta",), language="python"),
    Doc("c.py", ("fourth alpha", "fifth gamma", "sixth delta"), tree="other", language="python", tags=("docs", "net")),
]


def _info(layout: Layout, deleted: tuple[str, ...] = ()) -> SegmentInfo:
    return layout.config(make_generation(layout, DOCS, deleted=deleted)).segments[0]


def _mapped(path: Path) -> bool:
    """Tell whether a file is mapped, where the system tells."""
    maps = Path("/proc/self/maps")
    return maps.exists() and str(path) in maps.read_text(encoding="utf-8")


def test_both_parts_share_their_row_numbers(layout: Layout) -> None:
    """The vector of every row is that of its chunk's text."""
    encoder = TinyEncoder()
    with closing(Segment.open(_info(layout), layout.blob_path)) as segment:
        assert segment.live_rows == segment.vectors.rows == segment.chunks.rows() == 6
        assert segment.deleted is None
        for row in range(6):
            text = segment.chunks.read([row])[0].chunk.text
            vector = segment.vectors.reconstruct(row, 1)[0]
            np.testing.assert_allclose(vector, encoder.embed_query(text), atol=1e-3)
            assert next(iter(segment.dense(encoder.embed_query(text), Query(text), 3))) == row
            assert row in segment.keyword(Query(text), 6)


def test_deleted_rows_count_for_nothing(layout: Layout) -> None:
    """Neither side finds them, their documents are gone, and the counts say so."""
    encoder = TinyEncoder()
    info = _info(layout, ("a.md", "b.py"))
    assert (info.rows, info.documents) == (6, 1)
    with closing(Segment.open(info, layout.blob_path)) as segment:
        assert segment.deleted is not None
        assert segment.deleted.tolist() == [True, True, True, False, False, False]
        assert segment.live_rows == 3
        assert [stored.document.path for stored in segment.live_documents()] == ["c.py"]
        assert set(segment.dense(encoder.embed_query("alpha"), Query("alpha"), 10)) == {3, 4, 5}
        assert set(segment.keyword(Query("alpha"), 10)) == {3}


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        (Query("alpha"), {0, 1, 3}),
        (Query("alpha", tags=("docs",)), {0, 1, 3}),
        (Query("alpha", tags=("net",)), {3}),
        (Query("alpha", path="*.md"), {0, 1}),
        (Query("alpha", path="other/*"), {3}),
        (Query("alpha", language="python"), {3}),
        (Query("alpha", language="python", tags=("docs",), path="*.md"), set()),
    ],
)
def test_filters_hold_on_both_sides(layout: Layout, query: Query, rows: set[int]) -> None:
    """The same rows pass for vectors and for words."""
    embedding = TinyEncoder().embed_query(query.text)
    with closing(Segment.open(_info(layout), layout.blob_path)) as segment:
        assert set(segment.keyword(query, 10)) == rows
        found = segment.dense(embedding, query, 10)
        assert rows <= set(found)
        texts = {row: segment.chunks.read([row])[0] for row in found}
        assert all(set(query.tags) <= set(each.document.tags) for each in texts.values())
        assert all(query.language in (None, each.document.language) for each in texts.values())


@pytest.mark.parametrize("rows", [0, 5, 7])
def test_other_row_counts_than_promised_are_refused(layout: Layout, rows: int) -> None:
    """The config's count is what both files must have."""
    with pytest.raises(ValidateError, match="row counts differ") as caught:
        Segment.open(replace(_info(layout), rows=rows), layout.blob_path)
    assert caught.value.code == "rows_differ"
    assert caught.value.hint


def test_parts_of_different_builds_are_refused(layout: Layout) -> None:
    """Vectors of one, chunks of another, and neither stays open."""
    info = _info(layout)
    other = layout.config(make_generation(layout, ["one", "two"])).segments[0]
    for mixed in (replace(info, chunks=other.chunks), replace(info, vectors=other.vectors)):
        before = len(apsw.connections())
        with pytest.raises(ValidateError) as caught:
            Segment.open(mixed, layout.blob_path)
        assert caught.value.code == "rows_differ"
        assert len(apsw.connections()) == before
        assert not _mapped(layout.blob_path(mixed.vectors))


@pytest.mark.parametrize("part", ["vectors", "chunks", "deleted"])
def test_a_missing_part_is_a_matter_of_the_disk(layout: Layout, part: str) -> None:
    """Nothing is wrong with the snapshot: no rejection. And what was open already is closed."""
    info = _info(layout, ("a.md",))
    path = layout.blob_path(
        {"vectors": info.vectors, "chunks": info.chunks, "deleted": info.deleted or info.chunks}[part]
    )
    path.unlink()
    before = len(apsw.connections())
    with pytest.raises(StoreError) as caught:
        Segment.open(info, layout.blob_path)
    assert (caught.value.code, caught.value.asset) == ("blob_missing", path.name)
    assert caught.value.hint
    assert len(apsw.connections()) == before
    assert not _mapped(layout.blob_path(info.vectors))


@pytest.mark.parametrize("row", [-1, 6, 2**40])
def test_documents_of_rows_that_it_has_not_are_refused(layout: Layout, row: int) -> None:
    """Whether one counts is looked up by its first row: no error of numpy's, and no other row by mistake."""
    info = _info(layout)
    with closing(apsw.Connection(str(layout.blob_path(info.chunks)))) as connection:
        connection.execute("UPDATE documents SET first_row = ? WHERE id = 0", (row,))
    with closing(Segment.open(info, layout.blob_path)) as segment, pytest.raises(ValidateError) as caught:
        segment.live_spans()
    assert caught.value.code == "documents_differ"


@given(rows=st.lists(st.integers(0, 2**32 - 1)))
def test_deleted_rows_are_packed_canonically(rows: list[int]) -> None:
    """Sorted, each once, four bytes little-endian: the same rows are the same blob."""
    content = pack_deleted(rows)
    assert np.frombuffer(content, "<u4").tolist() == sorted(set(rows))
    assert content == pack_deleted(set(rows)) == pack_deleted(reversed(rows))


@pytest.mark.parametrize(
    ("content", "mask"),
    [
        (b"", [0, 0, 0, 0, 0, 0]),
        (b"\x05\0\0\0", [0, 0, 0, 0, 0, 1]),
        (b"\x00\0\0\0\x02\0\0\0", [1, 0, 1, 0, 0, 0]),
        (b"\x02\0\0\0\x00\0\0\0\x02\0\0\0", [1, 0, 1, 0, 0, 0]),
        (pack_deleted(range(6)), [1, 1, 1, 1, 1, 1]),
    ],
)
def test_a_deleted_blob_is_a_list_of_rows(layout: Layout, content: bytes, mask: list[int]) -> None:
    """None, one, several, in any order and more than once, all."""
    info = replace(_info(layout), deleted=layout.add_bytes(content))
    with closing(Segment.open(info, layout.blob_path)) as segment:
        assert segment.deleted is not None
        assert segment.deleted.astype(int).tolist() == mask
        assert segment.live_rows == 6 - sum(mask)


@pytest.mark.parametrize("content", [b"\x06\0\0\0", b"\xff\xff\xff\xff", b"\0", b"\0\0\0", b"\0\0\0\0\0"])
def test_a_deleted_blob_that_is_none_is_refused(layout: Layout, content: bytes) -> None:
    """Rows beyond the last, or half a number; and nothing stays open."""
    info = replace(_info(layout), deleted=layout.add_bytes(content))
    before = len(apsw.connections())
    with pytest.raises(ValidateError) as caught:
        Segment.open(info, layout.blob_path)
    assert (caught.value.code, caught.value.asset) == ("deleted_invalid", digest_of(content).hex)
    assert caught.value.hint
    assert len(apsw.connections()) == before
    assert not _mapped(layout.blob_path(info.vectors))
