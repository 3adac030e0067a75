"""Events: what has changed, no oftener than they say, and for as long as somebody reads them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import anyio
import pytest

from pycontextify.errors import NotReadyError
from pycontextify.server.desk import Survey
from pycontextify.server.page.live import MOST_STREAMS, Stream, Watch, events
from tests.fakes.bench import Bench, bench
from tests.fakes.clock import FakeClock
from tests.fakes.engine import FakeEngine, make_view


class Watched:
    """A watch over a bench, with a clock of its own; ``drawn`` lists the surveys that were made into HTML."""

    def __init__(self, parts: Bench) -> None:
        self.parts = parts
        self.clock = FakeClock()
        self.drawn: list[Survey] = []
        self.watch = Watch(parts.desk, self._draw, self.clock)

    async def _draw(self, survey: Survey) -> Mapping[str, str]:
        self.drawn.append(survey)
        facts, hydration = survey.situation.facts, survey.situation.hydration
        return {"live": str(facts and facts.config.version), "work": f"{hydration.state} {hydration.bytes_done}"}


@asynccontextmanager
async def watched(engine: FakeEngine) -> AsyncIterator[Watched]:
    """A watch over a server with this engine."""
    async with bench(engine) as parts:
        yield Watched(parts)


def told(piece: bytes) -> dict[str, str]:
    """What an event says."""
    field, _, value = piece.decode().removesuffix("\n\n").partition(": ")
    assert field == "data"
    found: dict[str, str] = json.loads(value)
    return found


async def test_first_everything_then_what_has_changed() -> None:
    """A byte more changes what is said of the work, and nothing else."""
    async with watched(FakeEngine()) as it:
        hydrator = await it.parts.fetching()
        stream = events(it.watch, it.clock.sleep)
        assert await anext(stream) == b"retry: 2000\n\n"
        assert told(await anext(stream)) == {"live": "None", "work": "fetching 0"}
        hydrator.receive(400_000)
        assert told(await anext(stream)) == {"work": "fetching 400000"}
        hydrator.install(make_view(version=2))
        await it.parts.at_rest()
        assert told(await anext(stream)) == {"live": "2", "work": "idle 400000"}
        await stream.aclose()


async def test_while_nothing_changes_nothing_is_drawn_and_an_empty_event_comes() -> None:
    """Every five seconds; whoever reads a stream knows that it stands."""
    async with watched(FakeEngine(current=make_view(), needed=False)) as it:
        await it.parts.at_rest()
        stream = events(it.watch, it.clock.sleep)
        await anext(stream)
        await anext(stream)
        began = it.clock.now
        for number in (1, 2, 3):
            assert await anext(stream) == b"data: {}\n\n"
            assert it.clock.now - began == pytest.approx(5 * number)
        assert len(it.drawn) == 1
        await stream.aclose()


async def test_many_pages_cost_as_much_as_one() -> None:
    """They share each look, and the looks are a quarter of a second apart."""
    async with watched(FakeEngine()) as it:
        hydrator = await it.parts.fetching()
        for number in range(1, 9):
            hydrator.receive(number * 1000)
            for _ in range(20):
                await it.watch.regions()
            it.clock.now += 0.125
        assert [survey.situation.hydration.bytes_done for survey in it.drawn] == [1000, 3000, 5000, 7000]


async def test_the_disk_is_asked_when_something_has_happened_to_it() -> None:
    """Not while bytes arrive, but again once there is another generation."""

    class Counting(FakeEngine):
        asked = 0

        def disk_use(self) -> int:
            self.asked += 1
            return super().disk_use()

    engine = Counting(current=make_view())
    async with watched(engine) as it:
        hydrator = await it.parts.fetching()
        for number in range(1, 5):
            hydrator.receive(number)
            it.clock.now += 1
            await it.watch.regions()
        assert engine.asked == 1
        assert it.drawn[-1].situation.disk == 1_000_000
        hydrator.install(make_view(version=2))
        await it.parts.at_rest()
        it.clock.now += 1
        await it.watch.regions()
        assert engine.asked == 2


async def test_a_look_that_finds_no_place_is_left_out() -> None:
    """The stream goes on; the next look may find one."""
    async with watched(FakeEngine(current=make_view(), needed=False)) as it:
        await it.parts.at_rest()
        it.parts.desk._looking._most = 0
        stream = events(it.watch, it.clock.sleep)
        await anext(stream)
        assert await anext(stream) == b"data: {}\n\n"
        it.parts.desk._looking._most = 1
        assert told(await anext(stream))["live"] == "1"
        await stream.aclose()


async def test_there_are_only_so_many_streams_and_a_client_that_leaves_makes_room() -> None:
    """Those that only look leave connections to those that ask."""
    async with watched(FakeEngine(current=make_view(), needed=False)) as it:
        await it.parts.at_rest()
        stream, gone = Stream(it.watch, anyio.sleep), anyio.Event()
        begun: list[object] = []

        async def receive() -> dict[str, object]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Mapping[str, object]) -> None:
            if message["type"] == "http.response.start":
                begun.append(message)

        scope = {"type": "http", "method": "GET"}
        async with anyio.create_task_group() as tasks:
            for _ in range(MOST_STREAMS):
                tasks.start_soon(stream, scope, receive, send)
            while len(begun) < MOST_STREAMS:
                await anyio.sleep(0.01)
            with pytest.raises(NotReadyError) as raised:
                await stream(scope, receive, send)
            gone.set()
        assert raised.value.code == "busy"
        await stream(scope, receive, send)
