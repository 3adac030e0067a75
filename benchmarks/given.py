"""What peers are given of an index, in plain files: its vectors and texts, and the embeddings of what is asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["FOUND", "Given"]

FOUND = 10
"""How many answers a search is asked for."""


@dataclass(frozen=True, slots=True)
class Given:
    """Row i of ``vectors``, float32 and of length 1, is text i. ``queries`` are of the same form."""

    vectors: NDArray[np.float32]
    queries: NDArray[np.float32]
    texts: list[str]

    def write(self, directory: Path) -> None:
        """Write the files into a directory, which is made."""
        directory.mkdir()
        self.vectors.tofile(directory / "vectors.f32")
        self.queries.tofile(directory / "queries.f32")
        (directory / "texts.json").write_text(json.dumps(self.texts), encoding="utf-8")

    @classmethod
    def read(cls, directory: Path) -> Given:
        """Read what `write` wrote."""
        texts = json.loads((directory / "texts.json").read_text(encoding="utf-8"))
        vectors = np.fromfile(directory / "vectors.f32", np.float32).reshape(len(texts), -1)
        queries = np.fromfile(directory / "queries.f32", np.float32).reshape(-1, vectors.shape[1])
        return cls(vectors, queries, texts)

    def recall(self, found: Sequence[Sequence[int]]) -> float:
        """Return which share of the ten rows nearest to each query is among those found for it."""
        nearest = np.argpartition(-(self.queries @ self.vectors.T), FOUND, axis=1)[:, :FOUND].tolist()
        shares = [len(set(one) & set(other)) / FOUND for one, other in zip(nearest, found, strict=True)]
        return sum(shares) / len(shares)
