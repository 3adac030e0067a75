"""Told to end in the middle of a hydration, by a signal or by a client that leaves: quickly, and nothing is lost.

Each test holds one phase open, ends a real server process in it in all three ways, one after the other, and then lets
it finish. (The phases that take longer to hold are in tests/system.)
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pycontextify.encoder.onnx import open_directory
from pycontextify.store.layout import Layout
from tests.fakes.acts import Stall
from tests.fakes.encoder import write_tiny_model
from tests.fakes.server import SnapshotServer
from tests.fakes.serving import Serving, serving
from tests.fakes.stopping import WAYS, WORDS, publish_small, stop_each_way, vectors_of
from tests.server.test_probe import HANDSHAKE

PIECE = 1000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published index that brings its encoder."""
    home = tmp_path_factory.mktemp("published")
    write_tiny_model(home / "model", words=WORDS)
    return publish_small(home, open_directory(home / "model"))


@pytest.fixture
async def host(site: Path) -> AsyncIterator[SnapshotServer]:
    """A host that serves it."""
    async with SnapshotServer(site) as server:
        yield server


async def test_while_it_asks_what_there_is(host: SnapshotServer, tmp_path: Path) -> None:
    """The host accepts, and says nothing about its index."""
    stalls = [Stall(after=0) for _ in WAYS]
    host.script("index.json", *stalls)
    waiting = iter(stalls)

    async def held(_server: Serving) -> None:
        await next(waiting).reached.wait()

    flags = ("--index-bootstrap-url", host.url())
    await stop_each_way(tmp_path, *flags, held=held)
    async with serving(tmp_path, *flags) as server:
        await server.hydrated()


async def test_while_it_fetches(host: SnapshotServer, site: Path, tmp_path: Path) -> None:
    """A body stalls, a little further on at each start: what had come is kept, and no byte is ever sent twice."""
    blob = vectors_of(site)
    path = f"blobs/sha256/{blob.digest.hex}"
    host.script(path, *[Stall(after=PIECE) for _ in WAYS])
    partial_file = tmp_path / "index/.pycontextify/partial" / f"{blob.digest.hex}.part"
    come = 0

    async def held(server: Serving) -> None:
        nonlocal come
        come += PIECE
        # Which can only be reached from where the last one left it.
        await server.until(lambda status: come in [asset["done"] for asset in status["hydration"]["assets"]])

    flags = ("--index-bootstrap-url", host.url())
    await stop_each_way(tmp_path, *flags, held=held)
    assert (partial_file.stat().st_size, _noted(partial_file)) == (come, come)
    async with serving(tmp_path, *flags) as server:
        await server.hydrated()
    assert host.body_bytes(path) == blob.size


def _noted(partial_file: Path) -> int:
    """Return up to where the journal of a download says that bytes are there."""
    facts = map(json.loads, partial_file.with_suffix(".journal").read_text().splitlines())
    return max(int(fact[1]) for fact in facts if isinstance(fact, list))


async def test_while_a_client_waits_for_it(host: SnapshotServer, site: Path, tmp_path: Path) -> None:
    """A client that has called `rehydrate` and waits for the answer may leave as well."""
    stall = Stall(after=PIECE)
    host.script(f"blobs/sha256/{vectors_of(site).digest.hex}", stall)
    call = {"name": "rehydrate", "arguments": {"wait": True}}
    messages: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": HANDSHAKE},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": call},
    ]
    async with serving(tmp_path, "--index-bootstrap-url", host.url(), stdio=True) as server:
        assert server.process.stdin is not None
        await server.process.stdin.send(
            b"".join(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n" for message in messages)
        )
        await stall.reached.wait()
        assert await server.leave(None) < 5
    with Layout(tmp_path / "index").lock(timeout=0):
        pass


async def test_while_it_waits_for_another_writer(host: SnapshotServer, tmp_path: Path) -> None:
    """The other one, this test, keeps its lock and is not disturbed."""
    other = Layout(tmp_path / "index")
    other.create()
    flags = ("--index-bootstrap-url", host.url())
    for way in WAYS:
        async with serving(tmp_path, *flags, stdio=way is None) as server:
            with other.lock(timeout=0):
                await server.in_state("waiting")
                assert await server.leave(way) < 5, way
    async with serving(tmp_path, *flags) as server:
        await server.hydrated()
