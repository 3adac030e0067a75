"""Room on the disk: asked for before the first byte is written, not found out with the last."""

from __future__ import annotations

import shutil
from pathlib import Path

from pycontextify.errors import StoreError
from pycontextify.store.durable import store_error

__all__ = ["allocated", "check_space"]

_MARGIN = 8 << 20
"""Bytes that must stay free beyond what is needed: index.json and the file system's own books are written as well."""


def check_space(directory: Path, needed: int, what: str) -> None:
    """Raise StoreError when there is no room for ``needed`` more bytes (of ``what``) on the disk of ``directory``."""
    try:
        free = shutil.disk_usage(directory).free
    except OSError as error:
        raise store_error(error, directory) from error
    if needed > 0 and free < needed + _MARGIN:
        raise StoreError(
            f"the disk has {free:,} bytes free, and {what} needs {needed + _MARGIN:,}",
            code="disk_full",
            asset=str(directory),
            hint="free space, or name a directory on another disk with --index-path",
        )


def allocated(path: Path) -> int:
    """Return how many bytes of the disk a file takes up; 0 when it is not there. Holes in it take none."""
    try:
        status = path.stat()
    except OSError:
        return 0
    return min(status.st_size, status.st_blocks * 512) if hasattr(status, "st_blocks") else status.st_size
