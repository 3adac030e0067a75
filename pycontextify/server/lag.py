"""How late the event loop is: what blocks it makes everything wait, and shows nowhere else."""

from __future__ import annotations

from collections.abc import Callable

from pycontextify.server.progress import Sleep

__all__ = ["watch_lag"]

_EVERY_SECONDS = 0.25


async def watch_lag(observe: Callable[[float], None], *, sleep: Sleep, monotonic: Callable[[], float]) -> None:
    """Sleep, again and again until cancelled, and tell how many seconds later than asked for each sleep ended."""
    while True:
        asleep = monotonic()
        await sleep(_EVERY_SECONDS)
        observe(max(0.0, monotonic() - asleep - _EVERY_SECONDS))
