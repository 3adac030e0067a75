"""Indexes of any size that look like real ones: real text, and vectors that lie as an encoder's do.

Chunks are runs of lines of Python's own standard library. A thousand or fewer of them are embedded; every further
vector lies between one of those and a near neighbour of it, with noise: as many clusters as the encoder makes, and as
hard to tell apart. (Random directions would be no test: nothing is near to anything then, and an inverted file that
looks into few lists finds nothing.)
"""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pycontextify.encoder.onnx import OnnxEncoder
from pycontextify.encoder.protocol import paths_of
from pycontextify.index.assemble import Entry, stage_segment
from pycontextify.index.model import Chunk, Document, Hit
from pycontextify.snapshot.config import Probe, SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.manifest import build_manifest
from pycontextify.snapshot.pair import segment_meta
from pycontextify.store.copies import add_copy
from pycontextify.store.layout import Layout

__all__ = ["Lines", "Sample", "make_index", "row_of"]

CREATED = "2026-11-22T10:00:00Z"
LINES_A_CHUNK = 8
CHUNKS_A_DOCUMENT = 20
NEIGHBOURS = 12
NOISE = 1.5
"""How far off the line between two neighbours a vector lies, in multiples of their distance.

With so much, an inverted file that looks into some of its lists finds as many of the ten nearest as among as many
vectors that the encoder really made (docs/adr/0021). With less it finds nearly all, and shows nothing.
"""


class Lines:
    """The lines of the standard library's modules, in the order of their names."""

    def __init__(self) -> None:
        root = Path(sysconfig.get_path("stdlib"))
        found = (path for path in sorted(root.rglob("*.py")) if "site-packages" not in path.parts)
        texts = (path.read_text(encoding="utf-8", errors="replace") for path in found)
        self._lines = [line for text in texts for line in text.splitlines() if line.strip()]

    def chunk(self, number: int) -> str:
        """Return the text of a chunk; the numbers have no end, and begin anew one line further on."""
        most = len(self._lines) - 2 * LINES_A_CHUNK
        turn, step = divmod(number * LINES_A_CHUNK, most)
        first = (step + turn) % most
        return "\n".join(self._lines[first : first + LINES_A_CHUNK])

    def spread(self, number: int, count: int) -> str:
        """Return one of ``count`` chunks that lie evenly all over the library."""
        return self.chunk(number * (len(self._lines) // LINES_A_CHUNK // count))


@dataclass(frozen=True, slots=True)
class Sample:
    """Chunks that were really embedded: their vectors, float32 (count, dimension), and each one's neighbours."""

    vectors: NDArray[np.float32]
    neighbours: NDArray[np.int64]

    @classmethod
    def of(cls, vectors: NDArray[np.float32]) -> Sample:
        """Find the neighbours of each of some unit vectors."""
        near = vectors @ vectors.T
        np.fill_diagonal(near, -1.0)
        return cls(vectors, np.argpartition(-near, NEIGHBOURS, axis=1)[:, :NEIGHBOURS])

    def grow(self, rows: int, random: np.random.Generator) -> NDArray[np.float32]:
        """Return that many unit vectors that lie as these do."""
        grown = np.empty((rows, self.vectors.shape[1]), np.float32)
        parts = [grown[first : first + 50_000] for first in range(0, rows, 50_000)]
        with ThreadPoolExecutor() as growers:
            list(growers.map(self._grow, parts, random.spawn(len(parts))))
        return grown

    def _grow(self, part: NDArray[np.float32], random: np.random.Generator) -> None:
        one = random.integers(len(self.vectors), size=len(part))
        other = self.neighbours[one, random.integers(NEIGHBOURS, size=len(part))]
        way = self.vectors[other] - self.vectors[one]
        part[:] = self.vectors[one] + random.random((len(part), 1), np.float32) * way
        noise = random.standard_normal(part.shape, np.float32)
        lengths = np.linalg.norm(way, axis=1, keepdims=True) / np.sqrt(part.shape[1], dtype=np.float32)
        part += NOISE * lengths * noise
        part /= np.linalg.norm(part, axis=1, keepdims=True)


def make_index(
    layout: Layout, rows: int, staging: Path, *, lines: Lines, sample: Sample, encoder: OnnxEncoder
) -> Digest:
    """Store an index of so many chunks in a layout that was created, and make it the current one.

    The same arguments give the same index.
    """
    config = SnapshotConfig(name="index", version=1, created=CREATED, encoder=encoder.info, segments=())
    entries = list(_entries(rows, lines, sample))
    meta = segment_meta(config, rows=rows, documents=len(entries), chunker=1)
    staged = stage_segment(staging, entries, meta, encoder.info.dimension)
    for digest, path in staged.files.items():
        layout.add_file(path, digest)
    for name in encoder.info.files:
        add_copy(layout, paths_of(encoder)[name])
    probe = Probe(lines.chunk(0), 0, 0)
    return _store(layout, replace(config, segments=(staged.info,), probes=(probe,)))


def row_of(hit: Hit) -> int:
    """Return the row of a chunk of such an index that was found."""
    number = int(hit.path.removeprefix("module_").removesuffix(".py"))
    return number * CHUNKS_A_DOCUMENT + (hit.start_line - 1) // LINES_A_CHUNK


def _entries(rows: int, lines: Lines, sample: Sample) -> Iterator[Entry]:
    vectors = sample.grow(rows, np.random.default_rng(rows))
    vectors[: len(sample.vectors)] = sample.vectors[:rows]
    for number, first in enumerate(range(0, rows, CHUNKS_A_DOCUMENT)):
        last = min(rows, first + CHUNKS_A_DOCUMENT)
        document = Document(f"module_{number}.py", "tree", "python", digest_of(b"%d" % number).hex, 1, ())
        chunks = [_chunk(lines.chunk(row), row - first) for row in range(first, last)]
        yield Entry(document, chunks, vectors[first:last])


def _chunk(text: str, number: int) -> Chunk:
    start = number * LINES_A_CHUNK + 1
    return Chunk(text, start, start + LINES_A_CHUNK - 1, "text", "")


def _store(layout: Layout, config: SnapshotConfig) -> Digest:
    manifest, content = build_manifest(config, {digest: layout.size_of(digest) for digest in config.blobs})
    layout.add_bytes(content)
    generation = layout.add_bytes(manifest)
    layout.activate(generation)
    return generation
