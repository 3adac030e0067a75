"""The HTTP side, over real sockets on loopback, with uvicorn as it is used."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from pycontextify.errors import NotReadyError
from pycontextify.server.bind import address_of, bind
from pycontextify.server.bodies import LARGEST_BODY
from pycontextify.server.listen import Listener
from pycontextify.server.routes import build_app
from tests.fakes.bench import Bench, bench
from tests.fakes.engine import FakeEngine, make_view

TOKEN = "0123456789abcdef" * 4
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")


@asynccontextmanager
async def listening(
    engine: FakeEngine, *, bound: str = "127.0.0.1", token: str | None = None, index_required: bool = False
) -> AsyncIterator[tuple[Bench, str]]:
    """A server with this engine that believes to be bound to ``bound`` and asks for ``token``; and its address."""
    async with bench(engine, index_required=index_required) as parts, anyio.create_task_group() as tasks:
        taken = await bind("127.0.0.1", 0)
        listener = Listener(
            build_app(parts.server, parts.desk, bound=bound, token=token, metrics=parts.metrics.route(parts.desk)),
            taken,
        )
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
        answers = [
            await client.post(f"{url}{path}") for path in ("/status", "/metrics", "/livez", "/readyz", "/healthz")
        ]
    assert {answer.status_code for answer in answers} == {405}


async def every_path() -> list[str]:
    """Ask the application itself which routes it has; and some that it has not."""
    async with bench(FakeEngine()) as parts:
        app = build_app(
            parts.server, parts.desk, bound="127.0.0.1", token=TOKEN, metrics=parts.metrics.route(parts.desk)
        )
    while not isinstance(app, Starlette):
        app = app._app  # type: ignore[attr-defined]  # each layer has it
    paths = [route.path for route in app.routes if isinstance(route, Route | Mount)]
    assert len(paths) == len(app.routes)
    assert {"/mcp", "/status", "/metrics", "/livez", "/readyz", "/healthz"} <= set(paths)
    return [*paths, "/", "/mcp/", "/no-such-route", "/.well-known/oauth-protected-resource", "/a%0ab", "*"]


async def test_every_route_and_method_is_behind_the_doors() -> None:
    """Also where the SDK does not look, and where there is nothing: Host first, then Origin, then the token."""
    right = {"Authorization": f"Bearer {TOKEN}"}
    refusals = [
        ({**right, "Host": "evil.example"}, 421, "host_refused"),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 421, "host_refused"),
        ({**right, "Origin": "http://evil.example"}, 403, "origin_refused"),
        ({"Origin": "http://evil.example"}, 403, "origin_refused"),
        ({}, 401, "token_missing"),
        ({"Authorization": f"Basic {TOKEN}"}, 401, "token_missing"),
        ({"Authorization": f"Bearer {TOKEN[:-1]}0"}, 401, "token_refused"),
    ]
    paths = await every_path()
    async with listening(FakeEngine(), token=TOKEN) as (_, url), httpx2.AsyncClient(trust_env=False) as client:
        for path in paths:
            for method in METHODS:
                for headers, status, code in refusals:
                    answer = await client.request(method, f"{url}/", headers=headers, extensions=target(path))
                    assert answer.status_code == status, (path, method, headers)
                    assert method == "HEAD" or answer.json()["error"]["code"] == code
                    assert (answer.headers.get("www-authenticate") == "Bearer") is (status == 401)
            fine = await client.request("OPTIONS", f"{url}/", headers=right, extensions=target(path))
            assert fine.status_code not in (401, 403, 421), path


def target(path: str) -> dict[str, Any]:
    """Send this very path, which a client would otherwise put in order."""
    return {"target": path.encode()}


async def test_the_token_opens_every_route(era: str) -> None:
    """With it, tools and documents are there as without a door."""
    headers = {"Authorization": f"bearer {TOKEN}", "Origin": "http://localhost:3000"}
    engine = FakeEngine(current=make_view(), needed=False)
    async with listening(engine, token=TOKEN) as (parts, url):
        await parts.at_rest()
        answers = [
            await get(f"{url}{path}", **headers) for path in ("/status", "/metrics", "/livez", "/readyz", "/healthz")
        ]
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False) as carrier,
            Client(streamable_http_client(f"{url}/mcp", http_client=carrier), mode=era) as client,
        ):
            found = await client.call_tool("search", {"query": "queue"})
    assert [answer.status_code for answer in answers] == [200] * 5
    assert found.structured_content is not None
    assert found.structured_content["index_state"] == "ready"


async def test_two_tokens_are_none() -> None:
    """Two headers on the wire, of which a proxy may have looked at the other one."""
    pair = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer other")]
    async with listening(FakeEngine(), token=TOKEN) as (_, url), httpx2.AsyncClient(trust_env=False) as client:
        answers = [await client.get(f"{url}/livez", headers=headers) for headers in (pair, pair[::-1], pair[:1])]
    assert [answer.status_code for answer in answers] == [401, 401, 200]


async def test_what_is_refused_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """A line each, of a length that is ours to choose, without the token that was tried."""
    caplog.set_level("DEBUG", "pycontextify")
    async with listening(FakeEngine(), token=TOKEN) as (_, url):
        await get(f"{url}/{'x' * 5000}", Authorization="Bearer CANARY")
    (line,) = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert len(line) < 300
    assert "CANARY" not in line


async def test_a_server_that_is_asked_too_much_says_so() -> None:
    """A status that would have to wait behind too many others is a 503 with a code, not a failure of ours."""
    gate = threading.Event()

    class Slow(FakeEngine):
        def disk_use(self) -> int:
            gate.wait(10)
            return super().disk_use()

    async with listening(Slow(source=None)) as (parts, url), anyio.create_task_group() as tasks:
        await parts.at_rest()
        for _ in range(300):
            tasks.start_soon(_told_or_refused, parts)
        answer = await get(f"{url}/readyz")
        live = await get(f"{url}/livez")
        gate.set()
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "busy")
    assert live.status_code == 200


async def _told_or_refused(parts: Bench) -> None:
    with suppress(NotReadyError):
        await parts.desk.situation()


async def test_a_forged_origin_can_call_no_tool() -> None:
    """A POST, as a page would send it."""
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = {"Origin": "http://evil.example", "Accept": "application/json, text/event-stream"}
    async with listening(FakeEngine()) as (_, url), httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{url}/mcp", json=body, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("protocol", ["2025-06-18", "2026-07-28"])
@pytest.mark.parametrize(
    "bomb",
    [
        *(b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 40_000, b'{"id": ' + b"9" * 200_000 + b"}"),
        *(b"1e999999", b'{"jsonrpc": "2.0", "id": 1e400, "method": "tools/list"}', b"\xff\xfe", b'"\\ud800"', b""),
    ],
)
async def test_bombs_of_json_are_refused(protocol: str, bomb: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Nesting and numbers without end are a client's mistake, 400, in both eras; the server goes on."""
    headers = {
        "MCP-Protocol-Version": protocol,
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
    }
    async with listening(FakeEngine()) as (_, url), httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{url}/mcp", content=bomb, headers=headers)
        live = await client.get(f"{url}/livez")
    assert answer.status_code == 400
    assert live.status_code == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("depth", [10, 100, 500, 900, 2000, 50_000])
