"""From token vectors to one unit vector per text: pure rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["group_runs", "pool", "unit_rows"]


def pool(hidden: NDArray[Any], mask: NDArray[np.int64], pooling: str) -> NDArray[np.float32]:
    """Reduce token vectors (texts, tokens, dimension) to (texts, dimension).

    ``mean`` averages over the tokens that ``mask`` (texts, tokens; 1 or 0) keeps, as sentence-transformers' Pooling
    module does; ``cls`` takes the first token.
    """
    if pooling == "cls":
        return np.asarray(hidden[:, 0], dtype=np.float32)
    # One matrix product a text: no (texts, tokens, dimension) copy, which is the largest array of all.
    weights = mask.astype(np.float32)[:, np.newaxis, :]
    total = np.matmul(weights, np.asarray(hidden, dtype=np.float32))[:, 0]
    return np.asarray(total / np.maximum(mask.sum(axis=1, keepdims=True), 1), dtype=np.float32)


def unit_rows(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Scale each row of (n, dimension) to length one; float32, C-contiguous.

    A row of zeros has no direction and stays as it is. Raises ValueError when a number is not finite.
    """
    wide = np.asarray(rows, dtype=np.float64)
    if not np.isfinite(wide).all():
        raise ValueError("a vector holds numbers that are not finite")
    # Largest component first, so that squaring can't overflow.
    peak = np.abs(wide).max(axis=1, keepdims=True, initial=0.0)
    scaled = wide / np.where(peak > 0, peak, 1.0)
    norms = np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.ascontiguousarray(scaled / np.where(norms > 0, norms, 1.0), dtype=np.float32)


def group_runs(lengths: Sequence[int], *, tokens: int, texts: int) -> list[slice]:
    """Cut texts of these token lengths into consecutive runs of the model.

    A run holds at most ``texts`` texts and, padded to its longest, at most ``tokens`` tokens; a text longer than that
    runs alone. The slices cover the texts in order.
    """
    runs: list[slice] = []
    start, longest = 0, 0
    for position, length in enumerate(lengths):
        longest = max(longest, length)
        size = position - start
        if size and (size == texts or longest * (size + 1) > tokens):
            runs.append(slice(start, position))
            start, longest = position, length
    if lengths:
        runs.append(slice(start, len(lengths)))
    return runs
