"""Publishing the pair of files, alone and in archives: one segment that speaks for the whole generation."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard

from pycontextify.errors import ConfigError, StoreError, UntrustedError
from pycontextify.index.chunks import Chunks
from pycontextify.index.model import Query
from pycontextify.index.validate import validate
from pycontextify.index.view import View
from pycontextify.publish.issue import Issue
from pycontextify.publish.pair import publish_archive, publish_pair
from pycontextify.publish.report import PublishReport
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of, parse_sidecar
from pycontextify.snapshot.pair import config_of_pair
from pycontextify.snapshot.signature import check_file, parse_signature, prehash
from pycontextify.store.layout import Layout
from tests.fakes.encoder import TinyEncoder
from tests.fakes.generation import CREATED, Doc, make_generation, open_view, store_generation
from tests.fakes.signers import OTHER, SIGNER, signs, vouched_by
from tests.publish.backed import BackedEncoder

FIRST = [Doc("a.md", ("alpha one", "alpha two"), tags=("docs",)), Doc("b.py", ("beta",), language="python")]
SECOND = [Doc("c.md", ("gamma", "delta"), tree="other")]
KINDS = [".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst"]


def _open_pair(vectors: Path, chunks: Path) -> View:
    """Open two files as a server that has nothing else does."""
    digests = {digest_of(path.read_bytes()): path for path in (vectors, chunks)}
    first, second = digests
    with closing(Chunks.open(chunks)) as opened:
        config = config_of_pair(opened.meta, vectors=first, chunks=second)
    return View.open(digest_of(config.to_bytes()), config, lambda digest: digests[digest], TinyEncoder())


def _told(config: SnapshotConfig) -> dict[str, object]:
    """Return what a pair can tell of a config."""
    return {
        "name": config.name,
        "version": config.version,
        "created": config.created,
        "channel": config.channel,
        "encoder": replace(config.encoder, files={}),
    }


def _check_sidecar(path: Path) -> None:
    """Check a file against its ``.sha256``, which must have the form that sha256sum(1) writes."""
    content = path.with_name(f"{path.name}.sha256").read_bytes()
    assert re.fullmatch(rf"[0-9a-f]{{64}}  {re.escape(path.name)}\n", content.decode("ascii"))
    assert parse_sidecar(content.decode("ascii"), asset="x") == digest_of(path.read_bytes())
    assert content[:64].decode() == hashlib.sha256(path.read_bytes()).hexdigest()
    if tool := shutil.which("sha256sum"):
        subprocess.run([tool, "--check", "--strict", f"{path.name}.sha256"], cwd=path.parent, check=True)


def _unpack(path: Path, directory: Path) -> dict[str, bytes]:
    """Return an archive's members by name, read with the standard library."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            return {name: archive.read(name) for name in archive.namelist()}
    if path.suffix == ".zst":
        plain = directory / "plain.tar"
        with path.open("rb") as source, plain.open("wb") as target:
            zstandard.ZstdDecompressor().copy_stream(source, target)
        path = plain
    with tarfile.open(path) as archive:
        members = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        return {name: file.read() for name, file in members.items() if file is not None}


def test_a_single_segment_is_published_as_it_is(layout: Layout, tmp_path: Path) -> None:
    """The very blobs, under the index's name, each with its digest beside it; nothing else is left there."""
    generation = make_generation(layout, FIRST, name="my-index", version=7)
    report = publish_pair(layout, generation, tmp_path / "deep" / "pair")
    config = layout.config(generation)
    directory = tmp_path / "deep" / "pair"
    assert (directory / "my-index.faiss").read_bytes() == layout.read(config.segments[0].vectors)
    assert (directory / "my-index.sqlite").read_bytes() == layout.read(config.segments[0].chunks)
    names = ["my-index.faiss", "my-index.faiss.sha256", "my-index.sqlite", "my-index.sqlite.sha256"]
    assert sorted(path.name for path in directory.iterdir()) == names
    assert sorted(report.files) == [str(directory / name) for name in names]
    assert (report.generation, report.version) == (generation, 7)
    assert report.bytes_total == report.bytes_copied == sum(path.stat().st_size for path in directory.iterdir())
    for suffix in (".faiss", ".sqlite"):
        _check_sidecar(directory / f"my-index{suffix}")


