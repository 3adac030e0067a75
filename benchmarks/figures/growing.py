"""How things grow with the index: three sizes, measured in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median

from benchmarks.child import part
from benchmarks.figure import Growth
from benchmarks.figures.hydrating import hydrated
from benchmarks.figures.starting import searched
from benchmarks.ground import Ground, Published

__all__ = ["growth"]


def growth(ground: Ground) -> Iterator[Growth]:
    """Hydrating, starting, searching, and opening what is then swapped."""
    indexes = [ground.index(rows) for rows in ground.scale.sizes]
    hydrating = _in_turn(ground, indexes, lambda index: hydrated(ground, "url", index.url, ground.key).seconds)
    yield Growth("grow-hydrate", "hydrate a signed layout", "s", ground.scale.sizes, hydrating)
    starting = _in_turn(ground, indexes, searched)
    yield Growth("grow-start-search", "start to the first search answer", "s", ground.scale.sizes, starting)
    told = [part("parts.opening", index.built.root) for index in indexes]
    hybrid = tuple(each["hybrid"] * 1e3 for each in told)
    yield Growth("grow-search", "hybrid search, median", "ms", ground.scale.sizes, hybrid)
    opened = tuple(each["opened"] * 1e3 for each in told)
    yield Growth("grow-swap", "open a generation and swap it in", "ms", ground.scale.sizes, opened)


def _in_turn(ground: Ground, indexes: list[Published], measure: Callable[[Published], float]) -> tuple[float, ...]:
    """Measure every index, again and again; return the median of each."""
    turns = [[measure(index) for index in indexes] for _ in range(ground.scale.times)]
    return tuple(median(values) for values in zip(*turns, strict=True))
