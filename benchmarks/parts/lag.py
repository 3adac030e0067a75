"""Lateness of an event loop, idle and while it hydrates at full speed: ``lag DIRECTORY URL KEY``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import anyio
import numpy as np

from benchmarks.parts.hydrate import be_loaded, hydrate_into, settings_for
from benchmarks.parts.telling import tell
from pycontextify.index.live import LiveIndex
from pycontextify.index.view import View

__all__ = ["main"]

_EVERY = 0.002
_IDLE_SECONDS = 3.0


async def _watch(into: list[float]) -> None:
    """Sleep again and again, and note how late one wakes, in seconds."""
    while True:
        asked = time.perf_counter()
        await anyio.sleep(_EVERY)
        into.append(time.perf_counter() - asked - _EVERY)


async def _measure(directory: str, url: str, key: str) -> tuple[list[float], list[float]]:
    live: LiveIndex[View] = LiveIndex()
    workspace = settings_for(Path(directory), "url", url, key)
    idle, busy = list[float](), list[float]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_watch, idle)
        await anyio.sleep(_IDLE_SECONDS)
        tasks.cancel_scope.cancel()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_watch, busy)
        await hydrate_into(workspace, live)
        tasks.cancel_scope.cancel()
    live.swap(None)
    return idle, busy


def main(directory: str, url: str, key: str) -> None:
    """Measure, and tell."""
    be_loaded()
    idle, busy = anyio.run(_measure, directory, url, key)
    tell(
        idle_p99=float(np.percentile(idle, 99)),
        busy_p99=float(np.percentile(busy, 99)),
        idle_max=max(idle),
        busy_max=max(busy),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
