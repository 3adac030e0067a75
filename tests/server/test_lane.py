"""Threads for what clients ask for: how many, who waits, and who is turned away."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from pycontextify.errors import NotReadyError
from pycontextify.server.lane import Lane


class Slow:
    """Work that lasts until it is told to end, and counts how often it runs at once."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.running = 0
        self.most = 0
        self.begun = 0
        self._lock = threading.Lock()

    def __call__(self) -> int:
        """Run, and return how many have begun."""
        with self._lock:
            self.begun += 1
            self.running += 1
            self.most = max(self.most, self.running)
        self.gate.wait(10)
        with self._lock:
            self.running -= 1
            return self.begun


@asynccontextmanager
async def slow() -> AsyncIterator[Slow]:
    """Slow work that ends with the block."""
    work = Slow()
    try:
        yield work
    finally:
        work.gate.set()


async def until(work: Slow, begun: int) -> None:
    """Wait until so many have begun."""
    while work.begun < begun:
        await anyio.sleep(0.001)


async def test_it_returns_and_raises_what_the_work_does() -> None:
    """And it is free again afterwards, either way."""
    lane = Lane(threads=1, waiting=0)

    def fail() -> None:
        raise ValueError("no")

    for _ in range(3):
        assert await lane.run(lambda: 7) == 7
        with pytest.raises(ValueError, match="no"):
            await lane.run(fail)


async def test_so_many_run_so_many_wait_and_the_rest_is_turned_away() -> None:
    """At once, with a code and what to do; those who waited have their turn."""
    lane = Lane(threads=2, waiting=3)
    answers: list[int] = []

    async def ask() -> None:
        answers.append(await lane.run(work))

    async with slow() as work, anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(ask)
        await until(work, 2)
        with pytest.raises(NotReadyError, match="ask again in a moment") as raised:
            await lane.run(work)
        assert raised.value.code == "busy"
        work.gate.set()
    assert len(answers) == 5
    assert work.most == 2
    assert await lane.run(lambda: 7) == 7


async def test_a_crowd_that_comes_in_one_moment_is_counted_too() -> None:
    """Nobody slips in between the count and the queue."""
    lane = Lane(threads=2, waiting=3)
    refused: list[NotReadyError] = []

    async def ask() -> None:
        try:
            await lane.run(work)
        except NotReadyError as error:
            refused.append(error)
            if len(refused) == 95:
                work.gate.set()

    async with slow() as work, anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(ask)
    assert len(refused) == 95
    assert work.begun == 5


async def test_who_asks_and_leaves_gets_no_more_threads() -> None:
    """What has begun keeps its thread until it ends, whether anybody waits for it or not."""
    lane = Lane(threads=2, waiting=1)
    async with slow() as work:
        for number in (1, 2):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lane.run, work)
                await until(work, number)
                tasks.cancel_scope.cancel()
        with anyio.move_on_after(0.05) as patience:
            await lane.run(work)
        assert patience.cancelled_caught
        assert (work.begun, work.running) == (2, 2)
        work.gate.set()
        assert await lane.run(work) == 3
    assert work.most == 2


async def test_who_leaves_before_it_began_leaves_no_trace() -> None:
    """Cancelled while waiting, or on the way to a thread: the place is free again."""
    lane = Lane(threads=1, waiting=0)
    for _ in range(50):
        with anyio.CancelScope() as scope:
            scope.cancel()
            await lane.run(lambda: None)
        with anyio.move_on_after(0) as scope:
            await lane.run(lambda: None)
        with anyio.fail_after(5):
            while True:
                try:
                    assert await lane.run(lambda: 7) == 7
                except NotReadyError:
                    await anyio.sleep(0.001)  # the thread is just about to end
                else:
                    break
