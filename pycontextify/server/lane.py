"""Threads for what clients ask for: so many at once, so many callers waiting, and the others are told to come again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import anyio
import anyio.to_thread

from pycontextify.errors import NotReadyError

__all__ = ["Lane"]

T = TypeVar("T")


class Lane:
    """Runs what blocks in at most ``threads`` threads, while at most ``waiting`` more callers wait for one.

    A caller who is cancelled leaves at once. What has begun can't be stopped, so it keeps its thread and its place
    until it has ended: clients that ask and leave, over and over, get no more threads than others. (anyio's own limiter
    is given back when the caller leaves.) Lives on the event loop.
    """

    def __init__(self, *, threads: int, waiting: int) -> None:
        self._slots = anyio.CapacityLimiter(threads)
        self._threads = anyio.CapacityLimiter(threads)
        self._most = threads + waiting
        self._inside = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns, or raise what it raises. Raises NotReadyError when too many wait already."""
        if self._inside >= self._most:
            raise NotReadyError(
                "too many requests are waiting for an answer already", code="busy", hint="ask again in a moment"
            )
        self._inside += 1
        visit, claim = object(), threading.Lock()
        try:
            await self._slots.acquire_on_behalf_of(visit)
        except BaseException:
            self._inside -= 1
            raise
        loop = asyncio.get_running_loop()

        def begun_and_done() -> T:
            if not claim.acquire(blocking=False):
                raise RuntimeError("the caller left before this began")  # nobody is there to hear it
            try:
                return work()
            finally:
                with suppress(RuntimeError):  # the event loop may have ended meanwhile
                    loop.call_soon_threadsafe(self._leave, visit)

        try:
            return await anyio.to_thread.run_sync(begun_and_done, abandon_on_cancel=True, limiter=self._threads)
        finally:
            # Cancelled on the way to a thread: whoever claims the work first, we or the thread, gives the place back.
            if claim.acquire(blocking=False):
                self._leave(visit)

    def _leave(self, visit: object) -> None:
        self._inside -= 1
        self._slots.release_on_behalf_of(visit)
