"""Opening files found in a tree that may be changing, or hostile."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

__all__ = ["open_regular", "why"]

_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0)
"""A fifo that took the place of a file since it was listed must not block the opener."""

_FLAGS = os.O_RDONLY | _NEVER_WAIT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def open_regular(path: Path) -> Iterator[tuple[BufferedReader, os.stat_result]]:
    """Open a regular file for reading, and give its status as it was when opened.

    Raises OSError, also when the path leads to anything but a regular file.
    """
    descriptor = os.open(path, _FLAGS)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise OSError(None, "not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        yield file, status


def why(error: OSError) -> str:
    """Return the reason of an OSError, without the path: fit for a list of skipped files."""
    return f"can't be read: {error.strerror or type(error).__name__}"
