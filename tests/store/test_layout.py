"""The layout: blobs named by what they hold, refs replaced whole, and a directory that any OCI tool reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycontextify.errors import StoreError, VerifyError
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.history import CURRENT, PREVIOUS
from pycontextify.snapshot.manifest import CONFIG_TYPE, Descriptor, Manifest, RefTable
from pycontextify.store.layout import Layout
from tests.fakes.generation import make_generation
from tests.store.oci import check_image_layout


def _tree(root: Path) -> dict[str, bytes]:
    """Return every file below a directory with its content, but for the lock."""
    files = (path for path in root.rglob("*") if path.is_file() and path.name != "lock")
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def test_creating_makes_an_empty_layout(tmp_path: Path) -> None:
    """Directories above it too; doing it again changes nothing, and there are no refs yet."""
    layout = Layout(tmp_path / "deep" / "down" / "index")
    layout.create()
    before = _tree(layout.root)
    layout.create()
    assert _tree(layout.root) == before
    assert before.keys() == {"oci-layout"}
    assert layout.refs() == RefTable()
    assert layout.current() is None
    assert layout.blob_files() == []


def test_a_directory_that_is_not_there_is_an_empty_layout(tmp_path: Path) -> None:
    """Looking makes nothing: no refs, no blobs, no directory."""
    layout = Layout(tmp_path / "index")
    assert layout.refs() == RefTable()
    assert layout.blob_files() == []
    assert not layout.has(digest_of(b"x"), 1)
    assert not layout.root.exists()


def test_bytes_come_back_by_their_digest(layout: Layout) -> None:
    """What was added is there with its size, under the name that image-layout.md gives it; adding it again is free."""
    digest = layout.add_bytes(b"hello")
    assert layout.read(digest) == b"hello"
    assert layout.has(digest, 5)
    assert not layout.has(digest, 4)
    assert layout.size_of(digest) == 5
    assert layout.blob_path(digest) == layout.root / "blobs" / "sha256" / digest.hex
    before = layout.blob_path(digest).stat().st_ino
    assert layout.add_bytes(b"hello") == digest
    assert layout.blob_path(digest).stat().st_ino == before
    assert [path.name for path in layout.blob_files()] == [digest.hex]


@settings(max_examples=10)
@given(contents=st.lists(st.binary(max_size=30), max_size=4))
def test_any_bytes_can_be_stored(tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]) -> None:
    """Equal bytes are one blob, whatever they are."""
    layout = Layout(tmp_path_factory.mktemp("layout"))
    layout.create()
    for content in contents:
        assert layout.read(layout.add_bytes(content)) == content
    assert len(layout.blob_files()) == len(set(contents))


def test_a_staged_file_becomes_a_blob(layout: Layout) -> None:
    """It is moved, not copied."""
    staged = layout.partial / "staged"
    staged.write_bytes(b"vectors")
    layout.add_file(staged, digest_of(b"vectors"))
    assert layout.read(digest_of(b"vectors")) == b"vectors"
    assert not staged.exists()


def test_a_blob_that_is_there_is_not_replaced(layout: Layout) -> None:
    """Readers may have it mapped, and Windows would refuse; the staged file goes all the same."""
    digest = layout.add_bytes(b"vectors")
    before = layout.blob_path(digest).stat().st_ino
    staged = layout.partial / "staged"
    staged.write_bytes(b"vectors")
    layout.add_file(staged, digest)
    assert layout.blob_path(digest).stat().st_ino == before
    assert not staged.exists()


def test_a_blob_of_the_wrong_size_is_replaced(layout: Layout) -> None:
    """A torn file under a blob's name is not taken for the blob."""
    digest = digest_of(b"vectors")
    layout.blob_path(digest).write_bytes(b"vec")
    staged = layout.partial / "staged"
    staged.write_bytes(b"vectors")
    layout.add_file(staged, digest)
    assert layout.read(digest) == b"vectors"


def test_a_staged_file_that_is_gone_is_a_store_error(layout: Layout) -> None:
    """And no blob appears."""
    with pytest.raises(StoreError):
        layout.add_file(layout.partial / "gone", digest_of(b"x"))
    assert layout.blob_files() == []


