"""The server as a child process on a pipe, driven by the SDK's client and by hand."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from tests.fakes.child import ROOT, Child, child, command
from tests.server.test_probe import HANDSHAKE, SEARCH

INITIALIZE = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HANDSHAKE}


async def send(server: Child, *messages: dict[str, Any]) -> None:
    """Write messages, one a line."""
    await server.stdin.send("".join(json.dumps(message) + "\n" for message in messages).encode())


async def receive(server: Child) -> dict[str, Any]:
    """Read one message; a line that is none fails the test."""
    found: dict[str, Any] = json.loads(await server.line())
    return found


async def test_the_sdks_client_searches(era: str) -> None:
    """Over a real pipe, in both eras; stray output of the engine does not reach the client."""
    first, *arguments = command("chatty")
    server = StdioServerParameters(command=first, args=arguments, cwd=ROOT)
    async with Client(server, mode=era) as client:
        await client.call_tool("index_filebase", {"path": str(Path(__file__).parent)})
        status = await client.call_tool("status", {})
        found = await client.call_tool("search", {"query": "pipe"})
    assert status.structured_content is not None
    assert status.structured_content["health"]["status"] == "ok"
    assert found.structured_content is not None
    assert found.structured_content["results"]


async def test_the_sdks_client_that_probes_first() -> None:
    """Its default: server/discover, and then what fits."""
    first, *arguments = command("ready")
    async with Client(StdioServerParameters(command=first, args=arguments, cwd=ROOT)) as client:
        assert client.protocol_version == "2026-07-28"
        assert len((await client.list_tools()).tools) == 7


async def test_what_is_piped_in_is_answered_and_then_it_ends() -> None:
    """As from a shell: the end of input comes with the last request."""
    async with child("ready") as server:
        await send(server, INITIALIZE, {"jsonrpc": "2.0", "method": "notifications/initialized"})
        await send(server, {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": SEARCH})
        await server.stdin.aclose()
        assert (await receive(server))["result"]["serverInfo"]["name"] == "pycontextify"
        assert len((await receive(server))["result"]["structuredContent"]["results"]) == 1
        assert await server.ended() == 0


async def test_it_ends_when_the_client_leaves_without_a_word() -> None:
    """A probe that never asks anything."""
    async with child("ready") as server:
        await server.stdin.aclose()
        with anyio.fail_after(20):
            assert await server.process.wait() == 0


async def test_it_ends_when_the_client_leaves_during_a_hydration() -> None:
    """The hydration is cancelled with it."""
    async with child("hydrating") as server:
        await send(server, INITIALIZE)
        await receive(server)
        await send(server, {"jsonrpc": "2.0", "method": "notifications/initialized"})
        state = ""
        while state != "fetching":
            await send(server, {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "status"}})
            state = (await receive(server))["result"]["structuredContent"]["hydration"]["state"]
        await server.stdin.aclose()
        assert await server.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_on_a_signal_while_the_client_keeps_its_end_open(number: signal.Signals) -> None:
    """No thread that waits for the client holds it."""
    async with child("hydrating") as server:
        await send(server, INITIALIZE)
        await receive(server)
        server.process.send_signal(number)
        assert await server.ended() == 0
        assert number.name in await server.logged("ending: ")


async def test_it_ends_when_a_thread_is_stuck() -> None:
    """Nothing that a library does keeps the process alive."""
    async with child("stuck") as server:
        await send(server, INITIALIZE)
        await receive(server)
        server.process.send_signal(signal.SIGTERM)
        assert await server.ended() == 0


def test_it_ends_when_the_client_no_longer_reads() -> None:
    """The pipe breaks, while the other one stays open: that is a client that has left, not a failure."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command("ready"), cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stderr is not None
        server.stdout.close()
        server.stdin.write(json.dumps(INITIALIZE).encode() + b"\n")
        server.stdin.flush()
        assert server.wait(20) == 0
        log = server.stderr.read().decode()
    assert "the client has left" in log
    assert "Error" not in log


async def test_nonsense_is_passed_over() -> None:
    """A line that is no message, and bytes that are no text, do not end the conversation."""
    async with child("ready") as server:
        await server.stdin.send(b'\xff\xfe\n{"jsonrpc": \n\n[]\n')
        await send(server, INITIALIZE)
        assert (await receive(server))["id"] == 1


async def test_a_message_may_be_long_and_come_in_pieces() -> None:
    """Longer than any buffer on the way."""
    query = "ü" * 9_000 + " queue"
    params = {"name": "search", "arguments": {"query": query, "path": "x" * 1000}}
    call = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}, ensure_ascii=False)
    raw = call.encode() + b"\n"
    async with child("ready") as server:
        await send(server, INITIALIZE, {"jsonrpc": "2.0", "method": "notifications/initialized"})
        await receive(server)
        await server.stdin.send(raw[:9_001])
        await server.stdin.send(raw[9_001:])
        assert len((await receive(server))["result"]["structuredContent"]["results"]) == 1


async def test_a_taken_http_port_does_not_keep_it_from_serving() -> None:
    """One warning that says what to do; the client on the pipe is served."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        async with child("ready", http=f"127.0.0.1:{port}") as server:
            await send(server, INITIALIZE)
            assert (await receive(server))["id"] == 1
            warning = await server.logged("serving without HTTP")
            await server.stdin.aclose()
            assert await server.ended() == 0
    assert "WARNING" in warning
    assert f"127.0.0.1:{port}" in warning
    assert "choose another" in warning
    assert len([line for line in server.log if "WARNING" in line]) == 1


async def test_the_pipe_and_http_side_by_side() -> None:
    """Both transports serve the same index; the end of the pipe ends both."""
    async with child("ready", http="127.0.0.1:0") as server:
        url = (await server.logged("listening at")).split("listening at ")[1].split()[0]
        await send(server, INITIALIZE)
        assert (await receive(server))["id"] == 1
        async with Client(f"{url}/mcp", mode="legacy") as client:
            found = await client.call_tool("search", {"query": "queue"})
            await server.stdin.aclose()
            assert await server.ended() == 0
    assert found.structured_content is not None
    assert len(found.structured_content["results"]) == 1


async def test_a_line_without_end_is_the_end() -> None:
    """It does not fill the memory: the server takes leave, and its log says why; what came before is answered."""
    async with child("ready") as server:
        await send(server, INITIALIZE)
        assert (await receive(server))["id"] == 1
        with suppress(anyio.BrokenResourceError):
            for _ in range(100):
                await server.stdin.send(b"x" * (1 << 16))
        reason = await server.logged("line")
        assert await server.ended() == 0
    assert "ERROR" in reason
    assert "no message is that long" in reason


@pytest.mark.parametrize(
    "arguments",
    ["[" * 50_000 + "]" * 50_000, '{"query": ' * 50_000, "1" * 100_000, '{"query": 1e999999, "limit": 1e999}'],
)
async def test_bombs_of_json_are_survived(arguments: str) -> None:
    """Nesting and numbers without end: the next message is answered."""
    call = '{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "search", "arguments": '
    async with child("ready") as server:
        await send(server, INITIALIZE, {"jsonrpc": "2.0", "method": "notifications/initialized"})
        await receive(server)
        await server.stdin.send(f"{call}{arguments}}}}}\n".encode())
        await send(server, {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": SEARCH})
        answers = {}
        while 3 not in answers:
            answer = await receive(server)
            answers[answer["id"]] = answer
    assert len(answers[3]["result"]["structuredContent"]["results"]) == 1
    assert "results" not in answers.get(2, {}).get("result", {}).get("structuredContent", {})
