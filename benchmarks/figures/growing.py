"""How an open index grows: three sizes."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.child import part
from benchmarks.figure import Growth
from benchmarks.ground import Ground

__all__ = ["growth"]


def growth(ground: Ground) -> Iterator[Growth]:
    """Searching, and opening what is then swapped; what hydrates and what starts tells how that grows."""
    sizes = ground.scale.sizes
    told = [part("parts.opening", ground.index(rows).built.root) for rows in sizes]
    hybrid = tuple(each["hybrid"] * 1e3 for each in told)
    yield Growth("grow-search", "hybrid search, median", "ms", sizes, hybrid)
    opened = tuple(each["opened"] * 1e3 for each in told)
    yield Growth("grow-swap", "open a generation and swap it in", "ms", sizes, opened)
