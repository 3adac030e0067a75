"""Signatures in a layout: stored as blobs, found again, and never taken for another manifest's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pycontextify.errors import StoreError
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.history import CURRENT, PREVIOUS
from pycontextify.snapshot.manifest import MANIFEST_TYPE, Descriptor
from pycontextify.snapshot.referrer import EMPTY_CONFIG, build_referrer
from pycontextify.store.layout import Layout
from pycontextify.store.signed import add_signature, signature_blobs, signature_of
from tests.store.generations import store
from tests.store.oci import check_image_layout


def signed(layout: Layout, generation: Digest, signature: bytes) -> None:
    """Make a generation current, with a signature."""
    layout.activate(generation, signature=add_signature(layout, generation, signature))


def found(layout: Layout, generation: Digest) -> bytes | None:
    """Return the signature that a layout has for a generation."""
    return signature_of(layout, layout.refs(), generation)


def test_a_signature_is_found_again(layout: Layout) -> None:
    """As the bytes that it was; adding it again adds nothing, and the layout is one that any OCI tool can read."""
    generation = store(layout, 1, b"vectors", b"chunks")
    signed(layout, generation, b"signature")
    assert found(layout, generation) == b"signature"
    check_image_layout(layout.root)
    blobs = set(layout.blob_files())
    signed(layout, generation, b"signature")
    assert set(layout.blob_files()) == blobs
    assert len(layout.refs().signatures) == 1


def test_activating_another_generation_keeps_the_signature_of_the_one_before(layout: Layout) -> None:
    """For as long as that is kept; and each has its own."""
    layout.keep = 2
    made = [store(layout, number, b"vectors", b"%d" % number) for number in range(3)]
    for generation in made:
        signed(layout, generation, generation.encode())
    assert [found(layout, generation) for generation in made] == [None, made[1].encode(), made[2].encode()]
    previous = layout.refs().refs[PREVIOUS]
    layout.roll_back(previous)
    assert layout.refs().refs[CURRENT].digest == made[1]
    assert [found(layout, generation) for generation in made] == [None, made[1].encode(), made[2].encode()]
    layout.activate(made[2])
    assert found(layout, made[2]) == made[2].encode()


def test_without_a_signature_none_is_found(layout: Layout) -> None:
    """Nor in a table that knows nothing of the generation."""
    generation = store(layout, 1, b"vectors", b"chunks")
    layout.activate(generation)
    assert found(layout, generation) is None
    assert list(signature_blobs(layout, layout.refs())) == []


def test_only_what_is_stored_can_be_signed(layout: Layout) -> None:
    """A manifest that is not there has no size to tell."""
    with pytest.raises(StoreError):
        add_signature(layout, digest_of(b"none"), b"signature")
    assert layout.blob_files() == []


def test_a_signature_of_something_else_is_passed_over(layout: Layout) -> None:
    """Whatever index.json says that it signs, its own subject counts; the one behind it is found."""
    first, second = (store(layout, number, b"vectors", b"%d" % number) for number in range(2))
    layout.activate(first)
    signed(layout, second, b"of the second")
    lie = add_signature(layout, first, b"of the first")
    content = build_referrer(Descriptor(MANIFEST_TYPE, second, layout.size_of(second)), b"another")
    bare = Descriptor(MANIFEST_TYPE, layout.add_bytes(content), len(content))
    layout.add_bytes(b"another")
    table = layout.refs().signed(second, lie)
    layout.write_refs(table)
    assert found(layout, second) is None
    layout.write_refs(replace(table, signatures=(*table.signatures, bare)))
    assert found(layout, second) == b"another"
    assert found(layout, first) is None


@pytest.mark.parametrize("damage", ["missing manifest", "rotten manifest", "foreign", "missing file", "rotten file"])
def test_a_damaged_signature_is_none(layout: Layout, damage: str) -> None:
    """No failure either: a snapshot is no worse for it than an unsigned one."""
    generation = store(layout, 1, b"vectors", b"chunks")
    signed(layout, generation, b"signature")
    (listed,) = layout.refs().signatures
    path = layout.blob_path(listed.digest if "manifest" in damage else digest_of(b"signature"))
    if damage == "foreign":
        layout.write_refs(layout.refs().signed(generation, Descriptor(MANIFEST_TYPE, layout.add_bytes(b"[]"), 2)))
    elif "missing" in damage:
        path.unlink()
    else:
        path.write_bytes(b"\0" * path.stat().st_size)
    assert found(layout, generation) is None
    list(signature_blobs(layout, layout.refs()))


def test_the_blobs_of_signatures_are_told(layout: Layout) -> None:
    """The manifest, the signature file and the empty config; of one that can't be read, what is known."""
    first, second = (store(layout, number, b"vectors", b"%d" % number) for number in range(2))
    signed(layout, first, b"one")
    signed(layout, second, b"two")
    one, two = layout.refs().signatures
    files = [digest_of(each) for each in (EMPTY_CONFIG, b"one", b"two")]
    told = {blob.digest: blob.size for blob in signature_blobs(layout, layout.refs())}
    assert told.keys() == {one.digest, two.digest, *files}
    assert all(layout.size_of(digest) == size for digest, size in told.items())
    layout.blob_path(one.digest).unlink()
    told = {blob.digest: blob.size for blob in signature_blobs(layout, layout.refs())}
    assert told.keys() == {one.digest, two.digest, files[0], files[2]}
