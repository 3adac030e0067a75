"""The transport for ``file://``: a reply like any other, read from the disk."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit
from urllib.request import url2pathname

import anyio

from pycontextify.errors import PermanentFetchError
from pycontextify.hydration.transfer.ranges import Span
from pycontextify.hydration.transfer.transport import BUFFER, Ask, RangeRefused, Reply
from pycontextify.hydration.workers import Workers
from pycontextify.redact import redact_url

__all__ = ["LocalFiles", "path_of_file_url"]


class LocalFiles:
    """Reads ``file://`` addresses of regular files in worker threads. A Transport.

    A file is never vouched for (its times can't tell one version from another), so nothing is resumed without a digest.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    @asynccontextmanager
    async def open(self, ask: Ask) -> AsyncIterator[Reply]:
        """Lend a reply with the file's bytes; see `Transport`."""
        file, size = await self._workers.run(_open, ask.url)
        try:
            span = ask.span or Span(0)
            stop = size if span.stop is None else min(span.stop, size)
            if ask.span is not None and span.start >= size:
                raise RangeRefused("the file has no such range", asset=redact_url(ask.url))
            await self._workers.run(file.seek, span.start)
            yield Reply(
                self._reader(file, stop - span.start, redact_url(ask.url)),
                whole=ask.span is None,
                length=stop - span.start,
                size=size,
            )
        finally:
            with anyio.CancelScope(shield=True):
                await self._workers.run(file.close)

    def _reader(self, file: BinaryIO, left: int, asset: str) -> Callable[[], Awaitable[bytes]]:
        async def read() -> bytes:
            nonlocal left
            piece = await self._workers.run(_read, file, min(BUFFER, left), asset)
            left -= len(piece)
            return piece

        return read


def path_of_file_url(url: str) -> Path:
    """Return the path that a ``file://`` address names.

    Raises PermanentFetchError for the address of another machine, or one with a query. (On Windows
    ``file:///C:/index`` is a drive, and ``file://host/share`` a network share.)
    """
    parts = urlsplit(url)
    remote = parts.netloc not in ("", "localhost")
    if parts.scheme != "file" or parts.query or (remote and sys.platform != "win32"):
        raise PermanentFetchError(
            "this address names no file of this machine",
            code="url_invalid",
            asset=redact_url(url),
            hint="write file:/// and an absolute path, with ? as %3F",
        )
    path = url2pathname(parts.path)
    return Path(f"\\\\{parts.netloc}{path}" if remote else path)


def _open(url: str) -> tuple[BinaryIO, int]:
    """Open a regular file; return it and its size in bytes."""
    asset, path = redact_url(url), path_of_file_url(url)
    with _reading(asset):
        # Never wait for the other end of a FIFO; the flag exists where FIFOs do.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
        file = os.fdopen(descriptor, "rb", buffering=0)
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        file.close()
        raise PermanentFetchError("this is not a regular file", code="file_not_regular", asset=asset)
    return file, status.st_size


def _read(file: BinaryIO, most: int, asset: str) -> bytes:
    with _reading(asset):
        return file.read(most)


@contextmanager
def _reading(asset: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise PermanentFetchError("there is no such file", code="file_missing", asset=asset) from error
    except IsADirectoryError as error:
        raise PermanentFetchError("this is not a regular file", code="file_not_regular", asset=asset) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or "malformed path"
        raise PermanentFetchError(
            f"the file can't be read ({reason})", code="file_unreadable", asset=asset, hint="check its permissions"
        ) from error
