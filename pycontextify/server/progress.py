"""Progress notifications while a request waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from pycontextify.hydration.workers import beside
from pycontextify.server.words import advance

__all__ = ["Look", "Report", "Sleep", "with_progress"]

Report = Callable[[float, str], Awaitable[None]]
"""Tells the client how far we are, out of 100, and what we do."""

Look = Callable[[], tuple[float | None, str]]
"""Says how far the work is in percent, None when that can't be told, and what it does."""

Sleep = Callable[[float], Awaitable[None]]

_LOOK_SECONDS = 0.25
_HEARTBEAT_LOOKS = 8
"""A notification goes out at least every two seconds: it keeps the client from giving up."""

T = TypeVar("T")


async def with_progress(work: Callable[[], Awaitable[T]], look: Look, report: Report, sleep: Sleep) -> T:
    """Await ``work`` and report meanwhile: whenever the words change, and as a heartbeat. Raises what it raises."""
    return await beside(work, partial(_watch, look, report, sleep))


async def _watch(look: Look, report: Report, sleep: Sleep) -> None:
    reached, said, silent = 0.0, "", 0
    while True:
        percent, words = look()
        silent += 1
        if words != said or silent >= _HEARTBEAT_LOOKS:
            reached, said, silent = advance(reached, percent), words, 0
            await report(reached, words)
        await sleep(_LOOK_SECONDS)
