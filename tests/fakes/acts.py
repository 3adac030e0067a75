"""What a `tests.fakes.server.SnapshotServer` can be told to do with a request, besides serving the file."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aiohttp import web

__all__ = [
    "Act",
    "Cut",
    "Drip",
    "Encode",
    "Endless",
    "Garble",
    "Honest",
    "Late",
    "Length",
    "Other",
    "Raw",
    "Redirect",
    "Stage",
    "Stall",
    "Status",
    "Trickle",
    "Unsized",
]

_PIECE = 256 * 1024
_RANGE = re.compile(r"bytes=([0-9]+)-([0-9]*)")


class Stage:
    """One request, the file that it asks for, and the means to answer."""

    def __init__(self, request: web.Request, file: Path, body_bytes: Counter[str]) -> None:
        self.request = request
        self.file = file
        self._body_bytes = body_bytes

    async def content(self) -> bytes:
        """Return the file's bytes."""
        return await asyncio.to_thread(self.file.read_bytes)

    async def pieces(self, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield the file's bytes from ``start`` to before ``stop``."""
        while piece := await asyncio.to_thread(
            self._piece, start, _PIECE if stop is None else min(_PIECE, stop - start)
        ):
            yield piece
            start += len(piece)

    def _piece(self, start: int, size: int) -> bytes:
        # Opened anew each time, so that no client that leaves in the middle leaves a file open.
        with self.file.open("rb") as file:
            file.seek(start)
            return file.read(size)

    async def send(
        self,
        pieces: AsyncGenerator[bytes, None],
        size: int | None,
        headers: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> web.StreamResponse:
        """Answer with a body, announced as ``size`` bytes; breaks off where the pieces end early."""
        reply = web.StreamResponse(status=status, headers=headers)
        reply.content_length = size
        await reply.prepare(self.request)
        sent = 0
        async with aclosing(pieces):  # a client that leaves ends this in the middle
            async for piece in pieces:
                await reply.write(piece)
                sent += len(piece)
                self._body_bytes[self.request.path] += len(piece)
        if size is not None and sent < size:
            self.hang_up()
        return reply

    async def serve(
        self, body: Body | None = None, *, etag: str | None = "", ranges: bool = True
    ) -> web.StreamResponse:
        """Answer as a well-behaved server would, with ``body`` in place of the bytes that are asked for.

        ``etag`` replaces the file's own strong one (None: there is none); without ``ranges``, all is always sent.
        """
        size = (await asyncio.to_thread(self.file.stat)).st_size
        etag = self.etag() if etag == "" else etag
        headers = {} if etag is None else {"ETag": etag}
        asked = self.request.headers
        if etag is not None and asked.get("If-None-Match") == etag:
            return web.Response(status=304, headers=headers)
        wanted = _RANGE.fullmatch(asked.get("Range", "")) if ranges else None
        if wanted is None or asked.get("If-Range", etag) != etag:
            return await self.send((body or self.pieces)(0, size), size, headers)
        start, stop = int(wanted[1]), min(int(wanted[2] or size) + 1, size)
        if start >= size:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        return await self.send((body or self.pieces)(start, stop), stop - start, headers, status=206)

    def etag(self) -> str:
        """Return the file's own validator."""
        status = self.file.stat()
        return f'"{status.st_size:x}-{status.st_mtime_ns:x}"'

    def hang_up(self, last_words: bytes = b"") -> web.Response:
        """Write bytes to the connection as they are, and close it."""
        transport = self.request.transport
        if transport is not None:
            transport.write(last_words)
            transport.close()
        return web.Response()


Body = Callable[[int, int], AsyncGenerator[bytes, None]]
"""Yields the bytes from one place to before another."""


class Act(Protocol):
    """One way to answer."""

    async def play(self, stage: Stage) -> web.StreamResponse:
        """Answer the request."""
        ...


@dataclass(frozen=True, slots=True)
class Honest:
    """Serve the file. ``etag`` replaces its own strong one (None: there is none); without ``ranges``, all is sent."""

    etag: str | None = ""
    ranges: bool = True

    async def play(self, stage: Stage) -> web.StreamResponse:
        return await stage.serve(etag=self.etag, ranges=self.ranges)


@dataclass(frozen=True, slots=True)
class Garble:
    """Answer a range with a Content-Range of our own (None: without one), and every other request honestly."""

    content_range: str | None
    status: int = 206

    async def play(self, stage: Stage) -> web.StreamResponse:
        if "Range" not in stage.request.headers:
            return await stage.serve()
        headers = {} if self.content_range is None else {"Content-Range": self.content_range}
        return await stage.send(stage.pieces(), stage.file.stat().st_size, headers, status=self.status)


@dataclass(frozen=True, slots=True)
class Status:
    """Answer with a status instead of the file."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"a page for people"

    async def play(self, stage: Stage) -> web.StreamResponse:
        return web.Response(status=self.status, headers=self.headers, body=self.body)


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the client elsewhere; ``to`` is the Location header, or None for a redirect without one."""

    to: str | None
    status: int = 302

    async def play(self, stage: Stage) -> web.StreamResponse:
        return web.Response(status=self.status, headers={} if self.to is None else {"Location": self.to})


@dataclass(frozen=True, slots=True)
class Cut:
    """Announce the whole body and close the connection after some bytes of it; the rest as for `Honest`."""

    after: int
    etag: str | None = ""
    ranges: bool = True

    async def play(self, stage: Stage) -> web.StreamResponse:
        def body(start: int, stop: int) -> AsyncGenerator[bytes, None]:
            return stage.pieces(start, min(stop, start + self.after))

        return await stage.serve(body, etag=self.etag, ranges=self.ranges)


@dataclass(frozen=True, slots=True)
class Stall:
    """Send some bytes, set ``reached``, and send the rest once ``release`` is set."""

    after: int
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def play(self, stage: Stage) -> web.StreamResponse:
        async def body(start: int, stop: int) -> AsyncGenerator[bytes, None]:
            middle = min(stop, start + self.after)
            async for piece in stage.pieces(start, middle):
                yield piece
            self.reached.set()
            await self.release.wait()
            async for piece in stage.pieces(middle, stop):
                yield piece

        return await stage.serve(body)


@dataclass(frozen=True, slots=True)
class Drip:
    """Send the body in pieces of ``size`` bytes, with a pause in seconds after each."""

    size: int
    pause: float = 0.0

    async def play(self, stage: Stage) -> web.StreamResponse:
        async def body(start: int, stop: int) -> AsyncGenerator[bytes, None]:
            for place in range(start, stop, self.size):
                async for piece in stage.pieces(place, min(stop, place + self.size)):
                    yield piece
                await asyncio.sleep(self.pause)

        return await stage.serve(body)


@dataclass(frozen=True, slots=True)
class Late:
    """Serve the file, after a while in seconds."""

    after: float

    async def play(self, stage: Stage) -> web.StreamResponse:
        await asyncio.sleep(self.after)
        return await stage.serve()


@dataclass(frozen=True, slots=True)
class Trickle:
    """Write some bytes to the connection, and then others again and again for as long as the client stays."""

    head: bytes
    piece: bytes

    async def play(self, stage: Stage) -> web.StreamResponse:
        transport = stage.request.transport
        if transport is not None:
            transport.write(self.head)
            while not transport.is_closing():
                transport.write(self.piece)
                await asyncio.sleep(0.01)
        return web.Response()


@dataclass(frozen=True, slots=True)
class Length:
    """Announce ``declared`` bytes, send the whole file and close the connection."""

    declared: int

    async def play(self, stage: Stage) -> web.StreamResponse:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {self.declared}\r\n\r\n"
        return stage.hang_up(head.encode() + await stage.content())


@dataclass(frozen=True, slots=True)
class Unsized:
    """Send the file without announcing how long it is (chunked)."""

    async def play(self, stage: Stage) -> web.StreamResponse:
        return await stage.send(stage.pieces(), None)


@dataclass(frozen=True, slots=True)
class Endless:
    """Send zeros, unannounced, for as long as the client takes them."""

    async def play(self, stage: Stage) -> web.StreamResponse:
        return await stage.send(_zeros(), None)


@dataclass(frozen=True, slots=True)
class Other:
    """Serve other bytes than the file's; there need not be a file."""

    content: bytes

    async def play(self, stage: Stage) -> web.StreamResponse:
        return await stage.send(_sliced(self.content), len(self.content))


@dataclass(frozen=True, slots=True)
class Encode:
    """Send the file gzipped, with a header that says so."""

    encoding: str = "gzip"

    async def play(self, stage: Stage) -> web.StreamResponse:
        content = gzip.compress(await stage.content())
        return await stage.send(_sliced(content), len(content), {"Content-Encoding": self.encoding})


@dataclass(frozen=True, slots=True)
class Raw:
    """Send these bytes instead of an HTTP reply, and close the connection."""

    content: bytes = b""

    async def play(self, stage: Stage) -> web.StreamResponse:
        return stage.hang_up(self.content)


async def _sliced(content: bytes, size: int = _PIECE) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def _zeros() -> AsyncGenerator[bytes, None]:
    while True:
        yield bytes(_PIECE)
