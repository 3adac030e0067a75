"""A large index, made quickly: a few documents that can be found, and as many random vectors as it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from pycontextify.encoder.onnx import open_directory
from pycontextify.encoder.protocol import paths_of
from pycontextify.index.assemble import Entry
from pycontextify.index.model import Chunk, Document
from pycontextify.snapshot.config import Probe, SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.store.copies import add_copy
from pycontextify.store.layout import Layout
from tests.fakes.encoder import write_tiny_model
from tests.fakes.generation import CREATED, Doc, entry_of, store_generation, store_segment

__all__ = ["FOUND", "make_ballast"]

FOUND = ("guide/zebra.md", "the live zebra index is replaced while queries go on")
"""A document of every such index, and its text."""

_DIMENSION = 4096
_BYTES_A_ROW = 2 * _DIMENSION
_SEGMENTS = 2


def make_ballast(layout: Layout, model: Path, size: int) -> Digest:
    """Store a generation of about ``size`` bytes, all but next to nothing in two blobs of vectors.

    It brings a real encoder, whose files are written into ``model``. The same size gives the same generation.
    """
    write_tiny_model(model, words=FOUND[1].split(), dimension=_DIMENSION)
    encoder = open_directory(model)
    config = SnapshotConfig(name="index", version=1, created=CREATED, encoder=encoder.info, segments=())
    random = np.random.default_rng(size)
    rows = size // _BYTES_A_ROW // _SEGMENTS
    infos = []
    for number in range(_SEGMENTS):
        path, text = FOUND
        entries = [entry_of(Doc(path if number == 0 else f"{number}/{path}", (text,)), encoder)]
        infos.append(store_segment(layout, config, [*entries, _ballast(f"{number}.txt", rows, random)]))
    for name, digest in encoder.info.files.items():
        assert add_copy(layout, paths_of(encoder)[name]) == digest
    probes = tuple(Probe(FOUND[1], number, 0) for number in range(_SEGMENTS))
    return store_generation(layout, replace(config, segments=tuple(infos), probes=probes))


def _ballast(path: str, rows: int, random: np.random.Generator) -> Entry:
    """Return a document of which nothing can be found but by chance."""
    vectors = random.standard_normal((rows, _DIMENSION), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    document = Document(path, "tree", "text", digest_of(path.encode()).hex, rows, ())
    return Entry(document, [Chunk(f"{row}", row + 1, row + 1, "text", "") for row in range(rows)], vectors)