@pytest.mark.parametrize(
    ("segments", "deleted", "left"),
    [
        ([FIRST], (), ["a.md", "b.py"]),
        ([FIRST], ("a.md",), ["b.py"]),
        ([FIRST, SECOND], (), ["a.md", "b.py", "c.md"]),
        ([FIRST, SECOND], ("b.py", "c.md"), ["a.md"]),
        ([FIRST, SECOND], ("a.md", "b.py", "c.md"), []),
        ([[]], (), []),
        ([FIRST, [], SECOND], ("a.md",), ["b.py", "c.md"]),
    ],
)
def test_any_generation_becomes_one_pair(
    layout: Layout, tmp_path: Path, segments: list[list[Doc]], deleted: tuple[str, ...], left: list[str]
) -> None:
    """Several segments are merged and what is deleted is left out; the pair answers as the generation does."""
    generation = make_generation(layout, *segments, deleted=deleted, version=7)
    publish_pair(layout, generation, tmp_path / "pair")
    query = Query("alpha beta gamma", mode="dense", limit=50)
    with open_view(layout, generation) as view:
        expected = view.search(query)
        counts = (view.chunks, view.documents)
    with closing(_open_pair(tmp_path / "pair" / "index.faiss", tmp_path / "pair" / "index.sqlite")) as pair:
        validate(pair)
        assert (pair.chunks, pair.documents) == counts
        assert sorted(stored.document.path for stored in pair.segments[0].live_documents()) == left
        assert sorted(pair.search(query).hits, key=str) == sorted(expected.hits, key=str)
        assert _told(pair.config) == _told(layout.config(generation))
    assert not [path for path in (tmp_path / "pair").iterdir() if path.name.startswith(".")]


def test_a_segment_older_than_its_generation_does_not_speak_for_it(layout: Layout, tmp_path: Path) -> None:
    """The only segment left was built as version 1 of another name: the pair must say 3, or servers would go back."""
    old = layout.config(make_generation(layout, FIRST, name="old", version=1))
    generation = store_generation(layout, replace(old, name="new", version=3, channel="beta"))
    publish_pair(layout, generation, tmp_path / "pair")
    with closing(_open_pair(tmp_path / "pair" / "new.faiss", tmp_path / "pair" / "new.sqlite")) as pair:
        validate(pair)
        assert _told(pair.config) == _told(layout.config(generation))
        assert pair.config.version == 3


def test_a_pair_can_be_given_another_name(layout: Layout, tmp_path: Path) -> None:
    """Its files, the members of an archive, and what the pair says of itself; nothing else is different."""
    generation = make_generation(layout, FIRST, name="old")
    publish_pair(layout, generation, tmp_path / "pair", name="new")
    publish_archive(layout, generation, tmp_path / "release.zip", name="new")
    with closing(_open_pair(tmp_path / "pair" / "new.faiss", tmp_path / "pair" / "new.sqlite")) as pair:
        validate(pair)
        assert _told(pair.config) == _told(layout.config(generation)) | {"name": "new"}
    assert list(_unpack(tmp_path / "release.zip", tmp_path)) == ["new.faiss", "new.sqlite"]


@pytest.mark.parametrize("ending", [*KINDS, ".TAR.GZ", ".Zip"])
@pytest.mark.parametrize("segments", [1, 2])
def test_an_archive_holds_the_pair(layout: Layout, tmp_path: Path, ending: str, segments: int) -> None:
    """Its two members, whatever its kind, are what `publish_pair` writes, and its digest lies beside it."""
    generation = make_generation(layout, *[FIRST, SECOND][:segments], name="my-index", version=7)
    path = tmp_path / "deep" / f"release{ending}"
    report = publish_archive(layout, generation, path)
    publish_pair(layout, generation, tmp_path / "pair")
    renamed = tmp_path / f"copy{ending.lower()}"
    renamed.write_bytes(path.read_bytes())
    members = _unpack(renamed, tmp_path)
    assert list(members) == ["my-index.faiss", "my-index.sqlite"]
    assert members == {name: (tmp_path / "pair" / name).read_bytes() for name in members}
    _check_sidecar(path)
    assert sorted(entry.name for entry in path.parent.iterdir()) == [path.name, f"{path.name}.sha256"]
    assert report.files == (str(path), f"{path}.sha256")
    assert report.bytes_total == sum(entry.stat().st_size for entry in path.parent.iterdir())


