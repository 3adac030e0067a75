"""Whose turn it is: waiting shows, ends, and can be cancelled at any moment without leaving a lock behind."""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack
from datetime import UTC, datetime

import anyio
import pytest

from pycontextify.errors import StoreError
from pycontextify.hydration.board import StatusBoard
from pycontextify.hydration.turns import Turns
from pycontextify.hydration.workers import Workers
from pycontextify.store.layout import Layout
from pycontextify.store.notice import post, posted

TURNS = ["downloading", "writing"]


def board() -> StatusBoard:
    """A board with an attempt that has begun."""
    made = StatusBoard("https://host", now=lambda: datetime.now(UTC), monotonic=time.monotonic)
    made.begin("startup")
    return made


def turn(turns: Turns, which: str) -> AbstractAsyncContextManager[None]:
    """A turn of one kind."""
    return turns.downloading() if which == "downloading" else turns.writing()


def lock(layout: Layout, which: str) -> AbstractContextManager[None]:
    """The lock that it takes, as another process holds it."""
    return layout.hydration_lock() if which == "downloading" else layout.lock(timeout=0)


def free(layout: Layout) -> bool:
    """Tell whether nobody holds either lock."""
    try:
        with layout.hydration_lock(), layout.lock(timeout=0):
            return True
    except StoreError:
        return False


@pytest.mark.parametrize("which", TURNS)
async def test_nobody_else_at_work_is_no_waiting(layout: Layout, workers: Workers, which: str) -> None:
    """The state stays what it was, and the lock is held for the block alone."""
    status = board()
    async with turn(Turns(layout, status, workers), which):
        assert status.status.state == "resolving"
        assert not free(layout)
    assert free(layout)


@pytest.mark.parametrize("which", TURNS)
async def test_another_process_is_waited_for_and_its_progress_shown(
    layout: Layout, workers: Workers, which: str
) -> None:
    """It is looked at again and again; then the attempt goes on where it was."""
    status, seen = board(), []
    post(layout.notice, {"state": "fetching", "bytes_done": 3, "bytes_total": 9, "secret": "x", "assets": [1]})
    with ExitStack() as other:
        other.enter_context(lock(layout, which))

        async def sleep(_seconds: float) -> None:
            seen.append((status.status.state, status.status.waiting_for))
            if len(seen) == 3:
                other.close()

        async with turn(Turns(layout, status, workers, sleep), which):
            assert status.status.state == "resolving"
            assert status.status.waiting_for is None
    told = {"state": "fetching", "bytes_done": 3, "bytes_total": 9}
    assert seen == [("waiting", told)] * 3
    assert free(layout)


@pytest.mark.parametrize("which", TURNS)
async def test_who_gives_up_waiting_holds_nothing(layout: Layout, workers: Workers, which: str) -> None:
    """The other's lock is the other's."""
    waiting = anyio.Event()

    async def sleep(_seconds: float) -> None:
        waiting.set()
        await anyio.sleep_forever()

    with ExitStack() as other:
        other.enter_context(lock(layout, which))
        async with anyio.create_task_group() as tasks:

            async def wait() -> None:
                async with turn(Turns(layout, board(), workers, sleep), which):
                    raise AssertionError("it was not our turn")

            tasks.start_soon(wait)
            await waiting.wait()
            tasks.cancel_scope.cancel()
    assert free(layout)


@pytest.mark.parametrize("which", TURNS)
async def test_who_is_cancelled_lets_go(layout: Layout, workers: Workers, which: str) -> None:
    """At whatever step: before the lock is there, while it is being taken, or in the block."""
    for steps in range(6):
        async with anyio.create_task_group() as tasks:

            async def work() -> None:
                async with turn(Turns(layout, board(), workers), which):
                    await anyio.sleep_forever()

            tasks.start_soon(work)
            for _ in range(steps):
                await anyio.lowlevel.checkpoint()
            if steps == 5:
                while await anyio.to_thread.run_sync(free, layout):
                    await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        assert free(layout)


async def test_an_error_in_the_block_lets_go(layout: Layout, workers: Workers) -> None:
    """And gets out as it is."""
    with pytest.raises(RuntimeError, match="oops"):
        async with Turns(layout, board(), workers).writing():
            raise RuntimeError("oops")
    assert free(layout)


async def test_a_disk_that_can_not_be_locked_on_is_not_waited_for(layout: Layout, workers: Workers) -> None:
    """That would be forever."""
    (layout.root / ".pycontextify" / "lock").mkdir()
    with pytest.raises(StoreError) as caught:
        async with Turns(layout, board(), workers).writing():
            pass
    assert caught.value.code != "store_locked"


async def test_what_is_told_ends_with_the_turn(layout: Layout, workers: Workers) -> None:
    """Others read how far it is; afterwards nothing stays."""
    status = board()
    turns = Turns(layout, status, workers)
    async with turns.downloading(), anyio.create_task_group() as tasks:
        tasks.start_soon(turns.tell)
        with anyio.fail_after(5):
            while not posted(layout.notice):
                await anyio.sleep(0.001)
        assert posted(layout.notice) == {"state": "resolving", "bytes_done": 0, "bytes_total": 0}
        tasks.cancel_scope.cancel()
    assert not layout.notice.exists()


async def test_two_attempts_of_one_process_take_turns(layout: Layout, workers: Workers) -> None:
    """They exclude each other as two processes do."""
    inside = 0

    async def work() -> None:
        nonlocal inside
        async with Turns(layout, board(), workers, _no_sleep).downloading():
            inside += 1
            assert inside == 1
            await anyio.lowlevel.checkpoint()
            inside -= 1

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(work)
    assert free(layout)


async def _no_sleep(_seconds: float) -> None:
    await anyio.sleep(0.001)
