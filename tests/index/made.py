"""Inputs that several tests of the index make: vectors, documents, and damaged files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from pycontextify.index.chunks_file import write_chunks
from pycontextify.index.model import Chunk, Document
from pycontextify.index.vectors import IVF_ROWS, write_vectors
from pycontextify.snapshot.digest import digest_of

__all__ = [
    "DAMAGES",
    "MANY",
    "META",
    "Entries",
    "chunks_file",
    "document",
    "few_entries",
    "inverted_file",
    "many_entries",
    "passages",
    "unit_vectors",
    "vectors_file",
]

Entries = Sequence[tuple[Document, Sequence[Chunk]]]

META = {"schema": 1, "name": "index", "nested": {"b": [1, None], "a": "é"}}
"""What the chunks files say about themselves."""


def unit_vectors(rows: int, dimension: int, *, seed: int = 0) -> NDArray[np.float32]:
    """Return random unit vectors, float32 (rows, dimension)."""
    vectors = np.random.default_rng(seed).standard_normal((rows, dimension)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


MANY = unit_vectors(IVF_ROWS + 1, 8)
"""One vector more than a flat index takes."""


def vectors_file(directory: Path, vectors: NDArray[np.float32]) -> Path:
    """Write a vectors file into a directory; return its path."""
    path = directory / "vectors"
    write_vectors(vectors, path)
    return path


def inverted_file(rows: int, dimension: int, lists: int, *, seed: int = 0) -> bytes:
    """Return an inverted file of the form that large segments have, of as few rows as wanted."""
    index: Any = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension), dimension, lists, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    index.by_residual = False
    vectors = unit_vectors(max(rows, lists), dimension, seed=seed)
    index.cp.min_points_per_centroid = 1
    index.train(vectors)
    index.add(vectors[:rows])
    return bytes(faiss.serialize_index(index))


def document(
    path: str = "a.md", *, tree: str = "tree", language: str = "markdown", tags: tuple[str, ...] = ()
) -> Document:
    """Return a document of that path."""
    return Document(path, tree, language, digest_of(path.encode()).hex, len(path), tags)


def passages(*texts: str, symbol: str = "") -> list[Chunk]:
    """Return chunks of these texts, three lines each."""
    return [Chunk(text, 3 * number + 1, 3 * number + 3, "section", symbol) for number, text in enumerate(texts)]


def few_entries() -> Entries:
    """Return six chunks of three documents in two trees."""
    server = document("src/httpServer.py", language="python", tags=("net",))
    return [
        (document("guide/retry.md", tags=("docs", "net")), passages("retries are counted", "a pause that doubles")),
        (server, passages("def serve(): ...", symbol="HttpServer")),
        (document("src/x.py", tree="other", language="python"), passages("nothing to see", "retries", "the end")),
    ]


def many_entries() -> Entries:
    """Return 320 chunks of 80 documents: enough to learn a dictionary from."""
    return [
        (
            document(f"m{n}.md"),
            passages(*(f"## Chapter {n}.{k}\n\nThe quick brown fox number {n * k}." for k in range(4))),
        )
        for n in range(80)
    ]


def chunks_file(path: Path, entries: Entries | None = None) -> Path:
    """Write a chunks file, of `few_entries` unless others are given; return its path."""
    write_chunks(path, lambda: META, few_entries() if entries is None else entries)
    return path


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "garbage": lambda _: b"\x93 this is no such file" * 50,
    "zeros": lambda content: bytes(len(content)),
    "head": lambda content: content[:50],
    "half": lambda content: content[: len(content) // 2],
    "last byte gone": lambda content: content[:-1],
    "first byte gone": lambda content: content[1:],
    "page": lambda _: b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
}
"""Ways in which a file comes to be no such file any more."""
