"""A client's file on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontextify.library.clients import files
from pycontextify.library.clients.edit import ClientFileError
from pycontextify.library.clients.files import backup_of, read_text, write_text


def test_a_file_is_made_with_its_directory(tmp_path: Path) -> None:
    """There is nothing to keep a copy of."""
    path = tmp_path / "a" / "b.json"
    assert read_text(path) is None
    write_text(path, None, "{}\r\n")
    assert path.read_bytes() == b"{}\r\n"
    assert [each.name for each in path.parent.iterdir()] == ["b.json"]


def test_permissions_stay_and_the_first_text_is_kept(tmp_path: Path) -> None:
    """However often it is changed, the copy is of what somebody else had written."""
    path = tmp_path / "c.json"
    path.write_text("one")
    path.chmod(0o600)
    write_text(path, "one", "two")
    write_text(path, "two", "three")
    assert path.read_text() == "three"
    assert backup_of(path).read_text() == "one"
    assert {each.stat().st_mode & 0o777 for each in tmp_path.iterdir()} == {0o600}


def test_links_are_followed(tmp_path: Path) -> None:
    """Whoever keeps such files in a repository has links to them."""
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("one")
    link.symlink_to(real)
    write_text(link, "one", "two")
    assert link.is_symlink()
    assert real.read_text() == "two"


def test_what_was_changed_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    """The diff that was agreed to is not the one that it would be."""
    path = tmp_path / "c.json"
    path.write_text("other")
    with pytest.raises(ClientFileError, match="changed meanwhile"):
        write_text(path, "one", "two")
    assert path.read_text() == "other"
    assert not backup_of(path).exists()


def test_what_can_not_be_written_is_said(tmp_path: Path) -> None:
    """And nothing is left behind."""
    (tmp_path / "file").touch()
    with pytest.raises(ClientFileError, match="can't be written"):
        write_text(tmp_path / "file" / "c.json", None, "{}")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_what_can_not_be_read_is_said(tmp_path: Path) -> None:
    """A directory, bytes that are no text, and more than settings ever have."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfe{}")
    for name in ("", "bytes"):
        with pytest.raises(ClientFileError, match="can't be read"):
            read_text(tmp_path / name)
    (tmp_path / "large").write_bytes(b" " * (files.LARGEST + 1))
    with pytest.raises(ClientFileError, match="more than"):
        read_text(tmp_path / "large")
