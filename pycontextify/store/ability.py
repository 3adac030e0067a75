"""What a directory's file system can do, found out by trying; and what can be told of it without."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pycontextify.errors import StoreError
from pycontextify.store.lock import writer_lock

__all__ = ["Ability", "exposed", "file_system_of", "free_bytes", "try_out"]

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs"})
_GROUP_AND_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Ability:
    """Whether files can be written, locked, and given a second name; ``reason`` says why not, if not."""

    writable: bool
    locks: bool = False
    links: bool = False
    reason: str = ""


def try_out(directory: Path) -> Ability:
    """Try it with files of its own, in a directory that is there and afterwards as it was. Blocks; never raises."""
    try:
        with (
            _time_kept(directory),
            tempfile.TemporaryDirectory(dir=directory, prefix=".pycontextify-", ignore_cleanup_errors=True) as name,
        ):
            place = Path(name)
            (place / "file").write_bytes(b"x")
            return Ability(writable=True, locks=_locks(place / "lock"), links=_links(place))
    except OSError as error:
        return Ability(writable=False, reason=error.strerror or type(error).__name__)


@contextmanager
def _time_kept(directory: Path) -> Iterator[None]:
    """Give a directory the time back that it was changed at: who looks leaves no trace."""
    before = directory.stat()
    yield
    with suppress(OSError):  # it is somebody else's, who lets us write
        os.utime(directory, ns=(before.st_atime_ns, before.st_mtime_ns))


def _locks(path: Path) -> bool:
    try:
        with writer_lock(path, timeout=1):
            return True
    except (StoreError, NotImplementedError):
        return False


def _links(place: Path) -> bool:
    try:
        (place / "link").hardlink_to(place / "file")
    except OSError:
        return False
    return True


def free_bytes(directory: Path) -> int | None:
    """Return how many bytes are free on a directory's disk; None where that can't be told."""
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return None


def file_system_of(directory: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str | None:
    """Return the kind of a network file system that a directory is on; None for any other, and where nobody tells.

    The form of ``mounts`` is that of proc_pid_mountinfo(5).
    """
    try:
        real, lines = str(directory.resolve()), mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    best, kind = -1, ""
    for line in lines:
        fields, dash, rest = line.partition(" - ")
        words = fields.split(" ")
        if not dash or len(words) < 5:
            continue
        point = words[4].replace("\\040", " ")
        below = real == point or real.startswith(point.rstrip("/") + "/")
        if below and len(point) >= best:
            best, kind = len(point), rest.split(" ")[0]
    return kind if kind in _NETWORK else None


def exposed(path: Path) -> bool:
    """Tell whether others than its owner may read or write a file; False where systems have no such bits."""
    if sys.platform == "win32":
        return False
    try:
        return bool(os.stat(path).st_mode & _GROUP_AND_OTHERS)  # noqa: PTH116 - links are followed either way
    except OSError:
        return False
