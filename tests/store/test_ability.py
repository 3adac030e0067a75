"""What a file system can do."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontextify.store.ability import file_system_of, free_bytes, try_out


def test_this_disk_can_do_it_all(tmp_path: Path) -> None:
    """And is as it was afterwards."""
    before = tmp_path.stat().st_mtime_ns
    ability = try_out(tmp_path)
    assert tmp_path.stat().st_mtime_ns == before
    assert (ability.writable, ability.locks, ability.links) == (True, True, True)
    assert list(tmp_path.iterdir()) == []
    assert free_bytes(tmp_path)


def test_what_is_not_there_can_not_be_written(tmp_path: Path) -> None:
    """The reason is the system's."""
    ability = try_out(tmp_path / "none")
    assert not ability.writable
    assert ability.reason
    assert free_bytes(tmp_path / "none") is None


@pytest.mark.parametrize(("kind", "network"), [("ext4", None), ("nfs4", "nfs4"), ("fuse.sshfs", "fuse.sshfs")])
def test_a_network_is_told_by_its_mount(tmp_path: Path, kind: str, network: str | None) -> None:
    """The nearest mount above counts; a line that makes no sense does not."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 8:1 / / rw - nfs4 x rw\nodd\n23 22 8:2 / {tmp_path} rw shared:1 - {kind} server:/x rw\n")
    assert file_system_of(tmp_path / "index", mounts) == network
    assert file_system_of(tmp_path, tmp_path / "none") is None
