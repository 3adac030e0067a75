"""Reporting while something waits."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from pycontextify.server.progress import with_progress
from tests.fakes.bench import TurnedSleep


async def test_the_result_comes_through_and_reporting_ends() -> None:
    """What the work returns is returned."""
    reports: list[str] = []

    async def report(_reached: float, words: str) -> None:
        reports.append(words)

    async def work() -> int:
        await anyio.lowlevel.checkpoint()
        return 5

    assert await with_progress(work, lambda: (None, "working"), report, TurnedSleep()) == 5
    assert reports == ["working"]


async def test_an_error_comes_through_as_it_is() -> None:
    """Not wrapped in a group."""

    async def report(_reached: float, _words: str) -> None:
        pass

    async def work() -> None:
        await anyio.lowlevel.checkpoint()
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await with_progress(work, lambda: (None, "working"), report, TurnedSleep())


async def test_the_same_words_are_a_heartbeat_and_no_more() -> None:
    """Looked at every quarter of a second, told when they change, and else every two seconds."""
    reports: list[tuple[float, str]] = []
    sleep, done = TurnedSleep(), anyio.Event()
    words = "first"

    async def report(reached: float, said: str) -> None:
        reports.append((reached, said))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: with_progress(done.wait, lambda: (50.0, words), report, sleep))
        for _ in range(8):
            await sleep.turn()
        await sleep.settled()
        words = "second"
        await sleep.turn()
        await sleep.turn()
        await sleep.settled()
        done.set()
    assert [said for _, said in reports] == ["first", "first", "second"]
    assert reports[0][0] == 50.0
    assert reports[0][0] < reports[1][0] < reports[2][0] < 51