def test_a_missing_blob_is_a_store_error(layout: Layout) -> None:
    """With the digest, and what to do."""
    for ask in (layout.read, layout.size_of, layout.manifest, layout.config):
        with pytest.raises(StoreError) as caught:
            ask(digest_of(b"never"))
        assert (caught.value.code, caught.value.asset) == ("blob_missing", digest_of(b"never"))
        assert caught.value.hint


def test_a_blob_that_can_not_be_read_is_not_called_missing(layout: Layout) -> None:
    """A directory in its place: the disk is to be looked at, hydrating again would not help."""
    layout.blob_path(digest_of(b"x")).mkdir()
    with pytest.raises(StoreError) as caught:
        layout.read(digest_of(b"x"))
    assert caught.value.code in ("disk_failed", "disk_read_only")


def test_a_rotten_blob_is_found_out(layout: Layout) -> None:
    """Bytes that changed on the disk are refused when they are read."""
    digest = layout.add_bytes(b"hello")
    layout.blob_path(digest).write_bytes(b"jello")
    with pytest.raises(VerifyError) as caught:
        layout.read(digest)
    assert (caught.value.code, caught.value.asset) == ("blob_rotten", digest)
    assert caught.value.hint


def test_refs_are_replaced_whole(layout: Layout) -> None:
    """What is written is what is read, and the one before is gone."""
    first = RefTable().point("latest", digest_of(b"a"), 1)
    second = RefTable().point("other", digest_of(b"b"), 2)
    for table in (first, second):
        layout.write_refs(table)
        assert layout.refs() == table


def test_a_damaged_index_json_is_a_typed_error(layout: Layout) -> None:
    """It is not taken for an empty one: that would let everything be pruned. The error names the file and what to do,
    which is not for the publisher of the index to do.
    """
    path = layout.root / "index.json"
    for content in (b'{"manifests":[', b'{"manifests": 1}', b"[]", b""):
        path.write_bytes(content)
        with pytest.raises(StoreError) as caught:
            layout.refs()
        assert (caught.value.code, caught.value.asset) == ("index_json_invalid", str(path))
        assert caught.value.hint is not None
        assert "remove this file" in caught.value.hint
        assert "publish the index again" not in str(caught.value)
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreError):
        layout.refs()


def manifest_of(layout: Layout, content: bytes) -> Digest:
    """Store a generation of one blob."""
    digest = layout.add_bytes(content)
    return layout.add_bytes(Manifest(Descriptor(CONFIG_TYPE, digest, len(content)), ()).to_bytes())


def test_activating_moves_current_to_previous(layout: Layout) -> None:
    """The first generation has none before it; each later one keeps the one before, and its annotations."""
    first, second = manifest_of(layout, b"first"), manifest_of(layout, b"second")
    layout.activate(first, {"io.pycontextify.source.digest": "x"})
    assert layout.current() == first
    assert layout.refs().get(PREVIOUS) is None
    layout.activate(second)
    assert layout.current() == second
    previous, current = layout.refs().get(PREVIOUS), layout.refs().get(CURRENT)
    assert previous is not None
    assert current is not None
    assert (previous.digest, previous.annotations["io.pycontextify.source.digest"]) == (first, "x")
    assert current.size == layout.size_of(second)
    assert "io.pycontextify.source.digest" not in current.annotations
    layout.activate(first)
    assert layout.current() == first
    assert layout.refs().refs[PREVIOUS].digest == second


def test_activating_the_current_one_keeps_the_previous(layout: Layout) -> None:
    """Hydrating the same generation twice must not lose the way back."""
    first, second = manifest_of(layout, b"first"), manifest_of(layout, b"second")
    for generation in (first, second, second):
        layout.activate(generation)
    assert layout.current() == second
    assert layout.refs().refs[PREVIOUS].digest == first


@pytest.mark.parametrize("lack", ["manifest", "blob", "size"])
def test_what_is_not_whole_can_not_be_activated(layout: Layout, lack: str) -> None:
    """``current`` never points to a generation that lacks anything."""
    first, second = manifest_of(layout, b"first"), manifest_of(layout, b"second")
    layout.activate(first)
    match lack:
        case "manifest":
            layout.blob_path(second).unlink()
        case "blob":
            layout.blob_path(digest_of(b"second")).unlink()
        case _:
            layout.blob_path(digest_of(b"second")).write_bytes(b"x")
    with pytest.raises(StoreError):
        layout.activate(second)
    assert layout.current() == first


