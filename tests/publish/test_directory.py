"""Publishing a layout: only what is missing is copied, and what comes out stands by itself."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from pycontextify.errors import StoreError, VerifyError
from pycontextify.index.model import Query
from pycontextify.index.validate import validate
from pycontextify.publish.directory import LATEST, publish_directory
from pycontextify.snapshot.history import PREVIOUS
from pycontextify.store.layout import Layout
from tests.fakes.encoder import TinyEncoder
from tests.fakes.generation import make_generation, open_view, store_generation
from tests.publish.backed import BackedEncoder
from tests.store.oci import check_image_layout


def _files(root: Path) -> dict[str, bytes]:
    """Return what a static host would serve."""
    files = (path for path in root.rglob("*") if path.is_file() and ".pycontextify" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def test_what_is_published_stands_by_itself(layout: Layout, tmp_path: Path) -> None:
    """It opens, validates and answers as the original, without the original; and any OCI tool can read it."""
    generation = make_generation(layout, ["alpha text", "beta text"], ["gamma text"], deleted=["0.txt"], version=7)
    report = publish_directory(layout, generation, tmp_path / "site")
    with open_view(layout, generation) as view:
        expected = view.search(Query("beta text"))
    layout.root.rename(tmp_path / "gone")

    site = Layout(tmp_path / "site")
    check_image_layout(site.root)
    assert site.refs().refs.keys() == {LATEST}
    assert site.refs().refs[LATEST].digest == generation
    with open_view(site, generation) as view:
        validate(view)
        assert view.search(Query("beta text")) == expected
    assert (report.generation, report.version) == (generation, 7)
    assert report.files == (str(tmp_path / "site"),)
    assert report.bytes_copied == sum(blob.size for blob in site.manifest(generation).blobs)
    assert report.bytes_total == report.bytes_copied + site.size_of(generation)


def test_publishing_again_copies_nothing(layout: Layout, tmp_path: Path) -> None:
    """Not a byte changes, and the ref to the one before is not lost."""
    first = make_generation(layout, ["alpha"], version=1)
    second = make_generation(layout, ["alpha"], ["beta"], version=2)
    publish_directory(layout, first, tmp_path / "site")
    publish_directory(layout, second, tmp_path / "site")
    before = _files(tmp_path / "site")
    report = publish_directory(layout, second, tmp_path / "site")
    assert _files(tmp_path / "site") == before
    assert report.bytes_copied == 0
    assert report.bytes_total > 0
    assert Layout(tmp_path / "site").refs().refs[PREVIOUS].digest == first


def test_only_what_changed_is_copied(layout: Layout, tmp_path: Path) -> None:
    """A delta is the blobs that are new; what clients may be fetching stays."""
    first = make_generation(layout, ["alpha " * 50], version=1)
    publish_directory(layout, first, tmp_path / "site")
    before = _files(tmp_path / "site")
    second = make_generation(layout, ["alpha " * 50], ["beta"], version=2)
    report = publish_directory(layout, second, tmp_path / "site")
    site = Layout(tmp_path / "site")
    new = [blob for blob in site.manifest(second).blobs if f"blobs/sha256/{blob.digest.hex}" not in before]
    assert report.bytes_copied == sum(blob.size for blob in new)
    assert not {blob.digest for blob in new} & {layout.config(first).segments[0].vectors}
    after = _files(tmp_path / "site")
    assert all(after[name] == content for name, content in before.items() if name.startswith("blobs/"))
    assert (site.refs().refs[LATEST].digest, site.refs().refs[PREVIOUS].digest) == (second, first)
    check_image_layout(site.root)


def test_the_encoder_travels_along(layout: Layout, tmp_path: Path) -> None:
    """Its files are blobs like all others."""
    encoder = BackedEncoder(tmp_path / "model")
    generation = make_generation(layout, ["alpha"], encoder=encoder)
    assert publish_directory(layout, generation, tmp_path / "site").lacks is None
    site = Layout(tmp_path / "site")
    files = site.config(generation).encoder.files
    assert {name: site.read(digest) for name, digest in files.items()} == encoder.contents
    check_image_layout(site.root)


@pytest.mark.parametrize(
    ("provider", "needed"),
    [("onnx", "it is their built-in one or set as embedding_model"), ("http", "embedding_url, and")],
)
def test_an_index_without_its_encoder_is_published_without_it(
    layout: Layout, tmp_path: Path, provider: str, needed: str
) -> None:
    """As one that came as a pair of files, or was built with a service; the report says who will need the model."""
    config = layout.config(make_generation(layout, ["alpha"]))
    encoder = replace(config.encoder, id="minilm", provider=provider)
    report = publish_directory(layout, store_generation(layout, replace(config, encoder=encoder)), tmp_path / "site")
    assert report.lacks is not None
    assert "minilm is not included" in report.lacks
    assert needed in report.lacks


def test_files_can_be_read_by_whoever_may(layout: Layout, tmp_path: Path) -> None:
    """A web server of another user serves them: they have the permissions of the umask, not of a temporary file."""
    publish_directory(layout, make_generation(layout, ["alpha"]), tmp_path / "site")
    umask = os.umask(0)
    os.umask(umask)
    for name in _files(tmp_path / "site"):
        mode = stat.S_IMODE((tmp_path / "site" / name).stat().st_mode)
        assert mode & 0o444 == (0o444 & ~umask if os.name == "posix" else mode & 0o444), name


def test_a_torn_blob_at_the_target_is_copied_again(layout: Layout, tmp_path: Path) -> None:
    """What a broken upload left there is not taken for the blob."""
    generation = make_generation(layout, ["alpha"])
    publish_directory(layout, generation, tmp_path / "site")
    site = Layout(tmp_path / "site")
    torn = site.blob_path(site.config(generation).segments[0].vectors)
    torn.write_bytes(torn.read_bytes()[:10])
    report = publish_directory(layout, generation, site.root)
    assert report.bytes_copied == torn.stat().st_size > 10
    check_image_layout(site.root)


@pytest.mark.parametrize("damage", ["rotten", "cut", "missing"])
def test_a_damaged_blob_is_never_published(layout: Layout, tmp_path: Path, damage: str) -> None:
    """Typed, with a hint; what was published before stays what it was."""
    first = make_generation(layout, ["alpha"], version=1)
    publish_directory(layout, first, tmp_path / "site")
    before = (tmp_path / "site" / "index.json").read_bytes()
    second = make_generation(layout, ["beta"], version=2)
    blob = layout.blob_path(layout.config(second).segments[0].vectors)
    content = blob.read_bytes()
    blob.unlink()
    if damage != "missing":
        blob.write_bytes(content[:-1] if damage == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(StoreError if damage == "missing" else VerifyError) as caught:
        publish_directory(layout, second, tmp_path / "site")
    assert caught.value.hint
    assert (tmp_path / "site" / "index.json").read_bytes() == before
    check_image_layout(tmp_path / "site")


def test_a_target_that_is_a_file_is_a_store_error(layout: Layout, tmp_path: Path) -> None:
    """And the file stays."""
    (tmp_path / "site").write_bytes(b"precious")
    with pytest.raises(StoreError) as caught:
        publish_directory(layout, make_generation(layout, ["alpha"]), tmp_path / "site")
    assert caught.value.hint
    assert (tmp_path / "site").read_bytes() == b"precious"


def test_an_index_directory_can_be_published_in_place(layout: Layout) -> None:
    """The same directory as source and target: nothing to copy, and it has ``latest`` beside ``current``."""
    generation = make_generation(layout, ["alpha"])
    report = publish_directory(layout, generation, layout.root)
    assert report.bytes_copied == 0
    assert layout.refs().refs[LATEST].digest == generation == layout.current()


def test_the_report_is_json(layout: Layout, tmp_path: Path) -> None:
    """What `--json` prints."""
    generation = make_generation(layout, ["alpha"], version=3)
    report = publish_directory(layout, generation, tmp_path / "site").to_json()
    assert report["generation"] == generation
    assert report["version"] == 3
    assert report["bytes_copied"] < report["bytes_total"]


def test_two_encoders_make_two_generations(layout: Layout, tmp_path: Path) -> None:
    """The same texts under another model are published beside, not over, the first."""
    first = make_generation(layout, ["alpha"])
    second = make_generation(layout, ["alpha"], encoder=TinyEncoder(name="other"))
    for generation in (first, second):
        publish_directory(layout, generation, tmp_path / "site")
    site = Layout(tmp_path / "site")
    assert {site.config(digest).encoder.id for digest in (first, second)} == {"tiny", "other"}
