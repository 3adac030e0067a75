"""Writing segments, reading them back to carry on with, and the rule for when to merge."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.errors import StoreError
from pycontextify.index.assemble import Entry, carried_entries, should_merge, stage_bytes, stage_segment
from pycontextify.index.segment import Segment
from pycontextify.snapshot.digest import digest_of
from pycontextify.store.layout import Layout
from tests.fakes.encoder import TinyEncoder
from tests.fakes.generation import Doc, entry_of, make_generation

DOCS = [
    Doc("a.md", ("first alpha", "second alpha"), tags=("docs",)),
    Doc("b.py", ("third beta",), language="python", symbol="Beta.third"),
    Doc("c.py", ("fourth alpha", "fifth gamma", "sixth delta"), tree="other"),
]
META = {"schema": 1, "encoder": {"digest": "x"}}


def _entries() -> list[Entry]:
    return [entry_of(doc, TinyEncoder()) for doc in DOCS]


def _same(entry: Entry, other: Entry) -> bool:
    """Tell whether two entries are the same, their vectors to half-float precision."""
    return (
        entry.document == other.document
        and list(entry.chunks) == list(other.chunks)
        and np.allclose(entry.vectors, other.vectors, atol=1e-3)
    )


def test_a_staged_segment_is_described_by_its_digests(tmp_path: Path) -> None:
    """Its two files lie where it says, and count what went in."""
    staged = stage_segment(tmp_path, _entries(), META, 32)
    assert (staged.info.rows, staged.info.documents, staged.info.deleted) == (6, 3, None)
    assert staged.files.keys() == {staged.info.vectors, staged.info.chunks}
    for digest, path in staged.files.items():
        assert path.parent == tmp_path
        assert digest_of(path.read_bytes()) == digest


def test_the_same_entries_give_the_same_segment(tmp_path: Path) -> None:
    """Wherever it is staged: republishing what has not changed moves nothing."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    infos = [stage_segment(tmp_path / name, _entries(), META, 32).info for name in ("one", "two")]
    assert infos[0] == infos[1]


def test_a_segment_of_nothing_can_be_staged(tmp_path: Path) -> None:
    """An index whose last document went still is one."""
    staged = stage_segment(tmp_path, [], META, 32)
    with closing(Segment.open(staged.info, lambda digest: staged.files[digest])) as segment:
        assert (segment.live_rows, segment.vectors.dimension, segment.live_documents()) == (0, 32, [])
        assert carried_entries(segment, ()) == []


def test_what_was_staged_is_carried_on(tmp_path: Path) -> None:
    """Documents, chunks and vectors come back as they went in, and make the same blobs again."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    staged = stage_segment(tmp_path / "one", _entries(), META, 32)
    with closing(Segment.open(staged.info, lambda digest: staged.files[digest])) as segment:
        carried = carried_entries(segment, ())
    assert all(_same(*pair) for pair in zip(carried, _entries(), strict=True))
    assert stage_segment(tmp_path / "two", carried, META, 32).info == staged.info


@pytest.mark.parametrize(
    ("deleted", "gone", "left"),
    [
        ((), (), ["a.md", "b.py", "c.py"]),
        (("b.py",), (), ["a.md", "c.py"]),
        ((), (0, 1), ["b.py", "c.py"]),
        (("a.md",), (3, 4, 5), ["b.py"]),
        (("a.md", "b.py", "c.py"), (), []),
    ],
)
def test_what_is_deleted_or_gone_is_not_carried_on(
    layout: Layout, deleted: tuple[str, ...], gone: tuple[int, ...], left: list[str]
) -> None:
    """Neither what the segment has deleted nor what the caller leaves out."""
    info = layout.config(make_generation(layout, DOCS, deleted=deleted)).segments[0]
    with closing(Segment.open(info, layout.blob_path)) as segment:
        carried = carried_entries(segment, gone)
    assert [entry.document.path for entry in carried] == left
    expected = [entry for entry in _entries() if entry.document.path in left]
    assert all(_same(*pair) for pair in zip(carried, expected, strict=True))


def test_small_blobs_are_staged_by_their_digest(tmp_path: Path) -> None:
    """The path can be given its place as it is."""
    digest, path = stage_bytes(tmp_path, b"deleted")
    assert digest == digest_of(b"deleted")
    assert path.read_bytes() == b"deleted"


@pytest.mark.parametrize("obstacle", ["vectors", "chunks"])
def test_what_the_disk_does_not_take_is_a_store_error(tmp_path: Path, obstacle: str) -> None:
    """FAISS's, SQLite's and the system's own errors do not get out."""
    (tmp_path / obstacle).mkdir()
    with pytest.raises(StoreError) as caught:
        stage_segment(tmp_path, _entries(), META, 32)
    assert caught.value.code == "disk_write_failed"
    assert caught.value.hint
    for stage in (
        lambda: stage_segment(tmp_path / "missing", _entries(), META, 32),
        lambda: stage_bytes(tmp_path / "missing", b"x"),
    ):
        with pytest.raises(StoreError):
            stage()


counts = st.lists(st.integers(0, 1000), max_size=12)


@given(rows=counts, added=st.integers(0, 1000))
def test_few_whole_segments_are_kept(rows: list[int], added: int) -> None:
    """Without deletions, only their number decides: eight are kept, nine are too many."""
    segments = len(rows) + (added > 0)
    assert should_merge(rows, [0] * len(rows), added=added) == (segments > 8)


@pytest.mark.parametrize(
    ("rows", "deleted", "added", "merge"),
    [
        ([], [], 0, False),
        ([], [], 100, False),
        ([100], [25], 0, False),
        ([100], [26], 0, True),
        ([100], [26], 100, False),
        ([50, 50], [20, 20], 0, True),
        ([100], [100], 0, True),
        ([10] * 8, [0] * 8, 0, False),
        ([10] * 8, [0] * 8, 1, True),
    ],
)
def test_too_many_deleted_rows_call_for_a_merge(rows: list[int], deleted: list[int], added: int, merge: bool) -> None:
    """More than a quarter of all there will be."""
    assert should_merge(rows, deleted, added=added) is merge


@given(rows=st.lists(st.integers(1, 1000), min_size=1, max_size=8), data=st.data())
def test_more_deletions_never_speak_against_a_merge(rows: list[int], data: st.DataObject) -> None:
    """The rule only ever tips one way."""
    fewer = [data.draw(st.integers(0, count)) for count in rows]
    more = [data.draw(st.integers(low, count)) for low, count in zip(fewer, rows, strict=True)]
    assert should_merge(rows, more, added=0) >= should_merge(rows, fewer, added=0)
