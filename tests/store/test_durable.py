"""Durable writes: whole or not at all, and errors that say what to do."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from pycontextify.errors import StoreError
from pycontextify.store.durable import put_in_place, store_error, unique, write_bytes


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    """The new content is there afterwards, and nothing else is."""
    path = tmp_path / "index.json"
    for content in (b"first", b"", b"second" * 100_000):
        write_bytes(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_files_have_the_permissions_of_the_umask(tmp_path: Path, umask: int) -> None:
    """A web server of another user must be able to read what was published, as far as the umask lets it."""
    before = os.umask(umask)
    try:
        write_bytes(tmp_path / "file", b"x")
    finally:
        os.umask(before)
    mode = stat.S_IMODE((tmp_path / "file").stat().st_mode)
    assert mode == (0o666 & ~umask if os.name == "posix" else mode)


def test_a_write_that_fails_leaves_the_old_content(tmp_path: Path) -> None:
    """The target is a directory that is not empty: a StoreError, its content is still there, no temporary file is."""
    target = tmp_path / "index.json"
    (target / "kept").mkdir(parents=True)
    with pytest.raises(StoreError) as caught:
        write_bytes(target, b"new")
    assert caught.value.code in ("disk_failed", "disk_read_only")  # Windows refuses it as a matter of permission
    assert caught.value.asset == str(target)
    assert caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["index.json"]
    assert (target / "kept").is_dir()


@pytest.mark.parametrize("parent", ["missing", "file"])
def test_a_directory_that_is_none_is_a_store_error(tmp_path: Path, parent: str) -> None:
    """Neither a missing directory nor a file in its place raises anything foreign, nor is anything made."""
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(StoreError) as caught:
        write_bytes(tmp_path / parent / "index.json", b"new")
    assert caught.value.code == "disk_failed"
    assert isinstance(caught.value.__cause__, OSError)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_staged_file_takes_its_place(tmp_path: Path) -> None:
    """It replaces what was there and is gone from where it was."""
    staged, final = tmp_path / "staged", tmp_path / "final"
    staged.write_bytes(b"new")
    final.write_bytes(b"old")
    put_in_place(staged, final)
    assert final.read_bytes() == b"new"
    assert not staged.exists()


def test_what_could_not_be_put_in_place_is_still_staged(tmp_path: Path) -> None:
    """The caller decides what becomes of it."""
    staged = tmp_path / "staged"
    staged.write_bytes(b"new")
    with pytest.raises(StoreError):
        put_in_place(staged, tmp_path / "missing" / "final")
    assert staged.read_bytes() == b"new"


def test_nothing_staged_is_a_store_error(tmp_path: Path) -> None:
    """A staged file that somebody removed is a matter of the disk, and the old file stays."""
    final = tmp_path / "final"
    final.write_bytes(b"old")
    with pytest.raises(StoreError):
        put_in_place(tmp_path / "gone", final)
    assert final.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EACCES, "disk_read_only"),
        (errno.EPERM, "disk_read_only"),
        (errno.EROFS, "disk_read_only"),
        (errno.EIO, "disk_failed"),
        (errno.ENOTDIR, "disk_failed"),
    ],
)
def test_what_the_system_says_becomes_what_to_do(number: int, code: str) -> None:
    """Full, not permitted, broken: three codes, each with the system's own words or ours, and a hint."""
    error = store_error(OSError(number, os.strerror(number)), Path("somewhere"))
    assert (error.code, error.asset) == (code, "somewhere")
    assert error.hint
    assert code == "disk_full" or os.strerror(number) in str(error)


def test_an_error_without_a_number_still_says_something() -> None:
    """Some libraries raise an OSError with words alone."""
    assert "out of luck" in str(store_error(OSError("out of luck"), Path("x")))


def test_unique_names_differ() -> None:
    """And can stand in a file name."""
    names = {unique() for _ in range(1000)}
    assert len(names) == 1000
    assert all(name.isalnum() for name in names)
