"""The transport for ``file://``: the same promises as over HTTP, kept by copying."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pycontextify.errors import PermanentFetchError
from pycontextify.hydration.transport import (
    BUFFER,
    Download,
    Fetched,
    OnBytes,
    Received,
    check_arriving,
    check_declared,
    check_document,
    check_received,
    ignore_size,
)
from pycontextify.hydration.workers import OnProgress, Workers
from pycontextify.redact import redact_url
from pycontextify.snapshot.digest import Digest
from pycontextify.store.durable import flush, store_error

__all__ = ["LocalFiles", "path_of_file_url"]


class LocalFiles:
    """Reads ``file://`` addresses of regular files in worker threads. A Transport."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    async def read(self, url: str, *, limit: int) -> Fetched:
        """Return a document of at most ``limit`` bytes; see `Transport`."""
        return await self._workers.run(_read, url, limit)

    async def download(
        self, request: Download, destination: Path, on_bytes: OnBytes, on_size: OnBytes = ignore_size
    ) -> Received:
        """Copy a file to ``destination``; see `Transport`."""
        size = await self._workers.run(_size, request)
        on_size(size)
        return await self._workers.run_watched(lambda step: _copy(request, destination, step), on_bytes)


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


def _read(url: str, limit: int) -> Fetched:
    asset = redact_url(url)
    with _opened(url) as (file, size):
        check_document(size, limit, asset)
        with _reading(asset):
            content = file.read(limit + 1)
    check_document(len(content), limit, asset)
    return Fetched(content)


def _size(request: Download) -> int:
    with _opened(request.url) as (_, size):
        return size


def _copy(request: Download, destination: Path, step: OnProgress) -> Received:
    asset = redact_url(request.url)
    with _opened(request.url) as (source, size):
        check_declared(request, size, asset)
        step(0)
        with _writing(destination), destination.open("wb") as target:
            received = _pump(source, target, request, step)
            target.flush()
            flush(target.fileno())
        check_received(request, received, size, asset)
        return received


def _pump(source: BinaryIO, target: BinaryIO, request: Download, step: OnProgress) -> Received:
    asset = redact_url(request.url)
    hasher, arrived = hashlib.sha256(), 0
    while True:
        with _reading(asset):
            buffer = source.read(BUFFER)
        if not buffer:
            return Received(Digest(f"sha256:{hasher.hexdigest()}"), arrived)
        arrived += len(buffer)
        check_arriving(request, arrived, asset)
        hasher.update(buffer)
        target.write(buffer)
        step(arrived)


@contextmanager
def _opened(url: str) -> Iterator[tuple[BinaryIO, int]]:
    """Lend a regular file and its size in bytes."""
    asset, path = redact_url(url), path_of_file_url(url)
    with _reading(asset):
        # Never wait for the other end of a FIFO; the flag exists where FIFOs do.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
        file = os.fdopen(descriptor, "rb")
    with file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise PermanentFetchError("this is not a regular file", code="file_not_regular", asset=asset)
        yield file, status.st_size


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


@contextmanager
def _writing(destination: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise store_error(error, destination) from error
