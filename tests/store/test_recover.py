"""Recovery of refs: what is whole is found, in the right order, and made current with a note."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.history import CURRENT, RECOVERED, generations
from pycontextify.snapshot.manifest import RefTable
from pycontextify.snapshot.origin import BASE, SEEN
from pycontextify.store.layout import Layout
from pycontextify.store.recover import mend, repair_refs, whole_generations
from tests.store.generations import store


@pytest.fixture
def three(layout: Layout) -> list[Digest]:
    """Three generations, the third current; they share their first blob."""
    made = [store(layout, number, b"shared", b"chunks %d" % number) for number in (1, 2, 3)]
    for generation in made:
        layout.activate(generation, {SEEN: "[]"})
    return made


def whole(layout: Layout) -> list[Digest]:
    """The digests of what is whole, the best first."""
    return [target.digest for target in whole_generations(layout)]


def lose(layout: Layout, content: bytes) -> None:
    """Remove a blob."""
    layout.blob_path(digest_of(content)).unlink()


def test_what_was_served_last_comes_first(layout: Layout, three: list[Digest]) -> None:
    """By use, not by age."""
    layout.activate(three[0])
    assert whole(layout) == [three[0], three[2], three[1]]


@pytest.mark.parametrize("damage", ["missing", "size", "manifest"])
def test_what_is_damaged_is_passed_over(layout: Layout, three: list[Digest], damage: str) -> None:
    """A blob that is gone or of another size, or a manifest that is no longer true to its digest."""
    match damage:
        case "missing":
            lose(layout, b"chunks 3")
        case "size":
            layout.blob_path(digest_of(b"chunks 3")).write_bytes(b"chunks")
        case _:
            path = layout.blob_path(three[2])
            path.write_bytes(path.read_bytes().replace(b'"size":6', b'"size":7'))
    assert whole(layout) == [three[1], three[0]]


def test_without_a_shared_blob_nothing_is_whole(layout: Layout, three: list[Digest]) -> None:
    """And nothing is made up."""
    lose(layout, b"shared")
    assert whole(layout) == []


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"manifests": 1}'])
def test_without_index_json_the_blobs_tell(layout: Layout, three: list[Digest], content: bytes | None) -> None:
    """The newest first; blobs that are no manifests are none, whatever they look like."""
    layout.add_bytes(b"{}")
    layout.add_bytes(b'{"artifactType": "application/vnd.pycontextify.index.v1"}')
    (layout.root / "index.json").unlink()
    if content is not None:
        (layout.root / "index.json").write_bytes(content)
    lose(layout, b"chunks 2")
    assert whole(layout) == [three[2], three[0]]


def test_what_no_ref_has_comes_last(layout: Layout, three: list[Digest]) -> None:
    """A generation that was stored and not activated is better than none, and worse than any that was served."""
    stray = store(layout, 9, b"shared", b"chunks 9")
    assert whole(layout) == [*reversed(three), stray]


def test_a_manifest_tells_what_it_was_laid_over(layout: Layout) -> None:
    """So that local work is known as such when index.json is gone."""
    store(layout, 1, b"a", b"b", notes={BASE: "sha256:base", "other": "x"})
    (target,) = whole_generations(layout)
    assert target.annotations == {BASE: "sha256:base"}


def test_mending_makes_it_current_and_says_why(layout: Layout, three: list[Digest]) -> None:
    """With the annotations that it had; the rest of the history stays."""
    lose(layout, b"chunks 3")
    target = next(whole_generations(layout))
    mend(layout, target, "a blob was missing")
    current = layout.refs().refs[CURRENT]
    assert (current.digest, current.annotations[RECOVERED], current.annotations[SEEN]) == (
        three[1],
        "a blob was missing",
        "[]",
    )
    assert [each.digest for each in generations(layout.refs())] == [three[1], three[2], three[0]]


def test_a_damaged_index_json_is_rebuilt_and_kept(layout: Layout, three: list[Digest]) -> None:
    """With as many generations as are kept, by age: going back goes on working, and pruning takes none of them."""
    extra = store(layout, 0, b"shared", b"chunks 0")
    (layout.root / "index.json").write_bytes(b"{damaged")
    repair_refs(layout)
    assert [each.digest for each in generations(layout.refs())] == list(reversed(three))
    assert extra not in {each.digest for each in layout.refs().refs.values()}
    (kept,) = layout.root.glob("index.json.damaged-*")
    assert kept.read_bytes() == b"{damaged"


def test_a_sound_index_json_is_not_touched(layout: Layout, three: list[Digest]) -> None:
    """Not even rewritten."""
    before = (layout.root / "index.json").stat()
    repair_refs(layout)
    assert (layout.root / "index.json").stat() == before
    assert list(layout.root.glob("index.json.damaged-*")) == []


def test_a_damaged_index_json_over_nothing_is_emptied(layout: Layout) -> None:
    """Nothing is whole, so nothing is current, and the directory can be hydrated."""
    (layout.root / "index.json").write_bytes(b"")
    mend(layout, None, "damaged")
    assert layout.refs() == RefTable()


def test_looking_changes_nothing(layout: Layout, three: list[Digest], tmp_path: Path) -> None:
    """Nor does it make a directory."""
    before = {path: path.stat().st_mtime_ns for path in layout.root.rglob("*")}
    assert len(whole(layout)) == 3
    assert {path: path.stat().st_mtime_ns for path in layout.root.rglob("*")} == before
    assert whole(Layout(tmp_path / "nowhere")) == []
    assert not (tmp_path / "nowhere").exists()
