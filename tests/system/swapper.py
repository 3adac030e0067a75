"""A process that swaps one large index under eight searching threads: ``python -m tests.system.swapper LAYOUT MODEL``.

Prints, as JSON, its anonymous memory before and after a hundred swaps, in KiB, and how many queries were answered and
how many failed. What is mapped from files is not anonymous: the system can drop it at any time. It is read when nobody
searches, and malloc, which has one arena as in a server, has given back what is free. (Eight arenas keep up to 14 MB of
free pieces between them, in steps of a megabyte for some hundred swaps and then no more: what is really left behind
hides there.)
"""

from __future__ import annotations

import ctypes
import json
import sys
import threading
from collections import Counter
from pathlib import Path

from pycontextify.encoder.onnx import open_directory
from pycontextify.index.live import LiveIndex
from pycontextify.index.model import Query
from pycontextify.index.view import View
from pycontextify.server.interpreter import use_one_arena
from pycontextify.store.layout import Layout
from tests.fakes.ballast import FOUND

__all__ = ["anonymous", "main"]

SEARCHERS, WARMING, SWAPS = 8, 100, 100


def main(root: Path, model: Path) -> None:
    """Warm up, measure, swap, measure."""
    use_one_arena()
    layout, encoder = Layout(root), open_directory(model)
    generation = layout.refs().refs["latest"].digest
    config = layout.config(generation)
    live: LiveIndex[View] = LiveIndex()
    counts: Counter[str] = Counter()
    turn = threading.Semaphore(0)

    def search(stop: threading.Event) -> None:
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
        stop = threading.Event()
        threads = [threading.Thread(target=search, args=(stop,)) for _ in range(SEARCHERS)]
        for thread in threads:
            thread.start()
        for _ in range(times):
            live.swap(View.open(generation, config, layout.blob_path, encoder))
            for _ in range(SEARCHERS):
                turn.acquire()
        stop.set()
        for thread in threads:
            thread.join()
        ctypes.CDLL(None).malloc_trim(0)
        return anonymous()

    live.swap(View.open(generation, config, layout.blob_path, encoder))
    before, after = swap(WARMING), swap(SWAPS)
    live.swap(None)
    print(json.dumps({"before": before, "after": after, **counts}))  # noqa: T201 - the answer


def anonymous() -> int:
    """Return this process's anonymous memory in KiB (RssAnon, proc_pid_status(5))."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssAnon:")))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
