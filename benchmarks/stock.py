"""What peers are measured on, made from the index between; and all that a whole run asks for, made beforehand."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.given import Given
from benchmarks.ground import Ground, Published
from benchmarks.parts.opening import QUESTIONS
from benchmarks.progress import under_way
from benchmarks.questions import questions
from pycontextify.index.vectors import Vectors

__all__ = ["ARCHIVES", "given", "shard", "stock_up", "table", "upstream"]

ARCHIVES = "tar.zst", "tar.gz"
"""The kinds that the large index is published as."""


def stock_up(ground: Ground) -> None:
    """Make all that a whole run asks for before it measures anything: side by side, so that no processor waits.

    What fails is told, and once more by what asks for it.
    """
    _ = ground.middle  # alone, and first: the others are made with what is opened and embedded for it
    with ThreadPoolExecutor() as makers:
        making = [makers.submit(make, ground) for make in ([_large, _others] if ground.peers else [_large])]
    for each in making:
        if (error := each.exception()) is not None:
            traceback.print_exception(error)
    os.sync()


def _large(ground: Ground) -> None:
    ground.archives(ground.large, ARCHIVES)


def _others(ground: Ground) -> None:
    _ = ground.small
    table(ground)
    shard(ground)
    upstream(ground)
    ground.archive(ground.middle, "tar.gz")


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
        with under_way(f"a Qdrant Edge shard of {ground.middle.rows:,} chunks"), ground.empty("shard") as place:
            ground.peer("qdrant", "build", what, place, snapshot)
    return snapshot


def table(ground: Ground) -> Path:
    """Return a LanceDB database."""
    database = ground.home / f"lance-{ground.middle.rows}"
    if not database.exists():
        what = given(ground)
        with under_way(f"a LanceDB table of {ground.middle.rows:,} chunks"):
            ground.peer("lance", "build", what, database)
    return database


def upstream(ground: Ground) -> Path:
    """Return an archive as upstream's pipeline takes it: a FAISS index, and a pickle of what belongs to it."""
    index = ground.middle
    archive = ground.home / f"upstream-{index.rows}.tar.gz"
    if archive.exists():
        return archive
    with (
        under_way(f"upstream's archive of {index.rows:,} chunks"),
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
