"""Time that passes only when somebody sleeps."""

from __future__ import annotations

import asyncio

__all__ = ["FakeClock"]


class FakeClock:
    """A clock in seconds since the epoch, to be called for the time and awaited (`sleep`) to let it pass.

    ``slept`` lists every sleep in seconds, in order.
    """

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let time pass, at once."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)
