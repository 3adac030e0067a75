"""Made-up results: one figure of each kind."""

from __future__ import annotations

from benchmarks.figure import Figure, Growth, Pair
from benchmarks.results import Results

__all__ = ["MADE_UP", "figure"]


def figure(*ratios: float, name: str = "made-up", **more: object) -> Figure:
    """Return a figure with these ratios, to a second of theirs."""
    made = Figure(name, "a thing", "another", "s", tuple(Pair(ratio, 1.0) for ratio in ratios))
    return Figure.from_json({**made.to_json(), **more})


MADE_UP = Results(
    "2026-11-22",
    "full",
    {"processor": "an abacus", "cores": "2", "memory": "24 GiB"},
    {"layout": 61.0, "memory": 60.0},
    (
        Figure("hydrate-layout", "hydrate it", "`curl`", "s", (Pair(1.5, 1.0), Pair(2.6, 2.0)), 1.10),
        Figure("index", "indexing throughput", "the encoder", "chunks/s", (Pair(45, 50),), 0.90, more=True),
        Figure("swap-lock", "the lock is held", "its median", "µs", (Pair(20, 2),), most=1000, unsteady="by nature"),
        Figure("refresh-written", "bytes written", "at first", "B", (Pair(4096, 12_345_678),), most=0),
        Figure("peer-upstream", "hydrate it", "upstream", "s", (Pair(1, 2),), facts={"recall@10, ours": 0.998}),
    ),
    (Growth("grow-search", "search", "ms", (10_000, 100_000, 1_000_000), (1.0, 2.0, 4.0)),),
)
