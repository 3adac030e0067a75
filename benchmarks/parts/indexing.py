"""Index a tree, then the encoder alone on the same batches, then the tree once more: ``indexing TREE DIRECTORY``.

A tree of one file is indexed before, so that what is imported and opened for the first time is no part of it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.parts.telling import tell
from pycontextify.encoder.default import find_default
from pycontextify.encoder.onnx import OnnxEncoder, open_model
from pycontextify.ingest.report import IndexRequest
from pycontextify.ingest.update import update_index
from pycontextify.snapshot.config import EncoderInfo
from pycontextify.store.layout import Layout

__all__ = ["main"]


class _Listening:
    """An encoder that remembers what it was asked."""

    def __init__(self, encoder: OnnxEncoder) -> None:
        self.batches = list[list[str]]()
        self._encoder = encoder

    @property
    def info(self) -> EncoderInfo:
        """Which model this is."""
        return self._encoder.info

    @property
    def paths(self) -> object:
        """Where its files are."""
        return self._encoder.paths

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed passages."""
        self.batches.append(list(texts))
        return self._encoder.embed_passages(texts)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Embed a query."""
        return self._encoder.embed_query(text)


def main(tree: str, directory: str) -> None:
    """Index, encode, index again, and tell."""
    encoder, home = _Listening(open_model(find_default())), Path(directory)
    warming = home / "one"
    warming.mkdir()
    (warming / "one.py").write_text("def one():\n    return 1\n", encoding="utf-8")
    _index(warming, home / "warming", encoder)
    encoder.batches.clear()
    first = _index(Path(tree), home / "index", encoder)
    batches = list(encoder.batches)
    began = time.perf_counter()
    for batch in batches:
        encoder.embed_passages(batch)
    alone = time.perf_counter() - began
    again = _index(Path(tree), home / "index", encoder)
    tell(first=first, alone=alone, again=again, chunks=sum(map(len, batches)))


def _index(tree: Path, index: Path, encoder: _Listening) -> float:
    """Index a tree; return how many seconds it took."""
    request = IndexRequest(tree, tree="tree")
    began = time.perf_counter()
    update_index(Layout(index), request, encoder, on_progress=lambda _: None, now=lambda: datetime.now(UTC))
    return time.perf_counter() - began


if __name__ == "__main__":
    main(*sys.argv[1:])
