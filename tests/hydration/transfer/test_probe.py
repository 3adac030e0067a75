"""The way to a server, step by step."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from pathlib import Path

import pytest
from yarl import URL

from pycontextify.errors import FetchError
from pycontextify.hydration.transfer.fetch import Access, Fetcher
from pycontextify.hydration.transfer.probe import gives_ranges, look, reach
from tests.fakes.acts import Status, Unsized
from tests.fakes.server import SnapshotServer


async def test_what_stands_between_is_told_without_its_login(server: SnapshotServer) -> None:
    """Then nothing else can be known from here."""

    async def proxy(_url: URL) -> URL:
        return URL("http://me:secret@proxy.example:3128")

    reached = await reach(server.url(), Access(proxy=proxy), step_seconds=5)
    assert (reached.proxy, reached.addresses) == ("http://proxy.example:3128", ())


async def test_the_way_is_told(server: SnapshotServer) -> None:
    """The addresses of the name; TLS is none of plain http."""
    reached = await reach(server.url(), Access(), step_seconds=5)
    assert reached.addresses == ("127.0.0.1",)
    assert (reached.protocol, reached.expires) == (None, None)


async def test_a_server_that_never_answers_a_handshake_is_left() -> None:
    """After the time that was given."""
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(FetchError) as caught:
        await reach(f"https://127.0.0.1:{silent.getsockname()[1]}/", Access(), step_seconds=0.2)
    assert caught.value.code == "tls_failed"


async def test_no_request_is_made_on_the_way() -> None:
    """A connection is opened and closed, and that is all."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as host:
        await reach(f"http://127.0.0.1:{host.sockets[0].getsockname()[1]}/", Access(), step_seconds=5)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while not seen:
                    await asyncio.sleep(0.01)
    assert seen == [b""]


async def test_a_document_is_read_and_asked_for_again(server: SnapshotServer, site: Path, fetcher: Fetcher) -> None:
    """The second time only if it has changed."""
    (site / "a").write_bytes(b"content")
    seen = await look(fetcher, server.url("a"), limit=100, clock=time.time)
    assert (seen.content, seen.etag, seen.unmodified, seen.moved_to) == (b"content", "strong", True, None)
    assert seen.skew is not None
    assert abs(seen.skew) < 5
    assert "If-None-Match" in server.requests[1].headers


async def test_a_range_is_asked_for(server: SnapshotServer, site: Path, fetcher: Fetcher) -> None:
    """One byte of it."""
    (site / "a").write_bytes(bytes(100_000))
    ranges, _ = await gives_ranges(fetcher, server.url("a"), time.time)
    assert ranges
    assert server.body_bytes("a") == 1
    server.always("a", Unsized())
    assert not (await gives_ranges(fetcher, server.url("a"), time.time))[0]
    server.always("a", Status(416))
    with pytest.raises(FetchError):
        await gives_ranges(fetcher, server.url("a"), time.time)
