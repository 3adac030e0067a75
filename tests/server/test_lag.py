"""How late the event loop is, with a clock that passes when somebody sleeps."""

from __future__ import annotations

import anyio

from pycontextify.server.lag import watch_lag
from tests.fakes.clock import FakeClock


async def test_what_a_sleep_takes_too_long_is_told() -> None:
    """On time is 0; late is by how much; never less than nothing."""
    clock, lags, late = FakeClock(), list[float](), iter([0.0, 1.5, -0.1])

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds + next(late, 0.0))

    async with anyio.create_task_group() as tasks:

        def observe(seconds: float) -> None:
            lags.append(round(seconds, 6))
            if len(lags) == 3:
                tasks.cancel_scope.cancel()

        tasks.start_soon(lambda: watch_lag(observe, sleep=sleep, monotonic=clock))
    assert lags == [0.0, 1.5, 0.0]
