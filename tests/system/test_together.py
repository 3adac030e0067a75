"""Eight real servers on one index directory: one of them downloads, all of them serve it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.fakes.serving import Serving, serving
from tests.system.conftest import MakeNginx, Published

pytestmark = pytest.mark.system

SERVERS = 8


@asynccontextmanager
async def together(home: Path, *flags: object) -> AsyncIterator[list[Serving]]:
    """Start servers at the same moment, each with a home of its own, all on one index directory."""
    async with AsyncExitStack() as stack:
        servers = []
        for number in range(SERVERS):
            own = home / f"server-{number}"
            own.mkdir()
            servers.append(await stack.enter_async_context(serving(own, *flags, "--index-path", home / "shared")))
        yield servers


async def states(servers: list[Serving]) -> list[str]:
    """Return what each server's hydration is doing."""
    return [(await server.status())["hydration"]["state"] for server in servers]


def knows_of_the_other(status: dict[str, Any]) -> bool:
    """Tell whether a server that waits has read how far the other one is."""
    return bool((status["hydration"]["waiting_for"] or {}).get("bytes_total"))


async def one_that_waits(servers: list[Serving]) -> dict[str, Any]:
    """Return the status of a server that waits, and knows how far the one is that fetches: whichever that may be."""
    with anyio.fail_after(60):
        while True:
            for server in servers:
                if knows_of_the_other(status := await server.status()):
                    return status
            await anyio.sleep(0.05)


async def settled(servers: list[Serving], generation: str) -> None:
    """Wait until all of them serve a generation."""
    for server in servers:
        await server.until(lambda status: bool(status["index"]["generation"] == generation), seconds=120)


@pytest.mark.timeout(300)
async def test_eight_cold_servers_fetch_once(
    nginx: MakeNginx, published: Published, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Each blob's body is sent once, whoever asks for it; those who wait tell how far the one is who fetches."""
    host = nginx(published.site, http="limit_rate 10m;")
    async with together(tmp_path, "--index-bootstrap-url", host.url) as servers:
        told = await one_that_waits(servers)
        assert told["hydration"]["state"] == "waiting"
        assert told["hydration"]["bytes_fetched"] == 0
        await settled(servers, published.generation)
    host.stop()
    sent: Counter[str] = Counter()
    for request in host.requests():
        sent[request.uri] += request.sent
    for title in ("segment 1 vectors", "segment 2 vectors", "segment 1 chunks"):
        uri, size = published.blob(title)
        assert size <= sent[uri] < size + 20_000  # the heads of the replies
    record_property("bytes sent to eight cold servers, against the size", round(sum(sent.values()) / published.size, 4))


@pytest.mark.timeout(300)
async def test_a_holder_that_is_killed_is_replaced(
    nginx: MakeNginx, published: Published, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Half-way, by kill -9: within five seconds another one goes on from there."""
    host = nginx(published.site, http="limit_rate 10m;")
    async with together(tmp_path, "--index-bootstrap-url", host.url) as servers:
        holder = None
        while holder is None:
            found = [each for each, state in zip(servers, await states(servers), strict=True) if state == "fetching"]
            holder = next(iter(found), None)
        await holder.until(lambda status: bool(status["hydration"]["bytes_done"] > published.size / 2))
        holder.process.kill()
        await holder.process.wait()
        killed = time.monotonic()
        rest = [server for server in servers if server is not holder]
        with anyio.fail_after(5):
            while "fetching" not in await states(rest):
                await anyio.sleep(0.05)
        record_property("seconds until a killed holder was replaced", round(time.monotonic() - killed, 2))
        await settled(rest, published.generation)
    host.stop()
    assert sum(request.sent for request in host.requests()) < 1.1 * published.size
