"""The reply of an OpenAI-compatible embeddings endpoint: a pure rule."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_reply"]


def read_reply(content: bytes, count: int) -> NDArray[np.float64]:
    """Read the vectors of ``count`` texts, in the texts' order; shape (count, dimension), all numbers finite.

    A reply without any ``index`` is taken to be in order, as some servers send it.
    Raises ValueError, with a sentence about what is wrong that quotes nothing of the reply.
    """
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    items = raw.get("data") if isinstance(raw, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError("it has no list of embeddings")
    if len(items) != count:
        raise ValueError(f"it has {len(items)} embeddings for {count} texts")
    order = [item.get("index", position) for position, item in enumerate(items)]
    # A type check by name: True and 1.0 would pass for 1.
    if not all(type(index) is int for index in order) or sorted(order) != list(range(count)):
        raise ValueError("its indexes do not name each text once")
    vectors = [item.get("embedding") for _, item in sorted(zip(order, items, strict=True), key=lambda pair: pair[0])]
    return _matrix(vectors)


def _matrix(vectors: list[Any]) -> NDArray[np.float64]:
    if not all(isinstance(vector, list) and vector for vector in vectors):
        raise ValueError("an embedding is not a list of numbers")
    if len({len(vector) for vector in vectors}) > 1:
        raise ValueError("its embeddings differ in dimension")
    if not all(type(number) in (int, float) for vector in vectors for number in vector):
        raise ValueError("an embedding is not a list of numbers")
    try:
        rows = np.array(vectors, dtype=np.float64)
    except OverflowError:
        raise ValueError("a vector holds numbers that are not finite") from None
    if not np.isfinite(rows).all():
        raise ValueError("a vector holds numbers that are not finite")
    return rows