def test_a_pair_never_includes_the_encoder(layout: Layout, tmp_path: Path) -> None:
    """Even when the index holds it; the report says so."""
    generation = make_generation(layout, FIRST, encoder=BackedEncoder(tmp_path / "model"))
    for report in (
        publish_pair(layout, generation, tmp_path / "pair"),
        publish_archive(layout, generation, tmp_path / "index.zip"),
    ):
        assert report.lacks is not None
        assert "the embedding model backed is not included" in report.lacks


@pytest.mark.parametrize("ending", KINDS)
def test_the_same_generation_gives_the_same_archive(layout: Layout, tmp_path: Path, ending: str) -> None:
    """Wherever and whenever it is written; under another name only the name differs."""
    generation = make_generation(layout, FIRST, SECOND)
    for name in ("one", "two"):
        publish_archive(layout, generation, tmp_path / name / f"{name}{ending}")
    assert (tmp_path / "one" / f"one{ending}").read_bytes() == (tmp_path / "two" / f"two{ending}").read_bytes()


@pytest.mark.parametrize("name", ["index.rar", "index", "index.zip.txt", "targz", "index.7z", "index.gz", "index.zst"])
def test_a_name_that_says_no_kind_is_a_config_error(layout: Layout, tmp_path: Path, name: str) -> None:
    """Before any work is done or anything is made, with the endings that would do."""
    generation = make_generation(layout, FIRST, SECOND)
    with pytest.raises(ConfigError) as caught:
        publish_archive(layout, generation, tmp_path / "out" / name)
    assert (caught.value.code, caught.value.asset) == ("archive_kind", name)
    assert all(kind in str(caught.value.hint) for kind in KINDS)
    assert not (tmp_path / "out").exists()


def test_publishing_replaces_what_was_published(layout: Layout, tmp_path: Path) -> None:
    """The new archive and its digest, and nothing of the old one."""
    path = tmp_path / "index.zip"
    publish_archive(layout, make_generation(layout, FIRST, version=1), path)
    old = path.read_bytes()
    publish_archive(layout, make_generation(layout, FIRST, SECOND, version=2), path)
    assert path.read_bytes() != old
    _check_sidecar(path)


def test_published_files_can_be_read_by_whoever_may(layout: Layout, tmp_path: Path) -> None:
    """The permissions of the umask: a web server of another user serves them."""
    publish_pair(layout, make_generation(layout, FIRST), tmp_path / "pair")
    publish_archive(layout, make_generation(layout, FIRST, SECOND), tmp_path / "pair" / "index.zip")
    umask = os.umask(0)
    os.umask(umask)
    for path in (tmp_path / "pair").iterdir():
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o444 == (0o444 & ~umask if os.name == "posix" else mode & 0o444), path


@pytest.mark.parametrize("segments", [1, 2])
def test_a_place_that_can_not_be_written_is_a_store_error(layout: Layout, tmp_path: Path, segments: int) -> None:
    """A file where a directory should be, or a directory where the archive should be; nothing is left behind."""
    generation = make_generation(layout, *[FIRST, SECOND][:segments])
    (tmp_path / "file").write_bytes(b"precious")
    (tmp_path / "index.zip" / "full").mkdir(parents=True)
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.glob("*"))
    for publish, target in (
        (publish_pair, "file"),
        (publish_pair, "file/sub"),
        (publish_archive, "file/index.zip"),
        (publish_archive, "index.zip"),
    ):
        with pytest.raises(StoreError) as caught:
            publish(layout, generation, tmp_path / target)
        assert caught.value.hint
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.glob("*")) == before
    assert (tmp_path / "file").read_bytes() == b"precious"


def test_a_missing_blob_is_a_store_error(layout: Layout, tmp_path: Path) -> None:
    """Nothing appears at the target."""
    generation = make_generation(layout, FIRST)
    layout.blob_path(layout.config(generation).segments[0].vectors).unlink()
    with pytest.raises(StoreError):
        publish_pair(layout, generation, tmp_path / "pair")
    assert list((tmp_path / "pair").iterdir()) == []


