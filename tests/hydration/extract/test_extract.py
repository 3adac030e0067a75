"""Good archives: what is taken out of them, and how the choice is made."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pycontextify.errors import ExtractError, StoreError, VerifyError
from pycontextify.hydration.extract import (
    ExtractedLayout,
    ExtractedPair,
    ExtractLimits,
    extract,
    packed_kind,
)
from pycontextify.snapshot.digest import digest_of
from tests.hostile.tars import END, block
from tests.hostile.zips import GOOD_ZIP, Part, behind_end64, build
from tests.hydration.extract.archives import WRITERS, Files, write_tar, write_zip
from tests.hydration.extract.unpacker import BLOBS, CHUNKS, LAYOUT, PAIR, VECTORS, Unpacker


@pytest.fixture
def unpacker(tmp_path: Path) -> Unpacker:
    """A place to extract."""
    return Unpacker(tmp_path)


@pytest.fixture(params=WRITERS, ids=lambda name: name.replace(" ", "_"))
def writer(request: pytest.FixtureRequest) -> tuple[str, Callable[[Files], bytes]]:
    """A suffix, and how to write such an archive."""
    return WRITERS[request.param]


def test_a_pair_comes_out_of_every_kind(unpacker: Unpacker, writer: tuple[str, Callable[[Files], bytes]]) -> None:
    """At any depth, among other things; the files are ours to name, and nothing else is left."""
    suffix, write = writer
    files = {"x/": b"", "README.md": b"read me", **{f"x/y/{name}": content for name, content in PAIR.items()}}
    extracted = unpacker(write(files), f"a{suffix}")
    assert isinstance(extracted, ExtractedPair)
    assert extracted.faiss.read_bytes() == VECTORS
    assert extracted.sqlite.read_bytes() == CHUNKS
    assert (extracted.faiss_digest, extracted.sqlite_digest) == (digest_of(VECTORS), digest_of(CHUNKS))
    assert set(unpacker.staging.iterdir()) == {extracted.faiss, extracted.sqlite}


def test_a_layout_comes_out_of_every_kind(unpacker: Unpacker, writer: tuple[str, Callable[[Files], bytes]]) -> None:
    """Below any directory; every blob is checked against its name."""
    suffix, write = writer
    extracted = unpacker(write({f"site/{name}": content for name, content in LAYOUT.items()}), f"a{suffix}")
    assert isinstance(extracted, ExtractedLayout)
    assert extracted.index_json == LAYOUT["index.json"]
    assert {digest: path.read_bytes() for digest, path in extracted.blobs.items()} == {
        digest_of(blob): blob for blob in BLOBS
    }
    assert set(unpacker.staging.iterdir()) == set(extracted.blobs.values())


def test_a_zip_archive_may_end_twice(unpacker: Unpacker) -> None:
    """A writer of zip64 says where the directory is in a wide record and a narrow one."""
    assert isinstance(unpacker(behind_end64(GOOD_ZIP, entries=2), "a.zip"), ExtractedPair)


def test_a_zip_archive_may_tell_the_size_before_and_the_rest_behind(unpacker: Unpacker) -> None:
    """As libarchive writes it, which is the `tar` of macOS and Windows."""
    parts = []
    for name, content in PAIR.items():
        part = Part(name.encode(), content, flags=8, local={"crc": 0, "packed": 0})
        parts.append(replace(part, after=struct.pack("<4s3L", b"PK\x07\x08", *part.told())))
    assert isinstance(unpacker(build(*parts), "a.zip"), ExtractedPair)


def test_a_tar_archive_may_have_more_times(unpacker: Unpacker) -> None:
    """As star and the writer that comes with npm put them, behind a prefix that is shorter for it."""
    times = b"15301624763\0" * 2
    content = b"".join(
        block(name.encode(), len(blob), prefix=b"dir".ljust(131, b"\0") + times) + blob + bytes(-len(blob) % 512)
        for name, blob in PAIR.items()
    )
    assert isinstance(unpacker(content + END, "a.tar"), ExtractedPair)


def test_the_kind_is_told_by_the_content(tmp_path: Path, writer: tuple[str, Callable[[Files], bytes]]) -> None:
    """A download has no telling name of its own."""
    suffix, write = writer
    (tmp_path / "HEX.part").write_bytes(write(PAIR))
    assert packed_kind(tmp_path / "HEX.part") == suffix.removeprefix(".").replace("tgz", "tar.gz")


def test_what_the_source_calls_it_may_say_nothing(unpacker: Unpacker) -> None:
    """Only a suffix that we know can contradict."""
    assert isinstance(unpacker(write_zip(PAIR), "download.php"), ExtractedPair)


def test_the_named_pair_is_taken_among_several(unpacker: Unpacker) -> None:
    """By its whole name."""
    files = {"a.faiss": b"1", "a.sqlite": b"2", "sub/docs.faiss": b"3", "sub/docs.sqlite": b"4", "x.sqlite": b"5"}
    assert unpacker.pair(files) == (b"3", b"4")


def test_the_only_pair_is_taken_whatever_its_name(unpacker: Unpacker) -> None:
    """Half a pair and what macOS adds count for nothing."""
    files = {"other.faiss": b"1", "other.sqlite": b"2", "half.faiss": b"3", "._m.faiss": b"4", "._m.sqlite": b"5"}
    assert unpacker.pair(files) == (b"1", b"2")


@pytest.mark.parametrize(
    "files",
    [
        {"a.faiss": b"", "a.sqlite": b"", "b.faiss": b"", "b.sqlite": b""},
        {"x/docs.faiss": b"", "x/docs.sqlite": b"", "y/docs.faiss": b"", "y/docs.sqlite": b""},
        {**PAIR, **LAYOUT},
        {**LAYOUT, "x/oci-layout": b"{}", "x/index.json": b"{}"},
    ],
)
def test_several_indexes_are_ambiguous(unpacker: Unpacker, files: Files) -> None:
    """The message names them."""
    error = unpacker.refusal(files)
    assert error.code == "members_ambiguous"
    assert re.search(r"'.*', '.*'", str(error))


@pytest.mark.parametrize(
    "files",
    [
        {"README.md": b"", "setup.py": b""},
        {"docs.faiss": b""},
        {"docs.sqlite": b""},
        {"a/docs.faiss": b"", "b/docs.sqlite": b""},
        {"docs.FAISS": b"", "docs.SQLITE": b""},
        {"oci-layout": b"{}"},
        {"index.json": b"{}", f"blobs/sha256/{digest_of(b'x').hex}": b"x"},
        {"a/oci-layout": b"{}", "b/index.json": b"{}"},
    ],
)
def test_no_index_is_missing(unpacker: Unpacker, files: Files) -> None:
    """The message says what was looked for and what was found."""
    error = unpacker.refusal(files)
    assert error.code == "members_missing"
    assert "docs.faiss" in str(error)
    assert all(repr(name) in str(error) for name in files)


def test_the_message_shows_a_few_names_escaped(unpacker: Unpacker) -> None:
    """An archive can't write what it likes into our log."""
    files = {"a\u00a0b": b"", "b" * 500: b"", **{f"file{number}": b"" for number in range(50)}}
    message = str(unpacker.refusal(files))
    assert message.isprintable()
    assert "and 47 more" in message
    assert len(message) < 500