def test_refs_that_can_not_be_written_leave_the_old_ones(layout: Layout) -> None:
    """The old index.json counts until the new one is in place."""
    table = RefTable().point("latest", digest_of(b"a"), 1)
    (layout.root / "index.json" / "in the way").mkdir(parents=True)
    before = _tree(layout.root)
    with pytest.raises(StoreError):
        layout.write_refs(table)
    assert _tree(layout.root) == before


def test_staging_is_empty_and_gone_afterwards(layout: Layout) -> None:
    """Whatever was put there, and however the block ends."""
    with layout.staging() as staging:
        assert list(staging.iterdir()) == []
        assert staging.parent == layout.partial
        (staging / "sub").mkdir()
        (staging / "sub" / "file").write_bytes(b"x")
    assert not staging.exists()
    with pytest.raises(RuntimeError, match="oops"), layout.staging() as staging:
        raise RuntimeError("oops")
    assert not staging.exists()


def test_an_error_of_the_block_is_not_taken_for_one_of_staging(layout: Layout) -> None:
    """What the block raises gets out as it is."""
    with pytest.raises(FileNotFoundError, match="mine"), layout.staging():
        raise FileNotFoundError("mine")


def test_staging_where_there_is_no_layout_is_a_store_error(tmp_path: Path) -> None:
    """Neither a missing directory nor a file in its place raises anything foreign."""
    layout = Layout(tmp_path / "index")
    with pytest.raises(StoreError), layout.staging():
        pass
    layout.create()
    layout.partial.rmdir()
    layout.partial.write_bytes(b"in the way")
    with pytest.raises(StoreError), layout.staging():
        pass


@pytest.mark.parametrize("place", ["", "index", "index/blobs", "index/.pycontextify"])
def test_a_file_in_the_way_is_a_store_error(tmp_path: Path, place: str) -> None:
    """Wherever in the path it lies: typed, with the directory's name and a hint."""
    root = tmp_path / "home"
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / place).write_bytes(b"in the way")
    with pytest.raises(StoreError) as caught:
        Layout(root / "index").create()
    assert caught.value.code == "disk_failed"
    assert caught.value.hint
    assert (root / place).read_bytes() == b"in the way"


def test_a_generation_is_read_through_its_manifest(layout: Layout) -> None:
    """Manifest and config are verified blobs; every blob that they name is there with its size."""
    generation = make_generation(layout, ["one text", "another"], ["a third"], deleted=["1.txt"], version=7)
    manifest, config = layout.manifest(generation), layout.config(generation)
    assert layout.current() == generation
    assert config.version == 7
    assert len(config.segments) == 2
    assert all(layout.has(blob.digest, blob.size) for blob in manifest.blobs)


def test_the_layout_is_a_valid_oci_image_layout(layout: Layout) -> None:
    """Checked against the rules of image-spec, with several refs, deletions and unreferenced blobs."""
    make_generation(layout, ["one text", "another"], version=1)
    layout.add_bytes(b"referred to by nobody")
    second = make_generation(layout, ["one text", "another"], ["a third"], deleted=["0.txt"], version=2)
    layout.activate(second, {"io.pycontextify.source.digest": str(digest_of(b"archive"))})
    assert set(layout.refs().refs) == {CURRENT, PREVIOUS}
    check_image_layout(layout.root)


@pytest.mark.parametrize("damage", ["blob", "name", "size", "marker"])
def test_the_rules_of_image_spec_are_really_checked(layout: Layout, damage: str) -> None:
    """The check itself finds a rotten blob, a misnamed one, a lying size and a missing marker."""
    generation = make_generation(layout, ["one text"])
    blob = layout.blob_path(layout.manifest(generation).layers[0].digest)
    match damage:
        case "blob":
            blob.write_bytes(b"rotten")
        case "name":
            blob.rename(blob.with_name("0" * 64))
        case "size":
            layout.write_refs(RefTable().point(CURRENT, generation, 1))
        case _:
            (layout.root / "oci-layout").write_bytes(b"{}")
    with pytest.raises((AssertionError, OSError, KeyError)):
        check_image_layout(layout.root)
