"""Indexing against the encoder alone, and indexing again."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from pathlib import Path

from benchmarks.child import part
from benchmarks.figure import Figure, Pair
from benchmarks.ground import Ground

__all__ = ["indexing"]

_TREE = "concurrent"
"""A package of the standard library."""


def indexing(ground: Ground) -> Iterator[Figure]:
    """A first run over a tree, the encoder on the same batches, and a second run."""
    tree, throughput, again = Path(sysconfig.get_path("stdlib"), _TREE), [], []
    facts = dict[str, float]()
    for _ in range(ground.scale.times):
        with ground.empty("indexed") as directory:
            told = part("parts.indexing", tree, directory)
        facts = {"chunks": told["chunks"]}
        throughput.append(Pair(told["chunks"] / told["first"], told["chunks"] / told["alone"]))
        again.append(Pair(told["again"], told["first"]))
    against = "the encoder alone on the same batches"
    yield Figure("index", "indexing throughput", against, "chunks/s", tuple(throughput), 0.90, more=True, facts=facts)
    yield Figure(
        "index-again", "indexing again, nothing changed", "the first time", "s", tuple(again), 0.01, facts=facts
    )