@pytest.mark.parametrize("write", [write_tar, write_zip])
def test_what_goes_with_an_index_may_be_there(unpacker: Unpacker, write: Callable[[Files], bytes]) -> None:
    """Texts, licences, checksums, signatures, what systems add, and what an index directory keeps for itself."""
    beside = [
        *("README", "README.md", "docs/LICENSE", "licence.txt", "LICENSE-MIT", "NOTICE", "CHANGELOG.rst", "VERSION"),
        *("docs.faiss.sha256", "SHA256SUMS", "docs.sqlite.minisig", "docs.asc", "key.pub", "metadata.json"),
        *(".DS_Store", "__MACOSX/._docs.faiss", "Thumbs.db", "Desktop.ini", ".gitattributes"),
        *(".pycontextify/lock", ".pycontextify/leases/1", "half.sqlite"),
    ]
    extracted = unpacker(write({**dict.fromkeys(beside, b"x"), **PAIR}), "a")
    assert isinstance(extracted, ExtractedPair)
    assert len(list(unpacker.staging.iterdir())) == 2


def test_a_blob_may_begin_like_an_archive(unpacker: Unpacker) -> None:
    """Row numbers, for one, can be any bytes; it is known by its digest."""
    blob = b"PK\x03\x04\x1f\x8b"
    extracted = unpacker(write_tar({**LAYOUT, f"blobs/sha256/{digest_of(blob).hex}": blob}), "a.tar")
    assert isinstance(extracted, ExtractedLayout)
    assert digest_of(blob) in extracted.blobs


