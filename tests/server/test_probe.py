"""Probe, then handshake, at the level of the JSON-RPC messages on one pipe."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from pycontextify.server.probe import Replay
from pycontextify.server.stdio import serve_streams
from tests.fakes.bench import bench
from tests.fakes.engine import FakeEngine, make_view

ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
HANDSHAKE = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
SEARCH = {"name": "search", "arguments": {"query": "queue"}}


class Pipe:
    """The client's end of a pipe to a server: raw JSON-RPC in and out."""

    def __init__(
        self,
        to_server: MemoryObjectSendStream[SessionMessage | Exception],
        from_server: MemoryObjectReceiveStream[SessionMessage],
    ) -> None:
        self._to_server = to_server
        self._from_server = from_server
        self._last = 0

    async def send(self, method: str, params: dict[str, Any] | None = None, *, number: int | str | None = None) -> None:
        """Send a notification, or a request when it has a number."""
        raw: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        raw |= {} if params is None else {"params": params}
        raw |= {} if number is None else {"id": number}
        message = jsonrpc_message_adapter.validate_json(json.dumps(raw), by_name=False)
        await self._to_server.send(SessionMessage(message))

    async def receive(self) -> dict[str, Any]:
        """Return the server's next message."""
        message = (await self._from_server.receive()).message
        found: dict[str, Any] = json.loads(message.model_dump_json(by_alias=True, exclude_unset=True))
        return found

    async def ask(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a request and return its answer."""
        self._last += 1
        await self.send(method, params, number=self._last)
        answer = await self.receive()
        assert answer["id"] == self._last
        return answer

    async def handshake(self) -> dict[str, Any]:
        """Initialize, and say that it worked."""
        answer = await self.ask("initialize", HANDSHAKE)
        await self.send("notifications/initialized")
        return answer

    def close(self) -> None:
        """Close the client's end."""
        self._to_server.close()


@asynccontextmanager
async def pipe() -> AsyncIterator[Pipe]:
    """A server with a small index at the other end of a pipe."""
    to_server, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](10)
    outgoing, from_server = anyio.create_memory_object_stream[SessionMessage](10)
    async with bench(FakeEngine(current=make_view(), needed=False)) as parts, anyio.create_task_group() as tasks:

        async def serve() -> None:
            await serve_streams(parts.server, incoming, outgoing, on_answer=lambda: None)

        tasks.start_soon(serve)
        with to_server, from_server:
            yield Pipe(to_server, from_server)


async def test_discover_then_initialize() -> None:
    """What the SDK alone refuses, and popular clients do."""
    async with pipe() as client:
        probed = await client.ask("server/discover", {"_meta": ENVELOPE})
        shaken = await client.handshake()
        found = await client.ask("tools/call", SEARCH)
    assert "2026-07-28" in probed["result"]["supportedVersions"]
    assert "tools" in probed["result"]["capabilities"]
    assert shaken["result"]["protocolVersion"] == "2025-06-18"
    assert len(found["result"]["structuredContent"]["results"]) == 1


async def test_discover_then_modern_requests() -> None:
    """A modern client goes on with envelopes, and may probe again later."""
    async with pipe() as client:
        await client.ask("server/discover", {"_meta": ENVELOPE})
        await client.ask("server/discover", {"_meta": ENVELOPE})
        found = await client.ask("tools/call", {**SEARCH, "_meta": ENVELOPE})
        again = await client.ask("server/discover", {"_meta": ENVELOPE})
    assert len(found["result"]["structuredContent"]["results"]) == 1
    assert "supportedVersions" in again["result"]


async def test_initialize_directly() -> None:
    """The handshake as the first thing."""
    async with pipe() as client:
        shaken = await client.handshake()
        listed = await client.ask("tools/list")
    assert shaken["result"]["serverInfo"]["name"] == "pycontextify"
    assert len(listed["result"]["tools"]) == 7


async def test_a_modern_request_directly() -> None:
    """An envelope as the first thing; the handshake is refused from then on, as the SDK has it."""
    async with pipe() as client:
        found = await client.ask("tools/call", {**SEARCH, "_meta": ENVELOPE})
        refused = await client.ask("initialize", HANDSHAKE)
    assert len(found["result"]["structuredContent"]["results"]) == 1
    assert refused["error"]["code"] == -32022


@pytest.mark.parametrize(
    "params",
    [None, {}, {"_meta": {**ENVELOPE, "io.modelcontextprotocol/protocolVersion": "1999-01-01"}}],
    ids=["no params", "no envelope", "unknown version"],
)
async def test_a_probe_that_is_wrong_is_refused_and_decides_nothing(params: dict[str, Any] | None) -> None:
    """It gets an error, and the handshake still works."""
    async with pipe() as client:
        refused = await client.ask("server/discover", params)
        shaken = await client.handshake()
    assert refused["error"]["code"] < 0
    assert "result" in shaken


async def test_notifications_before_the_first_request_are_passed_on() -> None:
    """They decide nothing either; however many there are, they do no harm."""
    async with pipe() as client:
        for _ in range(20):
            await client.send("notifications/initialized")
        await client.ask("server/discover", {"_meta": ENVELOPE})
        shaken = await client.handshake()
    assert "result" in shaken


async def test_the_pipe_closes_before_any_request() -> None:
    """A probing client that leaves: the server's loop ends."""
    async with pipe() as client:
        await client.ask("server/discover", {"_meta": ENVELOPE})
        client.close()


async def test_what_was_asked_is_answered_after_the_client_has_closed_its_end() -> None:
    """As when messages are piped in from a file."""
    async with pipe() as client:
        await client.send("initialize", HANDSHAKE, number=1)
        await client.send("notifications/initialized")
        await client.send("tools/call", SEARCH, number="two")
        client.close()
        answers = {answer["id"]: answer for answer in [await client.receive(), await client.receive()]}
    assert len(answers["two"]["result"]["structuredContent"]["results"]) == 1


async def test_replay_gives_back_what_was_kept_first() -> None:
    """Then the rest; and it ends when that ends."""
    send, receive = anyio.create_memory_object_stream[int](3)
    async with send, Replay(receive) as replay:
        replay.keep(1)
        assert replay.kept == 1
        await send.send(2)
        await send.aclose()
        assert [item async for item in replay] == [1, 2]
