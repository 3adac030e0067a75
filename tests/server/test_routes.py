"""The HTTP side, over real sockets on loopback, with uvicorn as it is used."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client

from pycontextify.server.listen import Listener, address_of, bind
from pycontextify.server.routes import build_app
from tests.fakes.bench import Bench, bench
from tests.fakes.engine import FakeEngine, make_view

ROUTES = ["/status", "/livez", "/readyz", "/healthz", "/mcp", "/no-such-route"]


@asynccontextmanager
async def listening(engine: FakeEngine, *, bound: str = "127.0.0.1") -> AsyncIterator[tuple[Bench, str]]:
    """A server with this engine that believes to be bound to ``bound``; and its address."""
    async with bench(engine) as parts, anyio.create_task_group() as tasks:
        taken = await bind("127.0.0.1", 0)
        listener = Listener(build_app(parts.server, parts.desk, bound=bound), taken)
        tasks.start_soon(listener.run)
        yield parts, address_of(taken)
        listener.stop()


async def get(url: str, **headers: str) -> httpx2.Response:
    """Ask once."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        return await client.get(url, headers=headers)


async def test_status_is_the_document_of_the_tool(era: str) -> None:
    """The route and the tool give out the same, and the tool works over HTTP in both eras."""
    async with listening(FakeEngine(current=make_view(), needed=False)) as (parts, url):
        await parts.at_rest()
        async with Client(f"{url}/mcp", mode=era) as client:
            tool = await client.call_tool("status", {})
            found = await client.call_tool("search", {"query": "queue"})
        route = await get(f"{url}/status")
    assert route.json() == tool.structured_content
    assert route.headers["content-type"] == "application/json"
    assert route.headers["cache-control"] == "no-store"
    assert found.structured_content is not None
    assert found.structured_content["index_state"] == "ready"


async def test_progress_comes_over_http(era: str) -> None:
    """While the client waits for a hydration."""
    said: list[tuple[float, str | None]] = []
    heard = anyio.Event()

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        said.append((progress, message))
        if message and message.startswith("fetching"):
            heard.set()

    async with (
        listening(FakeEngine(current=make_view(), needed=False)) as (parts, url),
        Client(f"{url}/mcp", mode=era) as client,
        anyio.create_task_group() as tasks,
    ):

        async def rehydrate() -> None:
            await client.call_tool("rehydrate", {"wait": True}, progress_callback=on_progress)

        tasks.start_soon(rehydrate)
        hydrator = await parts.fetching()
        hydrator.receive(400_000)
        await heard.wait()
        hydrator.install(make_view(version=2))
    assert [progress for progress, _ in said] == sorted({progress for progress, _ in said})


async def test_probes_while_hydrating() -> None:
    """It lives, and it is ready: it answers. Its health says hydrating."""
    async with listening(FakeEngine()) as (parts, url):
        (await parts.fetching()).receive(250_000)
        live, ready, health = [await get(f"{url}{path}") for path in ("/livez", "/readyz", "/healthz")]
    assert [answer.status_code for answer in (live, ready, health)] == [200, 200, 200]
    assert live.json() == {"live": True}
    assert ready.json()["ready"] is True
    assert health.json()["status"] == "hydrating"
    assert "(25%)" in health.json()["message"]


async def test_routes_are_read_only() -> None:
    """Nothing but /mcp takes a POST."""
    async with listening(FakeEngine()) as (_, url), httpx2.AsyncClient(trust_env=False) as client:
        answers = [await client.post(f"{url}{path}") for path in ROUTES[:4]]
    assert {answer.status_code for answer in answers} == {405}


@pytest.mark.parametrize("path", ROUTES)
async def test_a_forged_host_or_origin_is_refused_on_every_route(path: str) -> None:
    """Also where the SDK does not look, and where there is nothing."""
    async with listening(FakeEngine()) as (_, url):
        host = await get(f"{url}{path}", Host="evil.example")
        origin = await get(f"{url}{path}", Origin="http://evil.example")
        fine = await get(f"{url}{path}", Origin="http://localhost:3000")
    assert (host.status_code, host.json()["error"]["code"]) == (421, "host_refused")
    assert (origin.status_code, origin.json()["error"]["code"]) == (403, "origin_refused")
    assert fine.status_code not in (403, 421)


async def test_a_forged_origin_can_call_no_tool() -> None:
    """A POST, as a page would send it."""
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = {"Origin": "http://evil.example", "Accept": "application/json, text/event-stream"}
    async with listening(FakeEngine()) as (_, url), httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{url}/mcp", json=body, headers=headers)
    assert answer.status_code == 403


async def test_bound_elsewhere_other_hosts_are_served() -> None:
    """In a pod the name in front is not known; a page of another site is still refused."""
    async with listening(FakeEngine(), bound="0.0.0.0") as (_, url):
        named = await get(f"{url}/livez", Host="index.example")
        own_page = await get(f"{url}/livez", Host="index.example", Origin="https://index.example")
        other_page = await get(f"{url}/livez", Host="index.example", Origin="https://evil.example")
    assert [answer.status_code for answer in (named, own_page, other_page)] == [200, 200, 403]


async def test_the_server_ends_while_clients_are_connected(era: str, caplog: pytest.LogCaptureFixture) -> None:
    """An open event stream does not hold it, and ends without an error."""
    async with bench(FakeEngine(current=make_view(), needed=False)) as parts, anyio.create_task_group() as tasks:
        taken, ended = await bind("127.0.0.1", 0), anyio.Event()
        listener = Listener(build_app(parts.server, parts.desk, bound="127.0.0.1"), taken)

        async def run() -> None:
            await listener.run()
            ended.set()

        tasks.start_soon(run)
        async with Client(f"{address_of(taken)}/mcp", mode=era) as client:
            await client.call_tool("search", {"query": "queue"})
            listener.stop()
            await ended.wait()
    assert not [record for record in caplog.records if record.name == "uvicorn.error" and record.levelname == "ERROR"]
