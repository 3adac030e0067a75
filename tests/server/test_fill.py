"""Filling the index in the background: what goes wrong there leaves the server answering."""

from __future__ import annotations

import anyio
import pytest

from pycontextify.errors import NotReadyError, StoreError
from pycontextify.hydration.status import HydrationStatus
from pycontextify.index.live import LiveIndex
from pycontextify.server.fill import Fill
from pycontextify.server.parts import Engine, Searchable
from tests.fakes.bench import bench
from tests.fakes.engine import FakeEngine, make_view


async def test_the_local_index_is_served_and_nothing_is_fetched() -> None:
    """When it is there, hydration waits to be asked."""
    async with bench(FakeEngine(current=make_view(), needed=False)) as parts:
        await parts.at_rest()
        with parts.live.lease() as view:
            assert view is parts.engine.current
        assert parts.engine.hydrator is not None
        assert parts.engine.hydrator.runs == 0


async def test_before_the_engine_is_loaded_the_status_is_the_initial_one() -> None:
    """And afterwards the service's."""
    async with bench(FakeEngine(), started=False) as parts:
        assert parts.fill.opening
        assert parts.fill.status == HydrationStatus(state="idle", source="https://host/index")


async def test_when_everything_is_loaded_is_told_once() -> None:
    """After the local index was opened, and before anything is fetched."""
    live: LiveIndex[Searchable] = LiveIndex()
    engine, told = FakeEngine(current=make_view(), needed=False), list[object]()

    def on_loaded() -> None:
        with live.lease() as view:
            told.append(view)

    fill = Fill(live, lambda: engine, HydrationStatus(), local=True, on_loaded=on_loaded)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fill.run)
        await fill.engine()
        tasks.cancel_scope.cancel()
    assert told == [engine.current]


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (StoreError("no space left", code="disk_full"), "no space left"),
        (ImportError("libfaiss"), "The background work of the server has failed; its log on stderr says why."),
    ],
)
async def test_an_engine_that_does_not_load_is_a_fault(error: Exception, fault: str) -> None:
    """Whoever needs it is told; nothing is raised."""

    def load() -> Engine:
        raise error

    live: LiveIndex[Searchable] = LiveIndex()
    fill = Fill(live, load, HydrationStatus(), local=True)
    await fill.run()
    await fill.opened()
    assert (fill.opening, fill.fault) == (False, fault)
    for needed in (fill.engine, fill.hydration):
        with pytest.raises(NotReadyError) as raised:
            await needed()
        assert raised.value.code == "engine_unavailable"


async def test_a_damaged_local_index_does_not_keep_hydration_from_running() -> None:
    """It is what can put a sound one in place."""
    engine = FakeEngine(damaged=StoreError("a blob is missing", code="blob_missing"))
    async with bench(engine) as parts:
        await parts.fetching()
        assert parts.fill.fault is None
        assert parts.fill.damage(None) == "The local index can't be opened: a blob is missing."


async def test_cancelling_ends_it_and_whoever_waits_for_it() -> None:
    """At the server's end."""
    async with bench(FakeEngine()) as parts, anyio.create_task_group() as tasks:
        tasks.start_soon(parts.fill.run)
        await parts.fetching()
        tasks.cancel_scope.cancel()