def _dated(layout: Layout, created: str) -> Digest:
    config = layout.config(make_generation(layout, FIRST))
    return store_generation(layout, replace(config, created=created))


@pytest.mark.parametrize("ending", KINDS)
@pytest.mark.parametrize(
    "created", [CREATED, "1066-10-14T00:00:00Z", "9999-12-31T23:59:59+00:00", "2026-11-22", "yesterday", ""]
)
def test_any_date_will_do(layout: Layout, tmp_path: Path, ending: str, created: str) -> None:
    """What a snapshot says of its age comes from elsewhere, and a zip file can't hold every year."""
    path = tmp_path / f"index{ending}"
    publish_archive(layout, _dated(layout, created), path)
    assert len(_unpack(path, tmp_path)) == 2


def test_members_carry_the_date_of_the_index(layout: Layout, tmp_path: Path) -> None:
    """In UTC, whatever zone it was written in, with plain permissions and nobody's name."""
    generation = _dated(layout, "2026-11-22T12:00:00+02:00")
    publish_archive(layout, generation, tmp_path / "index.zip")
    publish_archive(layout, generation, tmp_path / "index.tar")
    with zipfile.ZipFile(tmp_path / "index.zip") as zipped:
        for entry in zipped.infolist():
            assert entry.date_time == (2026, 11, 22, 10, 0, 0)
            assert (entry.create_system, entry.external_attr >> 16) == (3, 0o644)
    with tarfile.open(tmp_path / "index.tar") as tarred:
        for member in tarred.getmembers():
            assert (member.mtime, member.mode) == (1795341600, 0o644)
            assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", "")


# Signed, and on terms


def _check_signature(path: Path, told: str) -> None:
    """Check a file against its ``.minisig``, as whoever downloads it does, and what that says of it."""
    content = path.read_bytes()
    made = path.with_name(f"{path.name}.minisig").read_bytes()
    signature = parse_signature(made, asset=path.name)
    assert check_file(signature, [OTHER.public, SIGNER.public], prehash(content), asset=path.name) == SIGNER.public
    assert vouched_by(SIGNER.public, content, made)
    assert signature.trusted_comment.decode() == f"file:{path.name}\t{told}"


def test_every_file_has_its_signature_beside_it(layout: Layout, tmp_path: Path) -> None:
    """Of the bytes that are there, for all kinds; the report names them, and nothing else is left."""
    generation = make_generation(layout, FIRST, SECOND, name="my-index", version=7)
    reports = [publish_pair(layout, generation, tmp_path / "out", issue=Issue(sign=signs()))]
    reports += [
        publish_archive(layout, generation, tmp_path / "out" / f"index{kind}", issue=Issue(sign=signs()))
        for kind in KINDS
    ]
    names = ["my-index.faiss", "my-index.sqlite", *(f"index{kind}" for kind in KINDS)]
    for name in names:
        _check_sidecar(tmp_path / "out" / name)
        _check_signature(tmp_path / "out" / name, "version:7\tchannel:default")
    expected = {f"{name}{ending}" for name in names for ending in ("", ".sha256", ".minisig")}
    assert {path.name for path in (tmp_path / "out").iterdir()} == expected
    assert {Path(path).name for report in reports for path in report.files} == expected
    assert sum(report.bytes_total for report in reports) == sum(
        path.stat().st_size for path in (tmp_path / "out").iterdir()
    )


