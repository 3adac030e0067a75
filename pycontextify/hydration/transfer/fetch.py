"""The transport for HTTP and HTTPS: one request, its redirects, and a reply that can be believed. Knows aiohttp.

Bodies are read as they arrive, about 256 KiB at a time; aiohttp holds two such buffers and then pauses the socket, so
memory stays flat however slow the disk is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self

import aiohttp
import anyio
from yarl import URL

from pycontextify._version import __version__
from pycontextify.errors import PermanentFetchError, TransientFetchError
from pycontextify.hydration.transfer.address import MAX_REDIRECTS, Credentials, Hop, first_hop, next_hop
from pycontextify.hydration.transfer.ranges import parse_content_range
from pycontextify.hydration.transfer.retry import parse_retry_after
from pycontextify.hydration.transfer.secure import Tls
from pycontextify.hydration.transfer.transport import BUFFER, Ask, RangeRefused, Reply, Validators
from pycontextify.hydration.transfer.trouble import status_error, wrapping
from pycontextify.redact import redact_url

__all__ = ["DEFAULT_TIMEOUTS", "Access", "Fetcher", "Timeouts"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SETTLED_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds: for a connection, for a reply to begin (redirects apart), for its next bytes.

    A whole body has no limit, for nobody knows how long it is; but one that brings fewer than ``floor`` bytes a second
    over ``window`` seconds of waiting is left. (cargo leaves at 10 bytes a second over 30 seconds, curl's manual
    suggests 30 over 60: below some hundred nothing of the size of an index will ever arrive.)
    """

    connect: float = 15.0
    reply: float = 60.0
    read: float = 30.0
    floor: float = 200.0
    window: float = 30.0


DEFAULT_TIMEOUTS = Timeouts()


async def _directly(_url: URL) -> URL | None:
    return None


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """What opens doors: who we are, how TLS is spoken, and the proxy for an address, if any."""

    credentials: Credentials = field(default_factory=Credentials)
    tls: Tls = field(default_factory=Tls)
    proxy: Callable[[URL], Awaitable[URL | None]] = _directly


class Fetcher:
    """One HTTP session, opened and closed by ``async with``. A Transport; it asks once.

    (aiohttp asks once more when a connection goes before any reply, as RFC 9110, 9.2.2 lets a client do: one that was
    kept open may have been closed from the other end meanwhile.)
    """

    def __init__(
        self,
        access: Access | None = None,
        *,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._access = access or Access()
        self._timeouts = timeouts
        self._clock = clock
        self._monotonic = monotonic
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity", "User-Agent": f"pycontextify/{__version__}"},
            read_bufsize=BUFFER,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._timeouts.connect),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            with anyio.CancelScope(shield=True):
                await self._session.close()

    @asynccontextmanager
    async def open(self, ask: Ask) -> AsyncIterator[Reply]:
        """Lend the reply that following the redirects leads to; see `Transport`."""
        hop = first_hop(ask.url, self._access.credentials)
        for _ in range(MAX_REDIRECTS + 1):
            async with await self._get(hop, ask) as reply:
                if reply.status not in _REDIRECTS:
                    moved_to = None if hop.own else f"{hop.url.scheme}://{hop.url.authority}"
                    judged = self._judged(reply, ask, hop.asset)
                    yield replace(judged, date=_seconds(reply.headers.get("Date")), moved_to=moved_to)
                    return
                hop = next_hop(hop, reply.headers.get("Location"))
        raise PermanentFetchError(
            f"the server redirects more than {MAX_REDIRECTS} times", code="redirect_limit", asset=redact_url(ask.url)
        )

    async def _get(self, hop: Hop, ask: Ask) -> aiohttp.ClientResponse:
        if self._session is None:
            raise RuntimeError("a Fetcher is used inside its `async with` only")
        proxy = await self._access.proxy(hop.url)
        with wrapping(hop.asset):
            async with asyncio.timeout(self._timeouts.reply):
                return await self._session.get(
                    hop.url,
                    headers={**dict(hop.headers), **_conditions(ask)},
                    allow_redirects=False,
                    ssl=self._access.tls.own if hop.own else self._access.tls.other,
                    proxy=proxy,
                )

    def _judged(self, reply: aiohttp.ClientResponse, ask: Ask, asset: str) -> Reply:
        """Return what a reply says, or raise the error that its status or its headers stand for."""
        validators = _validators(reply)
        read = self._reader(reply, asset)
        match reply.status:
            case HTTPStatus.OK:
                _check_encoding(reply, asset)
                return Reply(read, length=reply.content_length, size=reply.content_length, validators=validators)
            case HTTPStatus.PARTIAL_CONTENT if ask.span is not None:
                _check_encoding(reply, asset)
                return _partial(reply, ask, Reply(read, validators=validators), asset)
            case HTTPStatus.NOT_MODIFIED if ask.unless is not None:
                return Reply(read, validators=validators, unmodified=True)
            case HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE if ask.span is not None:
                raise RangeRefused("the server has no such range of it", code="http_416", asset=asset)
        raise status_error(reply.status, parse_retry_after(reply.headers.get("Retry-After"), self._clock()), asset)

    def _reader(self, reply: aiohttp.ClientResponse, asset: str) -> Callable[[], Awaitable[bytes]]:
        pace = _Pace(self._timeouts)

        async def read() -> bytes:
            began = self._monotonic()
            with wrapping(asset):
                try:
                    # Not aiohttp's sock_read: that begins anew with every byte, those between two pieces included.
                    async with asyncio.timeout(self._timeouts.read):
                        piece = await reply.content.readany()
                except aiohttp.ClientError as error:
                    piece = _rescued(reply.content, error)
            if piece:
                pace.keep(len(piece), self._monotonic() - began, asset)
            return piece

        return read


