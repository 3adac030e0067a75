"""The composition root: what it imports, how it listens, how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import anyio
import anyio.to_thread
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from pycontextify.errors import ConfigError
from pycontextify.server.app import serve
from tests.fakes.child import ROOT, child, settings
from tests.fakes.engine import FakeEngine

TOKEN = "CANARY-1-0123456789abcdef"
HEAVY = (
    "faiss",
    "numpy",
    "onnxruntime",
    "tokenizers",
    "tree_sitter",
    "aiohttp",
    "apsw",
    "zstandard",
    "typer",
    "rich",
    "prometheus_client",
    "h11",
    "jinja2",
    "pycontextify.server.page",
)
IMPORTED = f"""
import sys
import pycontextify.server.app
print(*(name for name in {HEAVY!r} if name in sys.modules))
"""


def test_nothing_heavy_is_imported_before_the_server_answers() -> None:
    """A client that waits for its handshake waits for every import."""
    shown = subprocess.run([sys.executable, "-c", IMPORTED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.split() == []


async def test_a_taken_port_ends_the_http_transport_with_one_error() -> None:
    """There is nobody else to serve: the start fails, with a sentence that says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        flags = {"transport": "http", "port": str(other.getsockname()[1])}
        chosen = await anyio.to_thread.run_sync(settings, flags)
        with pytest.raises(ConfigError, match="choose another") as raised:
            await serve(chosen, load=lambda _: FakeEngine())
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_http_until_a_signal(era: str, number: signal.Signals) -> None:
    """It logs where it listens, serves, and ends within five seconds, a connected client or not."""
    async with child("hydrating", transport="http", port="0") as server:
        url = (await server.logged("listening at")).split("listening at ")[1].split()[0]
        async with Client(f"{url}/mcp", mode=era) as client:
            found = await client.call_tool("search", {"query": "queue"})
            server.process.send_signal(number)
            assert await server.ended() == 0
        assert number.name in await server.logged("ending: ")
    assert found.structured_content is not None
    assert found.structured_content["index_state"] == "warming"


async def test_what_is_counted_shows_in_the_metrics_of_the_whole_server() -> None:
    """The lag of its event loop, and searches: each reaches who counts it."""
    wanted = ("pycontextify_event_loop_lag_seconds_count", 'pycontextify_searches_total{mode="keyword",result="ok"}')
    async with child("ready", transport="http", port="0") as server:
        url = (await server.logged("listening at")).split("listening at ")[1].split()[0]
        async with httpx2.AsyncClient(trust_env=False) as client, Client(f"{url}/mcp") as mcp:
            told: dict[str, float] = {}
            while not all(told.get(name) for name in wanted):
                await mcp.call_tool("search", {"query": "queue", "mode": "keyword"})
                lines = (await client.get(f"{url}/metrics")).text.splitlines()
                told = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}
        server.process.send_signal(signal.SIGTERM)
        assert await server.ended() == 0


async def test_the_log_of_an_undisturbed_run_is_short_and_says_where_it_listens() -> None:
    """No line of uvicorn's or the SDK's own, and no traceback."""
    async with child("ready", transport="http", port="0") as server:
        url = (await server.logged("listening at")).split("listening at ")[1].split()[0]
        async with httpx2.AsyncClient(trust_env=False) as client:
            health = "hydrating"
            while health == "hydrating":
                health = (await client.get(f"{url}/healthz")).json()["status"]
        server.process.send_signal(signal.SIGTERM)
        assert await server.ended() == 0
        with pytest.raises(anyio.IncompleteRead):
            await server.logged("nothing has these words")
    assert len(server.log) == 2, server.log


async def test_listening_to_other_machines_without_a_token_is_warned_of_once() -> None:
    """Whoever says that something in front authenticates is told what would be open if that were not so."""
    async with child("ready", transport="http", host="0.0.0.0", port="0", insecure="true") as server:
        warning = await server.logged("no authentication")
        server.process.send_signal(signal.SIGTERM)
        assert await server.ended() == 0
    assert "WARNING" in warning


@pytest.mark.parametrize("flags", [{"transport": "http", "host": "0.0.0.0", "port": "0"}, {"http": "0.0.0.0:0"}])
async def test_listening_to_other_machines_with_a_token(flags: dict[str, str]) -> None:
    """Nothing is warned of, and nobody gets by without it; under any name."""
    async with child("ready", **flags, http_token=TOKEN) as server:
        url = (await server.logged("listening at")).split("listening at ")[1].split()[0]
        url = url.replace("0.0.0.0", "127.0.0.1")
        async with httpx2.AsyncClient(trust_env=False, headers={"Host": "index.example"}) as client:
            without = await client.get(f"{url}/livez")
            right = await client.get(f"{url}/livez", headers={"Authorization": f"Bearer {TOKEN}"})
        server.process.send_signal(signal.SIGTERM)
        assert await server.ended() == 0
    assert (without.status_code, right.status_code) == (401, 200)
    assert not [line for line in server.log if "WARNING" in line]


async def test_the_token_never_shows() -> None:
    """At DEBUG, through refusals, both eras of the protocol and nonsense; neither does one that is tried."""
    shown = {"Authorization": f"Bearer {TOKEN}"}
    async with child("ready", transport="http", port="0", http_token=TOKEN, log_level="DEBUG") as server:
        url = (await server.logged("listening at")).split("listening at ")[1].split()[0]
        async with httpx2.AsyncClient(trust_env=False, headers=shown) as client:
            for headers in ({}, {"Origin": "http://evil.example"}, {"Authorization": "Bearer CANARY-2"}):
                await client.get(f"{url}/status", headers=headers)
            for content in (b"", b"[" * 1000, b'{"jsonrpc": "2.0", "id": 1, "method": "x"}'):
                answer = await client.post(f"{url}/mcp", content=content)
                assert TOKEN not in answer.text
            for era in ("legacy", "2026-07-28"):
                async with Client(streamable_http_client(f"{url}/mcp", http_client=client), mode=era) as mcp:
                    status = await mcp.call_tool("status", {})
                    await mcp.call_tool("rehydrate", {"url": "https://nowhere.example"})
        server.process.send_signal(signal.SIGTERM)
        assert await server.ended() == 0
        with pytest.raises(anyio.IncompleteRead):
            await server.logged("nothing has these words")
    assert TOKEN not in str(status)
    assert len(server.log) > 5
    assert not [line for line in server.log if TOKEN in line or "CANARY-2" in line]
