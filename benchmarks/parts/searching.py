"""Hybrid search in a large index against FAISS going through all of it: ``searching LAYOUT``.

Both are given the same embeddings, so that neither waits for the encoder, and one thread each. They take turns at
rounds of queries, none of which was asked before: within a round, neither finds the processor's caches as the other has
left them. The first round is not counted. Recall is how many of the ten that going through everything finds are found
by meaning, as deep as hybrid search looks.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks.given import FOUND
from benchmarks.parts.remembering import Remembering
from benchmarks.parts.telling import tell
from benchmarks.questions import questions
from pycontextify.config import settings_of_call
from pycontextify.index.model import Query
from pycontextify.index.segment import Segment
from pycontextify.library.workspace import Workspace

__all__ = ["main"]

_ROUNDS, _QUERIES = 4, 25
_DEPTH = 50


def main(directory: str) -> None:
    """Search, and tell."""
    view = Workspace(settings_of_call({"index_dir": directory})).open_current()
    assert view is not None
    (segment,) = view.segments
    texts = questions((1 + _ROUNDS) * _QUERIES)
    encoder = Remembering(texts, view)
    remembering, whole = encoder.view_of(view), _everything(segment)
    rounds = [texts[first : first + _QUERIES] for first in range(0, len(texts), _QUERIES)]

    def ours(text: str) -> object:
        return remembering.search(Query(text))

    def theirs(text: str) -> object:
        return whole.search(encoder.vectors[text].reshape(1, -1), FOUND)

    taken = np.array([[_taken(ask, each) for ask in (ours, theirs)] for each in rounds])[1:]
    hybrid, brute = taken.transpose(1, 0, 2)
    tell(
        hybrid=np.median(hybrid, axis=1).tolist(),
        brute=np.median(brute, axis=1).tolist(),
        hybrid_p99=float(np.percentile(hybrid, 99)),
        recall=float(np.mean([_recall(text, segment, whole, encoder.vectors[text]) for text in texts[:_QUERIES]])),
    )


def _everything(segment: Segment) -> Any:
    """Return an index of the same vectors, fp16 as well, that goes through all of them."""
    kind, metric = faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    whole = faiss.IndexScalarQuantizer(segment.vectors.dimension, kind, metric)
    whole.is_trained = True
    for first in range(0, segment.info.rows, 50_000):
        whole.add(segment.vectors.reconstruct(first, min(50_000, segment.info.rows - first)))
    faiss.omp_set_num_threads(1)
    return whole


def _taken(ask: Callable[[str], object], texts: list[str]) -> list[float]:
    """Return how many seconds each question took."""
    taken = []
    for text in texts:
        began = time.perf_counter()
        ask(text)
        taken.append(time.perf_counter() - began)
    return taken


def _recall(text: str, segment: Segment, whole: Any, embedding: NDArray[np.float32]) -> float:
    _, nearest = whole.search(embedding.reshape(1, -1), FOUND)
    found = segment.dense(embedding, Query(text), _DEPTH)
    return len(set(nearest[0].tolist()) & set(found)) / FOUND


if __name__ == "__main__":
    main(*sys.argv[1:])
