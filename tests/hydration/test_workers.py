"""Hydration's own threads: results, priority, and what a cancellation leaves behind."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import anyio
import pytest

from pycontextify.hydration.workers import OnProgress, Workers, finish


async def test_run_returns_what_the_piece_returns(workers: Workers) -> None:
    """Arguments go in, the result comes out, and it happens in a thread of the pool."""

    def piece(left: int, *, right: int) -> tuple[int, str]:
        return left + right, threading.current_thread().name

    total, name = await workers.run(piece, 1, right=2)
    assert total == 3
    assert name.startswith("pycontextify-hydration")


async def test_run_raises_what_the_piece_raises(workers: Workers) -> None:
    """An error of the piece is the caller's."""
    with pytest.raises(ZeroDivisionError):
        await workers.run(lambda: 1 // 0)


async def test_threads_give_way_where_the_system_lets_them(workers: Workers) -> None:
    """On Linux a worker thread is nicer than the loop's, and the loop's stays as it was."""

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) if sys.platform == "linux" else 10

    before = niceness()
    assert await workers.run(niceness) >= 10
    assert niceness() == before


async def test_a_cancelled_run_waits_for_its_piece(workers: Workers) -> None:
    """What the thread has begun it finishes before the cancellation goes on."""
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def piece() -> None:
        begun.set()
        go_on.wait()
        ended.set()

    task = asyncio.create_task(workers.run(piece))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_a_cancelled_scope_waits_for_its_piece_too(workers: Workers) -> None:
    """anyio's cancellation, which is repeated at every step, behaves the same."""
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def piece() -> None:
        begun.set()
        go_on.wait()
        ended.set()

    async with anyio.create_task_group() as group:
        group.start_soon(workers.run, piece)
        await asyncio.to_thread(begun.wait)
        group.cancel_scope.cancel()
        go_on.set()
    assert ended.is_set()


async def test_a_cancelled_run_that_has_no_thread_yet_never_begins() -> None:
    """A piece that waits for a thread is dropped, without waiting for the thread."""
    with Workers(1) as workers:
        go_on, ran = threading.Event(), threading.Event()
        first = asyncio.create_task(workers.run(go_on.wait))
        second = asyncio.create_task(workers.run(ran.set))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        go_on.set()
        await first
    assert not ran.is_set()


async def test_watched_work_reports_its_progress_in_order(workers: Workers) -> None:
    """Every step reaches the loop's thread before the result does."""
    steps: list[tuple[int, bool]] = []
    loop_thread = threading.get_ident()

    def work(step: OnProgress) -> str:
        for number in range(5):
            step(number)
        return "done"

    result = await workers.run_watched(work, lambda n: steps.append((n, threading.get_ident() == loop_thread)))
    assert result == "done"
    assert steps == [(number, True) for number in range(5)]


async def test_cancelled_watched_work_ends_at_its_next_step(workers: Workers) -> None:
    """Work that would go on for ever ends, its clean-up included, before the cancellation goes on."""
    begun, cleaned = threading.Event(), threading.Event()

    def work(step: OnProgress) -> None:
        try:
            while True:
                step(0)
                begun.set()
        finally:
            cleaned.set()

    task = asyncio.create_task(workers.run_watched(work, lambda _: None))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned.is_set()


async def test_an_error_after_the_cancellation_is_not_lost_noisily(workers: Workers) -> None:
    """The cancellation is what the caller hears of; nobody complains of an exception never retrieved."""
    begun, go_on = threading.Event(), threading.Event()

    def piece() -> None:
        begun.set()
        go_on.wait()
        raise OSError("too late")

    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    task = asyncio.create_task(workers.run(piece))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert complaints == []


async def test_finish_returns_and_raises_like_await() -> None:
    """Without a cancellation, `finish` is `await`."""

    async def fails() -> None:
        raise ValueError("as it is")

    assert await finish(asyncio.sleep(0, "result")) == "result"
    with pytest.raises(ValueError, match="as it is"):
        await finish(fails())


async def test_closing_lets_the_threads_end() -> None:
    """After `with`, no piece runs any more."""
    with Workers() as workers:
        await workers.run(int)
    with pytest.raises(RuntimeError):
        await workers.run(int)
