"""Hydrate, and then look again at a source that has nothing new: ``refresh DIRECTORY URL KEY``.

Prints a line when the first is done, and waits for one before the second, so that requests can be told apart.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import anyio

from benchmarks.parts.hydrate import settings_for
from benchmarks.parts.telling import tell
from pycontextify.hydration.workers import Workers
from pycontextify.index.live import LiveIndex
from pycontextify.index.view import View
from pycontextify.library.hydrating import hydration_service

__all__ = ["main"]


def _written() -> int:
    """Return how many bytes this process has caused to be sent to a disk (proc_pid_io(5))."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("write_bytes:")))


async def _look_twice(directory: str, url: str, key: str) -> dict[str, float]:
    live: LiveIndex[View] = LiveIndex()
    with Workers() as workers:
        service = hydration_service(settings_for(Path(directory), "url", url, key), live, workers)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(service.run)
            start = _written()
            await service.rehydrate(wait=True)
            first = _written() - start
            sys.stderr.write("hydrated\n")
            sys.stderr.flush()
            await anyio.to_thread.run_sync(sys.stdin.readline)
            before, began = _written(), time.perf_counter()
            await service.rehydrate(wait=True)
            seconds, written = time.perf_counter() - began, _written() - before
            tasks.cancel_scope.cancel()
    live.swap(None)
    return {"written_first": first, "written": written, "seconds": seconds}


def main(directory: str, url: str, key: str) -> None:
    """Look twice, and tell what each look wrote and how long the second took."""
    tell(**anyio.run(_look_twice, directory, url, key))


if __name__ == "__main__":
    main(*sys.argv[1:])
