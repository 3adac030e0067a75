"""Pruning keeps exactly what the refs reach."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycontextify.errors import PyContextifyError, StoreError, ValidateError, VerifyError
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.history import CURRENT, PREVIOUS
from pycontextify.snapshot.manifest import CONFIG_TYPE, VECTORS_TYPE, Descriptor, Manifest, RefTable
from pycontextify.snapshot.referrer import EMPTY_CONFIG
from pycontextify.store.layout import Layout
from pycontextify.store.prune import living, prune
from pycontextify.store.signed import add_signature, signature_of
from tests.fakes.generation import make_generation
from tests.store.generations import store


def _store(layout: Layout, contents: list[bytes]) -> Digest:
    """Store a manifest of these blobs; the first is its config."""
    config, *layers = (
        Descriptor(VECTORS_TYPE if n else CONFIG_TYPE, layout.add_bytes(content), len(content))
        for n, content in enumerate(contents)
    )
    return layout.add_bytes(Manifest(config, tuple(layers)).to_bytes())


def _stored(layout: Layout) -> set[str]:
    return {path.name for path in layout.blob_files()}


contents = st.integers(0, 9).map(lambda number: b"x" * number)
generations = st.lists(st.lists(contents, min_size=1, max_size=4), max_size=4)


@settings(max_examples=15)
@given(generations=generations, strays=st.lists(contents, max_size=3), data=st.data())
def test_what_the_refs_reach_stays_and_nothing_else(
    generations: list[list[bytes]], strays: list[bytes], data: st.DataObject
) -> None:
    """For any manifests that share blobs in any way, and any refs to some of them."""
    with tempfile.TemporaryDirectory() as directory:
        layout = Layout(Path(directory))
        layout.create()
        manifests = [(_store(layout, blobs), blobs) for blobs in generations]
        for stray in strays:
            layout.add_bytes(stray)
        kept = data.draw(st.lists(st.sampled_from(manifests), max_size=3)) if manifests else []
        table = RefTable()
        for number, (manifest, _) in enumerate(kept):
            table = table.point(f"ref{number}", manifest, layout.size_of(manifest))
        layout.write_refs(table)

        expected = {manifest.hex for manifest, _ in kept} | {digest_of(blob).hex for _, each in kept for blob in each}
        before = {path.name: path.stat().st_size for path in layout.blob_files()}
        assert {digest.hex for digest in living(layout)} == expected
        pruned = prune(layout)
        assert _stored(layout) == expected & before.keys()
        assert pruned.blobs == len(before.keys() - expected)
        assert pruned.size == sum(size for name, size in before.items() if name not in expected)
        assert prune(layout).blobs == 0


def test_the_generation_before_stays_until_the_next(layout: Layout) -> None:
    """``current`` and ``previous`` are kept whole; the third before last goes, but for what the others share."""
    layout.keep = 2
    made = [make_generation(layout, ["shared text"], [f"text {n}"], version=n) for n in (1, 2, 3)]
    shared = layout.config(made[0]).segments[0].vectors
    assert shared == layout.config(made[2]).segments[0].vectors
    prune(layout)
    assert layout.refs().refs[CURRENT].digest == made[2]
    assert layout.refs().refs[PREVIOUS].digest == made[1]
    for generation in made[1:]:
        assert all(layout.has(blob.digest, blob.size) for blob in layout.manifest(generation).blobs)
    with pytest.raises(StoreError):
        layout.manifest(made[0])
    assert layout.blob_path(shared).exists()


def test_leftovers_of_a_killed_writer_go(layout: Layout) -> None:
    """A temporary file that never got its name is no blob that anybody refers to."""
    generation = make_generation(layout, ["text"])
    leftover = layout.blob_path(generation).with_name(f".{generation.hex}.abc.tmp")
    leftover.write_bytes(b"half")
    assert prune(layout).blobs == 1
    assert not leftover.exists()


def test_a_layout_that_is_not_there_has_nothing_to_prune(tmp_path: Path) -> None:
    """And looking makes nothing."""
    assert prune(Layout(tmp_path / "index")).blobs == 0
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize("damage", ["missing", "rotten", "foreign", "refs"])
def test_when_a_manifest_can_not_be_read_nothing_is_pruned(layout: Layout, damage: str) -> None:
    """What it refers to is not known then, so all of it may be alive."""
    generation = make_generation(layout, ["text"])
    layout.add_bytes(b"referred to by nobody")
    match damage:
        case "missing":
            layout.blob_path(generation).unlink()
        case "rotten":
            layout.blob_path(generation).write_bytes(b"{}")
        case "foreign":
            layout.write_refs(RefTable().point(CURRENT, layout.add_bytes(b"{}"), 2))
        case _:
            (layout.root / "index.json").write_bytes(b"damaged")
    before = _stored(layout)
    expected: dict[str, type[PyContextifyError]] = {"rotten": VerifyError, "foreign": ValidateError}
    with pytest.raises(expected.get(damage, StoreError)):
        prune(layout)
    assert _stored(layout) == before


def test_what_is_no_file_is_left_alone(layout: Layout) -> None:
    """A directory among the blobs is none of ours; the blobs around it are pruned all the same."""
    make_generation(layout, ["text"])
    layout.add_bytes(b"referred to by nobody")
    strange = layout.blob_path(digest_of(b"strange"))
    strange.mkdir()
    assert prune(layout).blobs == 1
    assert strange.exists()


def test_signatures_live_with_what_they_sign(layout: Layout) -> None:
    """All that a signature consists of stays while a ref names its generation, and goes with the last one."""
    layout.keep = 2
    made = [store(layout, number, b"vectors", b"%d" % number) for number in range(3)]
    blobs = []
    for number, generation in enumerate(made):
        listed = add_signature(layout, generation, b"signature %d" % number)
        layout.activate(generation, signature=listed)
        blobs.append({listed.digest, digest_of(b"signature %d" % number)})
    assert blobs[1] | blobs[2] | {digest_of(EMPTY_CONFIG)} <= living(layout)
    assert not blobs[0] & living(layout)
    prune(layout)
    assert not {digest.hex for digest in blobs[0]} & _stored(layout)
    assert {digest.hex for digest in blobs[1] | blobs[2] | {digest_of(EMPTY_CONFIG)}} <= _stored(layout)
    layout.write_refs(layout.refs().without([PREVIOUS]))
    prune(layout)
    assert _stored(layout) == {digest.hex for digest in living(layout)}
    assert not {digest.hex for digest in blobs[1]} & _stored(layout)
    assert signature_of(layout, layout.refs(), made[2]) == b"signature 2"
    layout.write_refs(RefTable())
    prune(layout)
    assert _stored(layout) == set()


def test_a_damaged_signature_keeps_nothing_from_being_pruned(layout: Layout) -> None:
    """What it consists of is not known then, and nobody can use it; what it signs stays whole."""
    generation = store(layout, 1, b"vectors", b"chunks")
    listed = add_signature(layout, generation, b"signature")
    layout.activate(generation, signature=listed)
    layout.blob_path(listed.digest).write_bytes(b"\0" * listed.size)
    layout.add_bytes(b"referred to by nobody")
    assert prune(layout).blobs == 3
    assert layout.whole_current() is not None
