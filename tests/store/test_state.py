"""What an index directory remembers of the versions it has seen."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycontextify.errors import StoreError
from pycontextify.snapshot.freshness import Highest
from pycontextify.store.layout import Layout
from pycontextify.store.prune import prune
from pycontextify.store.recover import mend, repair_refs
from pycontextify.store.state import highest_seen, remember
from tests.store.generations import store

LINE = "default abc"
SEEN = Highest(42, "sha256:abc", "2026-11-22T10:00:00Z")


def damaged(layout: Layout, line: str = LINE) -> StoreError:
    """Return the error of a state that can't be read."""
    with pytest.raises(StoreError) as caught:
        highest_seen(layout, line)
    return caught.value


def test_what_was_seen_is_remembered(layout: Layout) -> None:
    """By whoever looks: another process, or this one after a restart."""
    assert highest_seen(layout, LINE) is None
    remember(layout, LINE, SEEN)
    assert highest_seen(Layout(layout.root), LINE) == SEEN
    later = Highest(43, "sha256:def", "2026-11-23T10:00:00Z")
    remember(layout, LINE, later)
    assert highest_seen(layout, LINE) == later


def test_looking_writes_nothing(layout: Layout) -> None:
    """Nor does remembering what is known: a refresh every minute does not wear out a disk."""
    assert highest_seen(layout, LINE) is None
    assert not layout.state.exists()
    remember(layout, LINE, SEEN)
    before = layout.state.stat()
    remember(layout, LINE, SEEN)
    assert (layout.state.stat().st_ino, layout.state.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


highests = st.builds(Highest, version=st.integers(0, 2**63 - 1), generation=st.text(max_size=9), at=st.text(max_size=9))


@settings(max_examples=25)
@given(steps=st.lists(st.tuples(st.text(max_size=9), highests), max_size=6))
def test_lines_are_remembered_each_for_itself(steps: list[tuple[str, Highest]]) -> None:
    """For any names and in any order: the last of each, also where that is lower, for somebody has meant it."""
    with tempfile.TemporaryDirectory() as directory:
        layout = Layout(Path(directory))
        layout.create()
        for line, highest in steps:
            remember(layout, line, highest)
        for line, highest in dict(steps).items():
            assert highest_seen(layout, line) == highest
        assert highest_seen(layout, "another line") is None


DAMAGED: list[bytes] = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"1",
    b'"highest"',
    b"\xff\xfe",
    b"{}",
    b"[" * 100_000,
    *(
        json.dumps({"highest": value}).encode()
        for value in (None, 1, True, "", "ab", [], [["a", 1]], ["ab"], {LINE: None})
    ),
]


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_state_is_an_error(layout: Layout, content: bytes) -> None:
    """Not to know is no reason to take anything: it says which file it is, and when that may go. It stays as it is."""
    layout.state.write_bytes(content)
    error = damaged(layout)
    assert (error.code, error.asset) == ("state_damaged", str(layout.state))
    assert "remove it" in (error.hint or "")
    if content != DAMAGED[-1]:
        with pytest.raises(StoreError) as caught:
            remember(layout, LINE, SEEN)
        assert caught.value.code == "state_damaged"
        assert layout.state.read_bytes() == content


WRONG: dict[str, list[Any]] = {
    "version": [None, -1, 1.5, "42", True, 2**63, [42]],
    "generation": [None, 1, ["x"], "\ud800"],
    "at": [None, 1, {}, "\ud800"],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG.items() for value in values])
def test_a_line_of_the_wrong_kind_is_an_error(layout: Layout, key: str, value: Any) -> None:
    """Every field, missing or given what it must not be; the other lines can still be read."""
    remember(layout, LINE, SEEN)
    remember(layout, "other", SEEN)
    raw = json.loads(layout.state.read_bytes())
    raw["highest"][LINE][key] = value
    layout.state.write_bytes(json.dumps(raw).encode())
    assert damaged(layout).code == "state_damaged"
    assert highest_seen(layout, "other") == SEEN
    del raw["highest"][LINE][key]
    layout.state.write_bytes(json.dumps(raw).encode())
    assert damaged(layout).code == "state_damaged"


@given(content=st.binary(max_size=100))
def test_arbitrary_bytes_are_an_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """And no other than that one."""
    layout = Layout(tmp_path_factory.getbasetemp() / "arbitrary")
    layout.create()
    layout.state.write_bytes(content)
    assert damaged(layout).code == "state_damaged"


def test_a_state_that_can_not_be_read_is_an_error(layout: Layout) -> None:
    """A directory in its place, say: the system's word for it, and still nothing is taken."""
    layout.state.mkdir()
    assert damaged(layout).code == "disk_failed"


def test_it_outlives_every_generation(layout: Layout) -> None:
    """Pruned, mended, lost or repaired: whatever becomes of blobs and refs, what was seen was seen."""
    remember(layout, LINE, SEEN)
    generation = store(layout, 1, b"vectors", b"chunks")
    layout.activate(generation)
    layout.create()
    prune(layout)
    mend(layout, layout.refs().refs["current"], "a test")
    (layout.root / "index.json").write_bytes(b"{")
    repair_refs(layout)
    shutil.rmtree(layout.blob_directory)
    (layout.root / "index.json").unlink()
    layout.create()
    prune(layout)
    assert highest_seen(layout, LINE) == SEEN
