"""Queries through swaps: eight threads search real generations on the disk while they are replaced a hundred times."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from pycontextify.index.live import LiveIndex
from pycontextify.index.model import Answer, Query
from pycontextify.index.view import View
from pycontextify.snapshot.digest import Digest
from pycontextify.store.layout import Layout
from tests.fakes.encoder import TinyEncoder
from tests.fakes.generation import Doc, make_generation

SEARCHERS, SWAPS, GENERATIONS = 8, 100, 5


@dataclass
class Watched:
    """A real view that notices when it is searched after it was closed, or closed while it is searched."""

    view: View
    lock: threading.Lock = field(default_factory=threading.Lock)
    searching: int = 0
    closed: int = 0
    faults: list[str] = field(default_factory=list)

    def search(self, query: Query) -> Answer:
        """Search the real view."""
        self._count(1)
        try:
            return self.view.search(query)
        finally:
            self._count(-1)

    def close(self) -> None:
        """Close the real view."""
        with self.lock:
            self.closed += 1
            if self.searching or self.closed > 1:
                self.faults.append(f"closed {self.closed} times, under {self.searching} searches")
        self.view.close()

    def _count(self, step: int) -> None:
        with self.lock:
            self.searching += step
            if self.closed:
                self.faults.append("searched when closed")


def _generation(layout: Layout, number: int) -> Digest:
    """Make a generation whose every chunk and path tells its number; each has its own count of segments."""
    docs = [Doc(f"g{number}/{n}.txt", (f"common words item{n} generation{number}",)) for n in range(24)]
    parts = number % 3 + 1
    return make_generation(layout, *(docs[part::parts] for part in range(parts)), version=number + 1)


@dataclass
class Searcher:
    """Searches until told to stop; ``turns`` counts its searches for the thread that swaps."""

    live: LiveIndex[Watched]
    turns: threading.Semaphore
    stop: threading.Event
    seed: int
    faults: list[str] = field(default_factory=list)
    seen: set[Digest] = field(default_factory=set)

    def run(self) -> None:
        """Search in every mode, with filters and without; note what went wrong."""
        queries = [
            Query("common item3 words"),
            Query("common item5", mode="dense"),
            Query("common words", mode="keyword"),
            Query("item7", path="g*/1*.txt", mode="dense"),
        ]
        turn = self.seed
        while not self.stop.is_set():
            try:
                self._search(queries[turn % len(queries)])
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is a failed query
                self.faults.append(repr(error))
            turn += 1
            self.turns.release()

    def _search(self, query: Query) -> None:
        with self.live.lease() as watched:
            assert watched is not None
            answer = watched.search(query)
            number = watched.view.config.version - 1
            self.seen.add(watched.view.generation)
        told = {hit.path.partition("/")[0] for hit in answer.hits}
        told |= {f"g{hit.snippet.rpartition('generation')[2]}" for hit in answer.hits}
        if told != {f"g{number}"} or len(answer.hits) != 10 or answer.degraded:
            self.faults.append(f"{query}: {told} of generation {number}, {len(answer.hits)} hits, {answer.degraded}")


def test_queries_go_on_through_swaps(layout: Layout) -> None:
    """No query fails, every answer is of one generation alone, and all that was retired is closed, once, in the end."""
    before = len(apsw.connections())
    generations = [_generation(layout, number) for number in range(GENERATIONS)]
    configs = {generation: layout.config(generation) for generation in generations}
    encoder = TinyEncoder()
    live: LiveIndex[Watched] = LiveIndex()
    opened: list[Watched] = []

    def swap_in(generation: Digest) -> None:
        opened.append(Watched(View.open(generation, configs[generation], layout.blob_path, encoder)))
        live.swap(opened[-1])

    turns, stop = threading.Semaphore(0), threading.Event()
    searchers = [Searcher(live, turns, stop, seed) for seed in range(SEARCHERS)]
    threads = [threading.Thread(target=searcher.run) for searcher in searchers]
    swap_in(generations[-1])
    for thread in threads:
        thread.start()
    try:
        for number in range(SWAPS):
            for _ in range(SEARCHERS):  # so many searches end between one swap and the next
                assert turns.acquire(timeout=60)
            swap_in(generations[number % GENERATIONS])
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert [fault for searcher in searchers for fault in searcher.faults] == []
    assert [fault for watched in opened for fault in watched.faults] == []
    assert set().union(*(searcher.seen for searcher in searchers)) == set(generations)
    assert [watched.closed for watched in opened] == [1] * SWAPS + [0]
    live.swap(None)
    assert opened[-1].closed == 1
    assert len(apsw.connections()) == before
    maps = Path("/proc/self/maps")
    assert not maps.exists() or str(layout.root) not in maps.read_text(encoding="utf-8")
