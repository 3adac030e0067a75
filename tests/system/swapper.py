"""A process that swaps one large index under eight searching threads: ``python -m tests.system.swapper LAYOUT MODEL``.

Prints, as JSON, its anonymous memory before and after a hundred swaps, in KiB, and how many queries were answered and
how many failed. What is mapped from files is not anonymous: the system can drop it at any time.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from pathlib import Path
from statistics import median_low

from pycontextify.encoder.onnx import open_directory
from pycontextify.index.live import LiveIndex
from pycontextify.index.model import Query
from pycontextify.index.view import View
from pycontextify.store.layout import Layout
from tests.fakes.ballast import FOUND

__all__ = ["anonymous", "main"]

SEARCHERS, WARMING, SWAPS = 8, 300, 100


def main(root: Path, model: Path) -> None:
    """Warm up (malloc gives each thread an arena of its own, which takes a while to fill), measure, swap, measure."""
    layout, encoder = Layout(root), open_directory(model)
    generation = layout.refs().refs["latest"].digest
    config = layout.config(generation)
    live: LiveIndex[View] = LiveIndex()
    counts: Counter[str] = Counter()
    stop, turn = threading.Event(), threading.Semaphore(0)

    def search() -> None:
        while not stop.is_set():
            with live.lease() as view:
                try:
                    assert view is not None
                    found = view.search(Query(FOUND[1])).hits[0].path.endswith(FOUND[0])
                except Exception:  # noqa: BLE001 - whatever it is, it is a failed query
                    found = False
            counts["answered" if found else "failed"] += 1
            turn.release()

    def swap(times: int) -> int:
        """Return the median after each of the last fifty: one reading differs from the next by a megabyte."""
        readings = []
        for _ in range(times):
            live.swap(View.open(generation, config, layout.blob_path, encoder))
            for _ in range(SEARCHERS):
                turn.acquire()
            readings.append(anonymous())
        return median_low(readings[-50:])

    live.swap(View.open(generation, config, layout.blob_path, encoder))
    threads = [threading.Thread(target=search) for _ in range(SEARCHERS)]
    for thread in threads:
        thread.start()
    before, after = swap(WARMING), swap(SWAPS)
    stop.set()
    for thread in threads:
        thread.join()
    live.swap(None)
    print(json.dumps({"before": before, "after": after, **counts}))  # noqa: T201 - the answer


def anonymous() -> int:
    """Return this process's anonymous memory in KiB (RssAnon, proc_pid_status(5))."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssAnon:")))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
