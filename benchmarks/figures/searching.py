"""Searching, against going through everything."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.child import part
from benchmarks.figure import Figure, Pair
from benchmarks.ground import Ground

__all__ = ["hybrid"]


def hybrid(ground: Ground) -> Iterator[Figure]:
    """Hybrid search against going through every vector."""
    index = ground.large
    told = part("parts.searching", index.built.root)
    pairs = tuple(Pair(ours * 1e3, theirs * 1e3) for ours, theirs in zip(told["hybrid"], told["brute"], strict=True))
    facts = {"99th percentile, ms": told["hybrid_p99"] * 1e3}
    what = f"hybrid search among {index.rows:,} chunks, median"
    against = "FAISS going through all of them in fp16, one thread"
    yield Figure("search-hybrid", what, against, "ms", pairs, 0.10, facts=facts)
    recall = (Pair(told["recall"], 1.0),)
    yield Figure("search-recall", "recall@10 of its search by meaning", "the same", "", recall, 0.99, more=True)
