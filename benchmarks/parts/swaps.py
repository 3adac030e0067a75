"""A hundred swaps under eight searching threads: ``swaps LAYOUT``.

Tells for how long `LiveIndex` holds its lock, how many searches failed, and what memory of its own the process has
before and after.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter

import numpy as np

from benchmarks.parts.telling import tell
from pycontextify.config import settings_of_call
from pycontextify.index.live import LiveIndex
from pycontextify.index.model import Query
from pycontextify.index.view import View
from pycontextify.library.workspace import Workspace
from pycontextify.server.interpreter import use_one_arena
from tests.system.swapper import anonymous

__all__ = ["main"]

_SEARCHERS, _WARMING, _SWAPS = 8, 50, 100


class _TimedLock:
    """A lock that notes, in seconds, how long it was held each time."""

    def __init__(self) -> None:
        self.held: list[float] = []
        self._lock = threading.Lock()
        self._since = 0.0

    def __enter__(self) -> None:
        self._lock.acquire()
        self._since = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.held.append(time.perf_counter() - self._since)
        self._lock.release()


def main(directory: str) -> None:
    """Swap, and tell."""
    use_one_arena()
    workspace = Workspace(settings_of_call({"index_dir": directory}))
    live: LiveIndex[View] = LiveIndex()
    lock = _TimedLock()
    live._lock = lock  # type: ignore[assignment]  # noqa: SLF001 - what is measured has no other door
    counts: Counter[str] = Counter()
    stop, turn = threading.Event(), threading.Semaphore(0)

    def search() -> None:
        while not stop.is_set():
            try:
                with live.lease() as view:
                    found = view is not None and bool(view.search(Query("read the lines of a file")).hits)
            except Exception:  # noqa: BLE001 - whatever it is, it is a failed search
                found = False
            counts["answered" if found else "failed"] += 1
            turn.release()

    def swap(times: int) -> int:
        for _ in range(times):
            live.swap(workspace.open_current())
            for _ in range(_SEARCHERS):
                turn.acquire()
        return anonymous()

    live.swap(workspace.open_current())
    threads = [threading.Thread(target=search) for _ in range(_SEARCHERS)]
    for thread in threads:
        thread.start()
    before = swap(_WARMING)
    lock.held.clear()
    after = swap(_SWAPS)
    stop.set()
    for thread in threads:
        thread.join()
    held = list(lock.held)
    live.swap(None)
    tell(
        searchers=_SEARCHERS,
        swaps=_SWAPS,
        before=before,
        after=after,
        answered=counts["answered"],
        failed=counts["failed"],
        held_p50=float(np.percentile(held, 50)),
        held_p999=float(np.percentile(held, 99.9)),
        held_max=max(held),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
