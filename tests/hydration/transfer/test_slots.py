"""Whose turn it is to ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.lowlevel import checkpoint

from pycontextify.hydration.transfer.slots import Slots

FIRST, SECOND = "https://first/a", "https://second/a"


class Askers:
    """Tasks that take a turn and keep it; ``under_way`` lists the addresses that are being asked."""

    def __init__(self, slots: Slots, tasks: anyio.abc.TaskGroup) -> None:
        self._turns = slots
        self._tasks = tasks
        self.under_way: list[str] = []

    async def ask(self, *urls: str) -> None:
        """Let a task for each address take its turn; returns when all have done what they can."""
        for url in urls:
            self._tasks.start_soon(self._keep, url)
        for _ in range(10):
            await checkpoint()

    async def _keep(self, url: str) -> None:
        async with self._turns.take(url):
            self.under_way.append(url)
            await anyio.sleep_forever()


@asynccontextmanager
async def askers(slots: Slots) -> AsyncIterator[Askers]:
    """Lend some, who let go at the end."""
    async with anyio.create_task_group() as tasks:
        yield Askers(slots, tasks)
        tasks.cancel_scope.cancel()


async def test_no_more_than_there_are_connections() -> None:
    """Altogether, whoever is asked."""
    async with askers(Slots(3)) as asked:
        await asked.ask(FIRST, SECOND, FIRST, SECOND)
        assert sorted(asked.under_way) == [FIRST, FIRST, SECOND]


async def test_one_too_many_for_a_host() -> None:
    """It is asked for as many as it put up with; another one is not its concern."""
    slots = Slots(4)
    async with askers(slots) as asked:
        await asked.ask(FIRST, FIRST)
        async with slots.take(FIRST) as beside:
            assert slots.turned_away(FIRST, beside)
        await asked.ask(FIRST)
        assert asked.under_way == [FIRST, FIRST]
        await asked.ask(SECOND, SECOND)
        assert asked.under_way == [FIRST, FIRST, SECOND, SECOND]


async def test_one_that_was_alone_was_not_too_many() -> None:
    """What it was turned away for, others have nothing to do with: those elsewhere least of all."""
    slots = Slots(4)
    async with askers(slots) as asked:
        await asked.ask(SECOND)
        async with slots.take(FIRST) as beside:
            assert not slots.turned_away(FIRST, beside)
        await asked.ask(FIRST, FIRST)
        assert asked.under_way == [SECOND, FIRST, FIRST]


async def test_who_asks_later_may_get_in_first() -> None:
    """The one before is then the one too many."""
    slots = Slots(4)
    async with askers(slots) as asked:
        async with slots.take(FIRST) as beside:
            await asked.ask(FIRST)
            assert beside == 0
            assert slots.turned_away(FIRST, beside)
        await asked.ask(FIRST)
        assert asked.under_way == [FIRST]


async def test_the_least_holds() -> None:
    """Several are turned away together: the one that had the fewest beside it tells the most."""
    slots = Slots(4)
    async with askers(slots) as asked:
        await asked.ask(FIRST, FIRST, FIRST)
        for beside in (1, 2):
            assert slots.turned_away(FIRST, beside)
    async with askers(slots) as asked:
        await asked.ask(FIRST, FIRST)
        assert asked.under_way == [FIRST]


@pytest.mark.parametrize("url", ["https://user:pw@First/b?c", "https://first/"])
async def test_paths_and_logins_of_one_host_share_its_turns(url: str) -> None:
    """What is busy is the host."""
    slots = Slots(2)
    async with askers(slots) as asked:
        await asked.ask(FIRST)
        async with slots.take(url) as beside:
            assert slots.turned_away(url, beside)
        await asked.ask(url)
        assert asked.under_way == [FIRST]
