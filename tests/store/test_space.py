"""Room on the disk, asked for beforehand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pycontextify.errors import StoreError
from pycontextify.store.space import allocated, check_space


def test_where_there_is_room_nothing_is_said(tmp_path: Path) -> None:
    """Nothing needed needs no room at all, however full the disk is."""
    check_space(tmp_path, 1, "an index")
    check_space(tmp_path, 0, "an index")
    check_space(tmp_path, -5, "an index")


def test_without_room_both_numbers_are_told(tmp_path: Path) -> None:
    """What is free and what is needed, and by what."""
    with pytest.raises(StoreError, match="an index needs") as caught:
        check_space(tmp_path, 10**18, "an index")
    assert caught.value.code == "disk_full"
    assert "bytes free" in str(caught.value)
    assert f"{10**18 + (8 << 20):,}" in str(caught.value)
    assert caught.value.asset == str(tmp_path)
    assert caught.value.hint


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """The store's error, like every other trouble with the disk."""
    with pytest.raises(StoreError):
        check_space(tmp_path / "gone", 1, "an index")


def test_what_a_file_takes_up(tmp_path: Path) -> None:
    """No more than its length; nothing where there is none."""
    file = tmp_path / "a"
    assert allocated(file) == 0
    file.write_bytes(b"x" * 100_000)
    assert allocated(file) == 100_000


if sys.platform == "linux":

    def test_holes_take_nothing_up(tmp_path: Path) -> None:
        """A download that is shared out leaves some."""
        file = tmp_path / "a"
        with file.open("wb") as target:
            target.seek(100 << 20)
            target.write(b"x" * 4096)
        assert allocated(file) < 1 << 20