async def test_nested_arguments_are_refused_as_any_wrong_ones(era: str, depth: int) -> None:
    """However deep, in a message that is in order otherwise."""
    nested = "[" * depth + "]" * depth
    engine = FakeEngine(current=make_view(), needed=False)
    async with listening(engine) as (_, url), Client(f"{url}/mcp", mode=era) as client:
        answer = await client.call_tool("search", {"query": "queue", "tags": nested})
    assert answer.is_error


async def test_a_body_that_is_too_large_is_refused_on_every_route() -> None:
    """By its length, and in chunks; with a code."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_BODY // 65_536 + 1):
            yield b"x" * 65_536

    async with listening(FakeEngine()) as (_, url), httpx2.AsyncClient(trust_env=False) as client:
        for path in ("/mcp", "/status", "/no-such-route"):
            whole = await client.post(f"{url}{path}", content=b"x" * (LARGEST_BODY + 1))
            pieces = await client.post(f"{url}{path}", content=chunks())
            for answer in (whole, pieces):
                assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
        live = await client.get(f"{url}/livez")
    assert live.status_code == 200


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
        listener = Listener(build_app(parts.server, parts.desk, bound="127.0.0.1", token=None), taken)

        async def run() -> None:
            await listener.run()
            ended.set()

        tasks.start_soon(run)
        async with Client(f"{address_of(taken)}/mcp", mode=era) as client:
            await client.call_tool("search", {"query": "queue"})
            listener.stop()
            await ended.wait()
    assert not [record for record in caplog.records if record.name == "uvicorn.error" and record.levelname == "ERROR"]
