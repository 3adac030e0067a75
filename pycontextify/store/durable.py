"""Durable writes: the one module that replaces and flushes files.

What a crash can leave behind, step by step, when a file is put in place:

1. the staged file is written, then flushed to the disk. A crash before this ends leaves a temporary file that nothing
   points to;
2. it is renamed over the final name. A crash leaves the old file or the new one, both whole;
3. the directory is flushed, so that the rename itself survives a power cut.

Windows has no flush for directories and refuses to replace a file that somebody has open; both are dealt with here.
"""

from __future__ import annotations

import errno
import os
import secrets
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pycontextify.errors import StoreError

__all__ = ["flush", "put_in_place", "store_error", "unique", "write_bytes"]

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