def test_signing_again_gives_the_same_files(layout: Layout, tmp_path: Path) -> None:
    """Wherever and whenever."""
    generation = make_generation(layout, FIRST)
    for place in ("one", "two"):
        publish_archive(layout, generation, tmp_path / place / "index.zip", issue=Issue(sign=signs()))
    for ending in ("", ".sha256", ".minisig"):
        one, two = (tmp_path / place / f"index.zip{ending}" for place in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("publish", [publish_pair, publish_archive])
def test_a_signature_of_what_was_there_before_goes(
    layout: Layout, tmp_path: Path, publish: Callable[..., PublishReport]
) -> None:
    """It would be that of other bytes: whoever checks it would take the new file for a forged one."""
    target = tmp_path / ("out" if publish is publish_pair else "out/index.zip")
    publish(layout, make_generation(layout, FIRST, version=1), target, issue=Issue(sign=signs()))
    assert list((tmp_path / "out").glob("*.minisig"))
    report = publish(layout, make_generation(layout, FIRST, SECOND, version=2), target)
    assert not list((tmp_path / "out").glob("*.minisig"))
    assert not [path for path in report.files if path.endswith(".minisig")]


def test_a_signer_that_fails_leaves_what_was_published(layout: Layout, tmp_path: Path) -> None:
    """File, digest and signature as they were, and nothing half-way beside them."""
    path = tmp_path / "out" / "index.zip"
    publish_archive(layout, make_generation(layout, FIRST, version=1), path, issue=Issue(sign=signs()))
    before = {each: each.read_bytes() for each in path.parent.iterdir()}

    def fail(prehashed: bytes, comment: str) -> bytes:
        raise UntrustedError("it does not fit", code="signature_invalid")

    with pytest.raises(UntrustedError):
        publish_archive(layout, make_generation(layout, SECOND, version=2), path, issue=Issue(sign=fail))
    assert {each: each.read_bytes() for each in path.parent.iterdir()} == before


@pytest.mark.parametrize("segments", [[FIRST], [FIRST, SECOND]])
def test_terms_are_in_the_files_themselves(layout: Layout, tmp_path: Path, segments: list[list[Doc]]) -> None:
    """Channel, end and version: a segment that was built on others is written anew, and answers as it did."""
    generation = make_generation(layout, *segments, version=7)
    terms = Issue(channel="beta", expires=datetime(2027, 1, 1, tzinfo=UTC), supersede=9, sign=signs())
    report = publish_pair(layout, generation, tmp_path / "pair", issue=terms)
    publish_archive(layout, generation, tmp_path / "index.zip", issue=terms)
    assert (report.generation, report.version) == (generation, 9)
    told = "version:9\tchannel:beta\texpires:2027-01-01T00:00:00Z"
    for name in ("pair/index.faiss", "pair/index.sqlite", "index.zip"):
        _check_signature(tmp_path / name, told)
    with closing(_open_pair(tmp_path / "pair" / "index.faiss", tmp_path / "pair" / "index.sqlite")) as pair:
        validate(pair)
        config = layout.config(generation)
        assert _told(pair.config) == _told(config) | {"channel": "beta", "version": 9}
        assert pair.config.expires == "2027-01-01T00:00:00Z"
        with open_view(layout, generation) as view:
            query = Query("alpha beta", mode="dense", limit=50)
            assert sorted(pair.search(query).hits, key=str) == sorted(view.search(query).hits, key=str)
    members = _unpack(tmp_path / "index.zip", tmp_path)
    assert members == {name: (tmp_path / "pair" / name).read_bytes() for name in members}


def test_an_end_that_a_snapshot_came_with_stays(layout: Layout, tmp_path: Path) -> None:
    """As does its channel, where no other terms are named: a pair is what the layout was."""
    config = replace(layout.config(make_generation(layout, FIRST)), channel="beta", expires="2027-01-01T00:00:00Z")
    publish_pair(layout, store_generation(layout, config), tmp_path / "pair")
    with closing(_open_pair(tmp_path / "pair" / "index.faiss", tmp_path / "pair" / "index.sqlite")) as pair:
        assert (pair.config.channel, pair.config.expires) == ("beta", "2027-01-01T00:00:00Z")


@pytest.mark.skipif(os.name != "posix", reason="no such names elsewhere")
def test_a_strange_name_does_not_break_the_signature(layout: Layout, tmp_path: Path) -> None:
    """One with a line break, or with bytes that are no text."""
    generation = make_generation(layout, FIRST)
    for name in (b"one\ntwo.zip", b"\xff\t.zip"):
        path = tmp_path / os.fsdecode(name)
        publish_archive(layout, generation, path, issue=Issue(sign=signs()))
        made = path.with_name(f"{path.name}.minisig").read_bytes()
        check_file(parse_signature(made, asset="it"), [SIGNER.public], prehash(path.read_bytes()), asset="it")
