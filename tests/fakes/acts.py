"""What a `tests.fakes.server.SnapshotServer` can be told to do with a request, besides serving the file."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
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
    "Honest",
    "Length",
    "Other",
    "Raw",
    "Redirect",
    "Stage",
    "Stall",
    "Status",
    "Unsized",
]

_PIECE = 256 * 1024


class Stage:
    """One request, the file that it asks for, and the means to answer."""

    def __init__(self, request: web.Request, file: Path, body_bytes: Counter[str]) -> None:
        self.request = request
        self.file = file
        self._body_bytes = body_bytes

    async def content(self) -> bytes:
        """Return the file's bytes."""
        return await asyncio.to_thread(self.file.read_bytes)

    async def pieces(self, size: int = _PIECE) -> AsyncGenerator[bytes, None]:
        """Yield the file's bytes in pieces of ``size``."""
        start = 0
        while piece := await asyncio.to_thread(self._piece, start, size):
            yield piece
            start += len(piece)

    def _piece(self, start: int, size: int) -> bytes:
        # Opened anew each time, so that no client that leaves in the middle leaves a file open.
        with self.file.open("rb") as file:
            file.seek(start)
            return file.read(size)

    async def send(
        self, pieces: AsyncGenerator[bytes, None], size: int | None, headers: Mapping[str, str] | None = None
    ) -> web.StreamResponse:
        """Answer 200 with a body, announced as ``size`` bytes; breaks off where the pieces end early."""
        reply = web.StreamResponse(headers=headers)
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

    async def serve(self, pieces: AsyncGenerator[bytes, None]) -> web.StreamResponse:
        """Answer with the file's own size and validator, and a body that may end early."""
        status = await asyncio.to_thread(self.file.stat)
        etag = f'"{status.st_size:x}-{status.st_mtime_ns:x}"'
        return await self.send(pieces, status.st_size, {"ETag": etag})

    def hang_up(self, last_words: bytes = b"") -> web.Response:
        """Write bytes to the connection as they are, and close it."""
        transport = self.request.transport
        if transport is not None:
            transport.write(last_words)
            transport.close()
        return web.Response()


class Act(Protocol):
    """One way to answer."""

    async def play(self, stage: Stage) -> web.StreamResponse:
        """Answer the request."""
        ...


@dataclass(frozen=True, slots=True)
class Honest:
    """Serve the file."""

    async def play(self, stage: Stage) -> web.StreamResponse:
        return await stage.serve(stage.pieces())


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
    """Announce the whole file and close the connection after some bytes of it."""

    after: int

    async def play(self, stage: Stage) -> web.StreamResponse:
        content = await stage.content()
        return await stage.serve(_sliced(content[: self.after]))


@dataclass(frozen=True, slots=True)
class Stall:
    """Send some bytes, set ``reached``, and send the rest once ``release`` is set."""

    after: int
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def play(self, stage: Stage) -> web.StreamResponse:
        return await stage.serve(self._pieces(await stage.content()))

    async def _pieces(self, content: bytes) -> AsyncGenerator[bytes, None]:
        yield content[: self.after]
        self.reached.set()
        await self.release.wait()
        yield content[self.after :]


@dataclass(frozen=True, slots=True)
class Drip:
    """Send the file in pieces of ``size`` bytes, with a pause in seconds after each."""

    size: int
    pause: float = 0.0

    async def play(self, stage: Stage) -> web.StreamResponse:
        return await stage.serve(self._pieces(await stage.content()))

    async def _pieces(self, content: bytes) -> AsyncGenerator[bytes, None]:
        async for piece in _sliced(content, self.size):
            yield piece
            await asyncio.sleep(self.pause)


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