def _rescued(content: aiohttp.StreamReader, error: aiohttp.ClientError) -> bytes:
    """Return what had arrived before the connection broke, or else raise the error.

    aiohttp would drop it, up to two buffers. The error is put back, and comes with the next read.
    """
    content.set_exception(None)  # type: ignore[arg-type]  # it takes what it is given
    piece = content.read_nowait()
    content.set_exception(error)
    if not piece:
        raise error
    return piece


class _Pace:
    """How fast a body arrives, as far as it is the sender's doing: only the time spent waiting for it counts."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._bytes = 0
        self._waited = 0.0

    def keep(self, size: int, waited: float, asset: str) -> None:
        """Count what arrived; raise TransientFetchError when it has been too little for too long."""
        self._bytes += size
        self._waited += waited
        if self._waited < self._timeouts.window:
            return
        if self._bytes < self._timeouts.floor * self._waited:
            raise TransientFetchError(
                f"the server sends too slowly ({self._bytes:,} bytes in {self._waited:.0f} s)",
                code="too_slow",
                asset=asset,
                hint="try a nearer mirror",
            )
        self._bytes, self._waited = 0, 0.0


def _conditions(ask: Ask) -> dict[str, str]:
    """Return the headers that say which bytes are wanted, and of which version."""
    headers: dict[str, str] = {}
    if ask.span is not None:
        headers["Range"] = ask.span.header
        if ask.if_range is not None:
            headers["If-Range"] = ask.if_range
    if ask.unless is not None:
        if ask.unless.etag is not None:
            headers["If-None-Match"] = ask.unless.etag
        elif ask.unless.modified is not None:
            headers["If-Modified-Since"] = ask.unless.modified
    return headers


def _validators(reply: aiohttp.ClientResponse) -> Validators:
    """Return what the server calls this version, as far as that can be relied on.

    A Last-Modified that is as young as the reply may stand for a second version of the same second (RFC 9110, 8.8.2.2).
    What is not printable ASCII is no header that could be sent back.
    """
    etag, modified, date = (reply.headers.get(name) for name in ("ETag", "Last-Modified", "Date"))
    age = _seconds_between(modified, date)
    usable = [value if value and value.isascii() and value.isprintable() else None for value in (etag, modified)]
    return Validators(usable[0], usable[1] if age is not None and age >= _SETTLED_SECONDS else None)


def _seconds(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date or "").timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _seconds_between(earlier: str | None, later: str | None) -> float | None:
    try:
        return (parsedate_to_datetime(later or "") - parsedate_to_datetime(earlier or "")).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None


def _partial(reply: aiohttp.ClientResponse, ask: Ask, blank: Reply, asset: str) -> Reply:
    """Believe a 206 only when it says that it is what was asked for: the span, or as much of it as there is."""
    told, span = parse_content_range(reply.headers.get("Content-Range")), ask.span
    if told is None or span is None or told.start != span.start or not _ends_right(told.stop, told.size, span.stop):
        raise RangeRefused("the server answers with another range than was asked for", asset=asset)
    length = told.stop - told.start
    if reply.content_length not in (None, length):
        raise RangeRefused("the server announces a range and sends another amount", asset=asset)
    return replace(blank, whole=False, length=length, size=told.size)


def _ends_right(stop: int, size: int | None, wanted: int | None) -> bool:
    """Tell whether a range ends where it was to, or at the end of the asset before that."""
    if wanted is not None and stop == wanted:
        return True
    return stop == size and (wanted is None or stop < wanted)


def _check_encoding(reply: aiohttp.ClientResponse, asset: str) -> None:
    encoding = reply.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise PermanentFetchError(
            f"the reply is encoded ({encoding[:20]!r}), which was not asked for",
            code="encoded_reply",
            asset=asset,
            hint="have the server send its files as they are, without Content-Encoding",
        )
