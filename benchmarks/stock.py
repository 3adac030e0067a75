"""What peers are measured on, made from the index between when the first figure asks for it."""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path

import numpy as np

from benchmarks.given import Given
from benchmarks.ground import Ground, Published, making
from benchmarks.parts.opening import QUESTIONS
from benchmarks.questions import questions
from pycontextify.index.vectors import Vectors

__all__ = ["given", "shard", "table", "upstream"]


def given(ground: Ground) -> Path:
    """Return the directory of what peers are given of the index."""
    index = ground.middle
    path = ground.home / f"given-{index.rows}"
    if not path.exists():
        vectors = Vectors.open(_vectors(index))
        queries = np.stack([ground.encoder.embed_query(text) for text in questions(QUESTIONS)])
        texts = [ground.lines.chunk(row) for row in range(index.rows)]
        Given(vectors.reconstruct(0, index.rows), queries, texts).write(path)
        vectors.close()
    return path


def shard(ground: Ground) -> Path:
    """Return a snapshot of a Qdrant Edge shard."""
    snapshot = ground.home / f"qdrant-{ground.middle.rows}.snapshot"
    if not snapshot.exists():
        what = given(ground)
        with making(f"a Qdrant Edge shard of {ground.middle.rows:,} chunks"), ground.empty("shard") as place:
            ground.peer("qdrant", "build", what, place, snapshot)
    return snapshot


def table(ground: Ground) -> Path:
    """Return a LanceDB database."""
    database = ground.home / f"lance-{ground.middle.rows}"
    if not database.exists():
        what = given(ground)
        with making(f"a LanceDB table of {ground.middle.rows:,} chunks"):
            ground.peer("lance", "build", what, database)
    return database


def upstream(ground: Ground) -> Path:
    """Return an archive as upstream's pipeline takes it: a FAISS index, and a pickle of what belongs to it."""
    index = ground.middle
    archive = ground.home / f"upstream-{index.rows}.tar.gz"
    if archive.exists():
        return archive
    with (
        making(f"upstream's archive of {index.rows:,} chunks"),
        tarfile.open(archive, "w:gz", compresslevel=6) as made,
    ):
        made.add(_vectors(index), "index.faiss")
        texts = enumerate(Given.read(given(ground)).texts)
        metadata = pickle.dumps([{"text": text, "path": f"module_{row // 20}.py"} for row, text in texts])
        entry = tarfile.TarInfo("metadata.pkl")
        entry.size = len(metadata)
        made.addfile(entry, io.BytesIO(metadata))
    return archive


def _vectors(index: Published) -> Path:
    (segment,) = index.built.config(index.generation).segments
    return index.built.blob_path(segment.vectors)
