"""Threads for hydration alone.

Hashing, writing and extracting happen here, never on the event loop. The threads are hydration's own for a reason:
priority (nice) belongs to a thread, and anyio's worker threads are shared with queries, so lowering theirs would slow
down the very thing that must come first.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

import anyio

__all__ = ["OnProgress", "Workers", "beside", "finish", "together"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

_NICE = 10
_log = logging.getLogger(__name__)

OnProgress = Callable[[int], None]
"""Told how far a long piece of work has come, in units of its own."""


class _StoppedError(Exception):
    """Nobody waits any more for a long piece of work; never leaves its thread."""


class Workers:
    """A few threads of low priority, closed by ``with`` or `close`.

    A cancelled wait comes back only once the piece of work in its thread has ended, so that no file is closed under
    a thread's hands and nothing runs on unwatched.
    """

    def __init__(self, threads: int = 4) -> None:
        self.executor = ThreadPoolExecutor(threads, thread_name_prefix="pycontextify-hydration", initializer=_give_way)

    async def run(self, piece: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run a short piece of work in a thread and return its result."""
        future = self.executor.submit(piece, *args, **kwargs)
        return await finish(asyncio.wrap_future(future), on_cancel=future.cancel)

    async def run_watched(self, work: Callable[[OnProgress], _T], on_progress: OnProgress | None = None) -> _T:
        """Run a long piece of work in a thread and return its result.

        ``work`` gets a function to call at every step with its progress, which reaches ``on_progress``, if there is
        one, on the event loop; at the first step after a cancellation it raises, which ends the work.
        """
        loop = asyncio.get_running_loop()
        stop = threading.Event()

        def step(progress: int) -> None:
            if stop.is_set():
                raise _StoppedError
            if on_progress is not None:
                loop.call_soon_threadsafe(on_progress, progress)

        def leave() -> None:
            future.cancel()  # of use only while it waits for a thread
            stop.set()

        future = self.executor.submit(work, step)
        return await finish(asyncio.wrap_future(future), on_cancel=leave)

    def close(self) -> None:
        """Let the threads end; work that has not begun never will."""
        self.executor.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


async def finish(work: Awaitable[_T], on_cancel: Callable[[], object] | None = None) -> _T:
    """Await ``work`` to its end even when cancelled; the cancellation goes on afterwards.

    For work that a thread does: the thread can't be interrupted, so walking away would leave it running.
    ``on_cancel`` may ask it to be quick.
    """
    future = asyncio.ensure_future(work)
    try:
        await asyncio.wait({future})
    except asyncio.CancelledError:
        if on_cancel is not None:
            on_cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.wait({future})
        if not future.cancelled():
            future.exception()  # marks it as seen: the cancellation is what the caller hears of
        raise
    return future.result()


async def beside(work: Callable[[], Awaitable[_T]], companion: Callable[[], Coroutine[Any, Any, None]]) -> _T:
    """Return what ``work`` returns, or raise what it raises; ``companion`` runs meanwhile and is then cancelled."""
    result: _T
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(companion)
        try:
            result = await work()
        except Exception as error:  # noqa: BLE001 - raised again below, where no task group wraps it
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return result


async def together(*jobs: Callable[[], Awaitable[None]]) -> None:
    """Run jobs side by side; the first failure cancels the others and is raised as it is, in no group."""
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:

        async def run(job: Callable[[], Awaitable[None]]) -> None:
            nonlocal failure
            try:
                await job()
            except Exception as error:  # noqa: BLE001 - raised again below
                failure = failure or error
                tasks.cancel_scope.cancel()

        for job in jobs:
            tasks.start_soon(run, job)
    if failure is not None:
        raise failure


def _give_way() -> None:
    """Lower the priority of the calling thread, where the system has priorities for threads."""
    if sys.platform != "linux":
        return
    thread = threading.get_native_id()
    try:
        os.setpriority(os.PRIO_PROCESS, thread, max(_NICE, os.getpriority(os.PRIO_PROCESS, thread)))
    except OSError as error:  # a sandbox may forbid it; hydration then competes as an equal
        _log.debug("the priority of a hydration thread stays as it is: %s", error)
