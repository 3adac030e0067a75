"""The transport for HTTP and HTTPS: the one module that knows aiohttp and aiofiles.

A body streams to disk in buffers of about 256 KiB. While worker threads hash and write one buffer, side by side, the
event loop receives the next into aiohttp's own buffer, which holds two and then pauses the socket: the pipeline is as
deep as it needs to be, and memory stays flat whatever the size.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

import aiofiles
import aiohttp
import anyio
from aiofiles.threadpool.binary import AsyncBufferedIOBase

from pycontextify._version import __version__
from pycontextify.errors import FetchError, PermanentFetchError, TransientFetchError
from pycontextify.hydration.address import MAX_REDIRECTS, Hop, first_hop, next_hop
from pycontextify.hydration.retry import is_transient_status, parse_retry_after
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
from pycontextify.hydration.workers import Workers, finish
from pycontextify.redact import redact_url
from pycontextify.snapshot.digest import Digest
from pycontextify.store.durable import flush, store_error

__all__ = ["DEFAULT_TIMEOUTS", "Fetcher", "Timeouts"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long, in seconds, to wait for a connection, and for the next bytes of a reply. A whole body has no limit."""

    connect: float = 15.0
    read: float = 30.0


DEFAULT_TIMEOUTS = Timeouts()


class Fetcher:
    """One HTTP session, opened and closed by ``async with``. A Transport; it tries everything once.

    (aiohttp asks once more when a connection goes before any reply, as RFC 9110, 9.2.2 lets a client do: one that was
    kept open may have been closed from the other end meanwhile.)
    """

    def __init__(
        self, workers: Workers, *, timeouts: Timeouts = DEFAULT_TIMEOUTS, clock: Callable[[], float] = time.time
    ) -> None:
        self._workers = workers
        self._timeouts = timeouts
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity", "User-Agent": f"pycontextify/{__version__}"},
            read_bufsize=BUFFER,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=self._timeouts.connect, sock_read=self._timeouts.read
            ),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            with anyio.CancelScope(shield=True):
                await self._session.close()

    async def read(self, url: str, *, limit: int) -> Fetched:
        """Return a document of at most ``limit`` bytes; see `Transport`."""
        asset, content = redact_url(url), bytearray()
        async with self._reply(url) as reply:
            check_document(reply.content_length or 0, limit, asset)
            while piece := await reply.content.readany():
                content += piece
                check_document(len(content), limit, asset)
            return Fetched(bytes(content), reply.headers.get("ETag"))

    async def download(
        self, request: Download, destination: Path, on_bytes: OnBytes, on_size: OnBytes = ignore_size
    ) -> Received:
        """Stream a body to ``destination``; see `Transport`."""
        asset = redact_url(request.url)
        on_bytes(0)
        async with self._reply(request.url) as reply:
            declared = reply.content_length
            if declared is not None:
                check_declared(request, declared, asset)
                on_size(declared)
            async with _landing(destination, self._workers) as landing:
                await _stream(reply.content, landing, request, on_bytes)
                received = landing.received()
                check_received(request, received, declared, asset)
                await landing.flush()
                return received

    @asynccontextmanager
    async def _reply(self, url: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """Lend the reply, its body yet to be read, that following the redirects leads to."""
        hop = first_hop(url)
        for _ in range(MAX_REDIRECTS + 1):
            with _wrapping(hop.asset):
                async with self._get(hop) as reply:
                    if reply.status not in _REDIRECTS:
                        self._check(reply, hop.asset)
                        yield reply
                        return
                    hop = next_hop(hop, reply.headers.get("Location"))
        raise PermanentFetchError(
            f"the server redirects more than {MAX_REDIRECTS} times", code="redirect_limit", asset=redact_url(url)
        )

    def _get(self, hop: Hop) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        if self._session is None:
            raise RuntimeError("a Fetcher is used inside its `async with` only")
        login = {} if hop.login is None else {"Authorization": aiohttp.encode_basic_auth(*hop.login)}
        return self._session.get(hop.url, headers=login, allow_redirects=False)

    def _check(self, reply: aiohttp.ClientResponse, asset: str) -> None:
        """Raise the error that the status or the headers of a reply stand for, if any."""
        if reply.status != HTTPStatus.OK:
            raise _status_error(reply.status, parse_retry_after(reply.headers.get("Retry-After"), self._clock()), asset)
        encoding = reply.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            raise PermanentFetchError(
                f"the reply is encoded ({encoding[:20]!r}), which was not asked for",
                code="encoded_reply",
                asset=asset,
                hint="have the server send its files as they are, without Content-Encoding",
            )


class _Landing:
    """A file that is written and hashed side by side, off the event loop."""

    def __init__(self, path: Path, file: AsyncBufferedIOBase, workers: Workers) -> None:
        self._path = path
        self._file = file
        self._workers = workers
        self._hasher = hashlib.sha256()
        self._size = 0

    async def put(self, buffer: bytes) -> None:
        hashing = asyncio.wrap_future(self._workers.executor.submit(self._hasher.update, buffer))
        try:
            with _writing(self._path):
                await finish(self._file.write(buffer))
        finally:
            await finish(hashing)
        self._size += len(buffer)

    def received(self) -> Received:
        return Received(Digest(f"sha256:{self._hasher.hexdigest()}"), self._size)

    async def flush(self) -> None:
        """Force everything to the disk."""
        with _writing(self._path):
            await finish(self._file.flush())
            await self._workers.run(flush, self._file.fileno())


@asynccontextmanager
async def _landing(path: Path, workers: Workers) -> AsyncIterator[_Landing]:
    """Lend a new, empty file; it is closed whatever happens, a cancellation while it is being opened included."""
    opening = asyncio.ensure_future(aiofiles.open(path, "wb", executor=workers.executor))
    try:
        with _writing(path):
            file = await finish(opening)
        yield _Landing(path, file, workers)
    finally:
        # Not by aiofiles' own `async with`: it closes in the loop's default executor, and a cancellation stops it.
        if opening.done() and not opening.cancelled() and opening.exception() is None:
            with anyio.CancelScope(shield=True), _writing(path):
                await finish(opening.result().close())


async def _stream(content: aiohttp.StreamReader, landing: _Landing, request: Download, on_bytes: OnBytes) -> None:
    """Move a body into its file; what the network gives in crumbs is gathered into whole buffers."""
    asset, pieces, held, arrived = redact_url(request.url), list[bytes](), 0, 0
    while piece := await content.readany():
        arrived += len(piece)
        check_arriving(request, arrived, asset)
        on_bytes(arrived)
        pieces.append(piece)
        held += len(piece)
        if held >= BUFFER:
            await landing.put(b"".join(pieces))
            pieces.clear()
            held = 0
    if held:
        await landing.put(b"".join(pieces))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise store_error(error, path) from error


def _status_error(status: int, retry_after: float | None, asset: str) -> FetchError:
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    what, code = f"the server answered {phrase}", f"http_{status}"
    if is_transient_status(status):
        return TransientFetchError(what, code=code, asset=asset, retry_after=retry_after)
    return PermanentFetchError(what, code=code, asset=asset, hint=_HINTS.get(status))


_HINTS = {
    401: "give the source a login",
    403: "check that the login may read it",
    404: "check the address",
    410: "check the address",
}

# The first row whose class fits an error of aiohttp tells what the error means; the order is from special to general.
_MEANINGS: tuple[tuple[type[Exception], type[FetchError], str, str], ...] = (
    (
        aiohttp.ClientConnectorCertificateError,
        PermanentFetchError,
        "tls_untrusted",
        "the server's certificate is not trusted",
    ),
    (aiohttp.ClientSSLError, TransientFetchError, "tls_failed", "no TLS connection could be made"),
    (aiohttp.ClientConnectorDNSError, TransientFetchError, "dns_failed", "the host's name is not found"),
    (aiohttp.ClientConnectorError, TransientFetchError, "connect_failed", "no connection could be made"),
    (aiohttp.ConnectionTimeoutError, TransientFetchError, "connect_timeout", "no connection could be made in time"),
    (TimeoutError, TransientFetchError, "read_timeout", "the server has stopped sending"),
    (aiohttp.ClientPayloadError, TransientFetchError, "truncated", "the body ended early"),
    (aiohttp.ClientResponseError, PermanentFetchError, "reply_malformed", "what answers does not speak HTTP"),
    (aiohttp.InvalidURL, PermanentFetchError, "url_invalid", "the address is malformed"),
    (aiohttp.ClientError, TransientFetchError, "connection_lost", "the connection was lost"),
)


@contextmanager
def _wrapping(asset: str) -> Iterator[None]:
    """Turn aiohttp's errors into ours.

    Of a foreign error only the system's own error, if any, is chained: the others carry addresses with their queries.
    """
    try:
        yield
    except (aiohttp.ClientError, TimeoutError) as error:
        kind, code, what = next(row[1:] for row in _MEANINGS if isinstance(error, row[0]))
        cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else None
        reason = f" ({cause.strerror or type(cause).__name__})" if cause else ""
        raise kind(what + reason, code=code, asset=asset) from cause
