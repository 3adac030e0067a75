"""How long searches take, idle and while hydrations are swapped in: ``latency LAYOUT SCRATCH URL KEY SECONDS``.

One thread searches without a pause; the same number of seconds idle and hydrating, in turn. Every hydration fetches all
there is, the encoder's files too; the encoder itself is open already, as it is in a server that searches.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Self

import anyio
import numpy as np

from benchmarks.parts.hydrate import be_loaded, hydrate_into, settings_for
from benchmarks.parts.telling import tell
from pycontextify.config import settings_of_call
from pycontextify.encoder.opening import EncoderCache
from pycontextify.index.live import LiveIndex
from pycontextify.index.model import Query
from pycontextify.index.view import View
from pycontextify.library.workspace import Workspace

__all__ = ["main"]

_TURNS, _WARMING_SECONDS = 3, 2.0
_QUERIES = (
    "read the lines of a file",
    "parse command line arguments",
    "open a socket and wait for a connection",
    "encode a string as base64",
    "iterate over a sorted mapping",
)


class _Searcher:
    """A thread that searches, and notes in ``taken`` how many seconds each search took.

    Whoever wants to begin anew lays another list there; a search that began before is in neither.
    """

    def __init__(self, live: LiveIndex[View]) -> None:
        self.taken: list[float] = []
        self._live = live
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            taken, began = self.taken, time.perf_counter()
            with self._live.lease() as view:
                assert view is not None
                assert view.search(Query(_QUERIES[number % len(_QUERIES)])).hits
            if taken is self.taken:
                taken.append(time.perf_counter() - began)


async def _hydrate(scratch: Path, workspace: Callable[[Path], Workspace], live: LiveIndex[View], seconds: float) -> int:
    """Hydrate into one empty directory after the other, for a while, each time swapping what came; count them."""
    until, times = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        await hydrate_into(workspace(scratch / f"{times}"), live)
        times += 1
        if times > 1:
            shutil.rmtree(scratch / f"{times - 2}")
    return times


def main(layout: str, scratch: str, url: str, key: str, seconds: str) -> None:
    """Measure, and tell for each turn."""
    live: LiveIndex[View] = LiveIndex()
    encoders = EncoderCache()
    live.swap(Workspace(settings_of_call({"index_dir": layout}), encoders).open_current())
    workspace = partial(settings_for, kind="url", url=url, key=key, encoders=encoders)
    be_loaded()
    turns, swaps = list[dict[str, float]](), 0
    with _Searcher(live) as searcher:
        time.sleep(_WARMING_SECONDS)
        for turn in range(_TURNS):
            idle = searcher.taken = []
            time.sleep(float(seconds))
            busy = searcher.taken = []
            swaps += anyio.run(_hydrate, Path(scratch, f"{turn}"), workspace, live, float(seconds))
            searcher.taken = []
            turns.append({**_percentiles("idle", idle), **_percentiles("busy", busy), "searches": len(busy)})
    live.swap(None)
    tell(turns=turns, swaps=swaps)


def _percentiles(name: str, taken: list[float]) -> dict[str, float]:
    return {f"{name}_p{share}": float(np.percentile(taken, share)) for share in (50, 99)}


if __name__ == "__main__":
    main(*sys.argv[1:])
