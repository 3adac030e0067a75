"""Durable writes: the one module that replaces, moves and flushes files.

A generation comes in like this, and what a crash at each step leaves is:

1. each blob is written to a temporary file, and that is flushed. A temporary file that nothing points to;
2. it is renamed to its digest. The temporary file, or a blob that nothing refers to, whole;
3. its directory is flushed, so that the name itself survives a power cut. As before;
4. the new index.json is written to a temporary file, and that is flushed. The old generation, unreferenced blobs;
5. it replaces index.json. The old generation or the new one: the file system knows one of the two names;
6. the directory is flushed. The new generation, from here on whatever happens.

At no step is there a name whose bytes are not on the disk. Windows has no flush for directories and refuses to replace
a file that somebody has open; both are dealt with here.
"""

from __future__ import annotations

import errno
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pycontextify.errors import StoreError

__all__ = [
    "flush",
    "found_in",
    "make_directory",
    "move",
    "on_disk",
    "post_bytes",
    "put_in_place",
    "shift",
    "store_error",
    "unique",
    "write_bytes",
]

_REPLACE_TRIES = 20
_REPLACE_PAUSE_SECONDS = 0.05


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file's content atomically and durably.

    Raises StoreError; the old content is then still in place.
    """
    staged = path.with_name(f".{path.name}.{unique()}.tmp")
    try:
        with staged.open("xb") as file:
            file.write(content)
        put_in_place(staged, path)
    except OSError as error:
        raise store_error(error, path) from error
    finally:
        with suppress(OSError):
            staged.unlink(missing_ok=True)


@contextmanager
def on_disk(path: Path) -> Iterator[None]:
    """Turn what the system says of a file into StoreError, for the length of a block."""
    try:
        yield
    except OSError as error:
        raise store_error(error, path) from error


def post_bytes(path: Path, content: bytes) -> None:
    """Replace a file's content atomically, without flushing it: for what is worth nothing after a crash.

    Raises OSError.
    """
    staged = path.with_name(f".{path.name}.{unique()}.tmp")
    try:
        staged.write_bytes(content)
        staged.replace(path)
    finally:
        with suppress(OSError):
            staged.unlink(missing_ok=True)


def move(source: Path, target: Path) -> None:
    """Give a file another name on the same disk, durably. Raises StoreError; it then has its old name."""
    try:
        source.replace(target)
        _flush_directory(target.parent)
        _flush_directory(source.parent)
    except OSError as error:
        raise store_error(error, source) from error


def shift(source: Path, target: Path) -> None:
    """Give a file another name on the same disk, without flushing that: for what may be lost. Raises OSError."""
    source.replace(target)


def make_directory(path: Path) -> None:
    """Make a directory, and those above it, durably, as far as they are not there yet. Raises OSError."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(exist_ok=True)
    _flush_directory(path.parent)


def found_in(directory: Path, pattern: str) -> list[Path]:
    """Return what matches a pattern in a directory; nothing when that can't be read."""
    try:
        return list(directory.glob(pattern))
    except OSError:
        return []


def unique() -> str:
    """Return a name part that nobody else uses.

    Files made under it with plain ``open`` get the permissions that the user's umask gives, as a web server that is to
    read what was published needs them; `tempfile` would keep them to their owner.
    """
    return secrets.token_hex(8)


def put_in_place(staged: Path, final: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Flush a finished file to the disk and rename it onto its final name, durably.

    Raises StoreError; the staged file is then still there.
    """
    try:
        with staged.open("r+b") as file:
            flush(file.fileno())
        _replace(staged, final, sleep)
        _flush_directory(final.parent)
    except OSError as error:
        raise store_error(error, final) from error


def flush(descriptor: int) -> None:
    """Force an open file's bytes to the disk."""
    os.fsync(descriptor)


def store_error(error: OSError, path: Path) -> StoreError:
    """Say what a failed file operation means for whoever looks after the disk."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError("the disk is full", code="disk_full", asset=str(path), hint="free space, or move the index")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreError(
            f"the system does not permit it ({error.strerror})",
            code="disk_read_only",
            asset=str(path),
            hint="let this user read and write there, or name another directory with --index-path",
        )
    return StoreError(
        f"a file operation failed ({error.strerror or error})",
        code="disk_failed",
        asset=str(path),
        hint="check the disk",
    )


def _replace(staged: Path, final: Path, sleep: Callable[[float], None]) -> None:
    # On Windows a virus scanner or an indexer may hold the file for a moment: try for a second, then give up.
    for _ in range(_REPLACE_TRIES):
        try:
            staged.replace(final)
        except PermissionError:
            if sys.platform != "win32":
                raise
            sleep(_REPLACE_PAUSE_SECONDS)
        else:
            return
    staged.replace(final)


def _flush_directory(directory: Path) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
