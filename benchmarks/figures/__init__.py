"""Every measurement, in the order of the table. Each module measures what belongs together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from benchmarks.figure import Figure, Growth
from benchmarks.figures import growing, hydrating, indexing, peers, searching, serving, starting
from benchmarks.ground import Ground

__all__ = ["MEASURES", "PEERS", "Measure"]

Measure = Callable[[Ground], Iterator[Figure | Growth]]

PEERS: Mapping[str, Measure] = {
    "upstream": peers.pipeline,
    "stores": peers.stores,
}
"""Those that need the peers' environment."""

MEASURES: Mapping[str, Measure] = {
    "layout": hydrating.layout,
    "unsigned": hydrating.unsigned,
    "archives": hydrating.archives,
    "start": starting.first_answer,
    "start-search": starting.first_search,
    "lag": serving.lag,
    "latency": serving.latency,
    "swaps": serving.swaps,
    "refresh": serving.refresh,
    "memory": serving.memory,
    "search": searching.hybrid,
    "index": indexing.indexing,
    **PEERS,
    "growth": growing.growth,
}
"""All of them, by the names that ``python -m benchmarks`` takes."""