def test_what_is_kept_is_on_the_disk(unpacker: Unpacker, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else waits for the disk, however many files an archive has."""
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.fstat(descriptor).st_size))
    unpacker(write_tar({**PAIR, **{f"{number}.sqlite": b"x" for number in range(99)}}), "a.tar")
    assert sorted(flushed) == sorted([len(VECTORS), len(CHUNKS)])


def test_a_blob_that_belies_its_name_is_rejected(unpacker: Unpacker) -> None:
    """Its bytes are what counts."""
    error = unpacker.refusal({**LAYOUT, f"blobs/sha256/{digest_of(b'x').hex}": b"y"})
    assert isinstance(error, VerifyError)
    assert error.code == "digest_mismatch"


def test_a_large_index_json_is_refused(unpacker: Unpacker) -> None:
    """It is read into memory."""
    error = unpacker.refusal({**LAYOUT, "index.json": b"x" * 101}, limits=ExtractLimits(document=100))
    assert error.code == "archive_too_large"


@pytest.mark.parametrize("write", [write_tar, write_zip])
def test_too_large_an_archive_is_refused(unpacker: Unpacker, write: Callable[[Files], bytes]) -> None:
    """Counting what nobody wants, too."""
    content = write({**PAIR, "README.md": bytes(1000)})
    limits = ExtractLimits(unpacked=len(VECTORS) + len(CHUNKS))
    with pytest.raises(ExtractError) as caught:
        unpacker(content, "a", limits=limits)
    assert caught.value.code == "archive_too_large"


def test_progress_counts_the_archives_bytes(tmp_path: Path) -> None:
    """Upwards, to its end."""
    archive, staging, steps = tmp_path / "a.tar", tmp_path / "staging", list[int]()
    archive.write_bytes(write_tar(PAIR))
    staging.mkdir()
    extract(archive, staging, name="docs", on_progress=steps.append)
    assert steps == sorted(steps)
    assert steps[-1] == archive.stat().st_size


@pytest.mark.parametrize("write", [write_tar, write_zip])
def test_progress_may_end_it(tmp_path: Path, write: Callable[[Files], bytes]) -> None:
    """Which leaves the staging directory empty, and raises what it raised."""

    class GoneError(Exception):
        pass

    def leave(progress: int) -> None:
        if progress > 100_000:
            raise GoneError

    archive, staging = tmp_path / "a", tmp_path / "staging"
    archive.write_bytes(write({"docs.faiss": os.urandom(500_000), "docs.sqlite": b""}))
    staging.mkdir()
    with pytest.raises(GoneError):
        extract(archive, staging, name="docs", on_progress=leave)
    assert list(staging.iterdir()) == []


def test_a_symlink_is_no_staging_directory(tmp_path: Path) -> None:
    """It could lead anywhere."""
    (tmp_path / "a.tar").write_bytes(write_tar(PAIR))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "staging").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(StoreError) as caught:
        extract(tmp_path / "a.tar", tmp_path / "staging", name="docs")
    assert caught.value.code == "staging_unsafe"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_in_the_way_is_not_followed(tmp_path: Path) -> None:
    """Not even if it is a link to somewhere."""
    (tmp_path / "a.tar").write_bytes(write_tar(PAIR))
    (tmp_path / "staging").mkdir()
    (tmp_path / "staging" / "00000").symlink_to(tmp_path / "victim")
    with pytest.raises(StoreError):
        extract(tmp_path / "a.tar", tmp_path / "staging", name="docs")
    assert not (tmp_path / "victim").exists()


def test_an_archive_that_is_gone_is_the_disks_fault(tmp_path: Path) -> None:
    """Not the publisher's."""
    (tmp_path / "staging").mkdir()
    with pytest.raises(StoreError):
        extract(tmp_path / "nothing.tar", tmp_path / "staging", name="docs")
