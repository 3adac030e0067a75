"""Checking blobs: what is wrong is found and told apart, and moved out of the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pycontextify.errors import StoreError
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.history import CURRENT
from pycontextify.snapshot.manifest import Descriptor
from pycontextify.store.check import damaged_blobs, quarantine
from pycontextify.store.layout import Layout
from tests.store.generations import blobs_of, store

VECTORS = digest_of(b"vectors")


@pytest.fixture
def current(layout: Layout) -> Descriptor:
    """The current generation, of four blobs and a manifest."""
    layout.activate(store(layout, 1, b"vectors", b"chunks", b"model"))
    return layout.refs().refs[CURRENT]


def found(layout: Layout, *targets: Descriptor, deep: bool) -> set[tuple[Digest, str]]:
    """What is found wrong."""
    return {(damage.blob.digest, damage.kind) for damage in damaged_blobs(layout, targets, deep=deep)}


def in_its_place(path: Path) -> None:
    """Put a directory where the file was."""
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("harm", "kind", "shallow"),
    [
        (Path.unlink, "missing", True),
        (lambda path: path.write_bytes(b"vec"), "size", True),
        (lambda path: path.write_bytes(b"VECTORS"), "rotten", False),
    ],
)
def test_each_kind_of_damage_is_found(
    layout: Layout, current: Descriptor, harm: Callable[[Path], object], kind: str, *, shallow: bool
) -> None:
    """Rot only by reading; a sound index has none."""
    assert found(layout, current, deep=True) == set()
    harm(layout.blob_path(VECTORS))
    assert found(layout, current, deep=True) == {(VECTORS, kind)}
    assert found(layout, current, deep=False) == ({(VECTORS, kind)} if shallow else set())


def test_what_can_not_be_read_is_told(layout: Layout, current: Descriptor) -> None:
    """A directory of the right size, say."""
    in_its_place(layout.blob_path(VECTORS))
    size = layout.blob_path(VECTORS).stat().st_size
    strange = Descriptor(current.media_type, VECTORS, size)
    assert found(layout, strange, deep=True) == {(VECTORS, "unreadable")}


def test_a_rotten_manifest_is_found_and_hides_what_it_names(layout: Layout, current: Descriptor) -> None:
    """What a generation consists of can't be told then."""
    path = layout.blob_path(current.digest)
    path.write_bytes(b"x" * current.size)
    layout.blob_path(VECTORS).unlink()
    assert found(layout, current, deep=True) == {(current.digest, "rotten")}


def test_a_shared_blob_is_looked_at_once(layout: Layout, current: Descriptor) -> None:
    """However many generations need it."""
    other = store(layout, 2, b"vectors", b"other chunks", b"model")
    layout.activate(other)
    layout.blob_path(VECTORS).unlink()
    damages = list(damaged_blobs(layout, layout.refs().refs.values(), deep=True))
    assert [damage.blob.digest for damage in damages] == [VECTORS]
    assert damages[0].blob.title == "segment 1 vectors"


def test_quarantine_makes_a_blob_missing_and_keeps_its_bytes(layout: Layout, current: Descriptor) -> None:
    """Twice as well: each lies under a name of its own."""
    blobs = blobs_of(layout, current.digest)
    vectors = next(blob for blob in layout.manifest(current.digest).blobs if blob.digest == VECTORS)
    places = []
    for content in (b"VECTORS", b"vector5"):
        layout.blob_path(VECTORS).write_bytes(content)
        places.append(quarantine(layout, vectors))
        assert [blob.digest for blob in layout.missing(layout.manifest(current.digest))] == [VECTORS]
    assert [place.read_bytes() for place in places] == [b"VECTORS", b"vector5"]
    assert {path.name for path in layout.blob_files()} == {digest.hex for digest in blobs - {VECTORS}}


def test_quarantine_of_what_is_not_there_is_a_store_error(layout: Layout, current: Descriptor) -> None:
    """Somebody else was faster."""
    with pytest.raises(StoreError):
        quarantine(layout, Descriptor(current.media_type, digest_of(b"never"), 5))
