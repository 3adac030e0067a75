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

from pycontextify.errors import ConfigError
from pycontextify.server.app import serve
from tests.fakes.child import ROOT, child, settings
from tests.fakes.engine import FakeEngine

HEAVY = ("faiss", "numpy", "onnxruntime", "tokenizers", "tree_sitter", "aiohttp", "apsw", "zstandard", "typer", "rich")
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


async def test_listening_to_other_machines_is_warned_of_once() -> None:
    """There is no authentication yet, and whoever starts it so should know."""
    async with child("ready", transport="http", host="0.0.0.0", port="0") as server:
        warning = await server.logged("no authentication")
        server.process.send_signal(signal.SIGTERM)
        assert await server.ended() == 0
    assert "WARNING" in warning
