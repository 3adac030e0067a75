"""A server's inner parts, running, without a transport; and a clock and a sleep that tests hold in their hands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
from mcp.server.lowlevel import Server

from pycontextify.hydration.status import HydrationStatus
from pycontextify.index.live import LiveIndex
from pycontextify.server.desk import Desk
from pycontextify.server.fill import Fill
from pycontextify.server.metrics import Metrics
from pycontextify.server.parts import Searchable
from pycontextify.server.progress import Sleep
from pycontextify.server.protocol import build_server
from pycontextify.server.tools import tools
from tests.fakes.engine import FakeEngine, ScriptedHydrator

__all__ = ["NOW", "Bench", "TurnedSleep", "bench"]

NOW = datetime(2026, 11, 22, 10, 1, tzinfo=UTC)
"""One minute after the fake views were built."""


class TurnedSleep:
    """A sleep that ends when it is told to, however long it was to be."""

    def __init__(self) -> None:
        self._asleep = anyio.Event()
        self._turn = anyio.Event()

    async def __call__(self, _seconds: float) -> None:
        """Sleep until `turn`."""
        turn = self._turn = anyio.Event()
        self._asleep.set()
        await turn.wait()

    async def settled(self) -> None:
        """Wait until somebody sleeps: what they did before that is done."""
        await self._asleep.wait()

    async def turn(self) -> None:
        """Wait until somebody sleeps, and wake them."""
        await self.settled()
        self._asleep = anyio.Event()
        self._turn.set()


@dataclass(frozen=True)
class Bench:
    """What `bench` put together."""

    engine: FakeEngine
    live: LiveIndex[Searchable]
    fill: Fill
    desk: Desk
    server: Server[dict[str, Any]]
    metrics: Metrics

    async def fetching(self) -> ScriptedHydrator:
        """Wait until a hydration is fetching; return it."""
        await self.fill.engine()
        assert self.engine.hydrator is not None
        await self.engine.hydrator.fetching.wait()
        return self.engine.hydrator

    async def at_rest(self) -> None:
        """Wait until the local index has been looked at and no hydration runs."""
        await self.fill.engine()
        while self.fill.opening or self.fill.status.active:
            await anyio.sleep(0.001)


@asynccontextmanager
async def bench(
    engine: FakeEngine,
    *,
    roots: Sequence[Path] = (),
    sleep: Sleep = anyio.sleep,
    started: bool = True,
    index_required: bool = False,
) -> AsyncIterator[Bench]:
    """Run the background work of a server with this engine; not ``started``, it stays at its very beginning.

    ``roots`` are what may be indexed.
    """
    live: LiveIndex[Searchable] = LiveIndex()
    initial = HydrationStatus() if engine.source is None else HydrationStatus(state="idle", source=engine.source)
    has_index = engine.current is not None or engine.damaged is not None
    metrics = Metrics()
    fill = Fill(live, lambda: engine, initial, local=has_index, on_end=metrics.attempted)
    desk = Desk(
        *(live, fill),
        roots=roots,
        now=lambda: NOW,
        sleep=sleep,
        index_required=index_required,
        on_search=metrics.searched,
    )
    async with anyio.create_task_group() as tasks:
        if started:
            tasks.start_soon(fill.run)
        yield Bench(engine, live, fill, desk, build_server(tools(desk)), metrics)
        tasks.cancel_scope.cancel()
