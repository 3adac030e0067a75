"""Qdrant Edge: ``qdrant build GIVEN SHARD SNAPSHOT``, and ``qdrant restore GIVEN URL DIRECTORY``.

A snapshot of a shard is fetched, unpacked and loaded as its documentation shows
(https://qdrant.tech/documentation/edge/edge-data-synchronization-patterns/), and searched. A server makes such
snapshots; where there is none, an archive of a shard that was closed is one.
"""

from __future__ import annotations

import sys
import tarfile
import time
from pathlib import Path
from statistics import median

import requests
from qdrant_edge import (
    Distance,
    EdgeConfig,
    EdgeShard,
    EdgeVectorParams,
    Point,
    Query,
    QueryRequest,
    UpdateOperation,
    VectorStorageDatatype,
)

from benchmarks.given import FOUND, Given
from benchmarks.parts.telling import tell

__all__ = ["build", "restore"]

_BATCH = 1000


def build(given: Path, shard: Path, snapshot: Path) -> None:
    """Make a shard with the vectors in fp16 and the texts, indexed, and a snapshot of it."""
    what = Given.read(given)
    half = VectorStorageDatatype.Float16
    vectors = EdgeVectorParams(size=what.vectors.shape[1], distance=Distance.Cosine, datatype=half)
    made = EdgeShard.create(str(shard), EdgeConfig(vectors=vectors, wal_enabled=False))
    for first in range(0, len(what.texts), _BATCH):
        rows = range(first, min(first + _BATCH, len(what.texts)))
        points = [Point(row, what.vectors[row].tolist(), {"text": what.texts[row]}) for row in rows]
        made.update(UpdateOperation.upsert_points(points))
    made.optimize()
    made.flush()
    made.close()
    with tarfile.open(snapshot, "w") as archive:
        for path in sorted(shard.iterdir()):
            archive.add(path, path.name)
    tell(size=snapshot.stat().st_size)


def restore(given: Path, url: str, directory: Path) -> None:
    """Fetch, unpack, load and search, and tell."""
    what = Given.read(given)
    queries = [query.tolist() for query in what.queries]
    began = time.perf_counter()
    with requests.get(url, stream=True, timeout=60) as reply, (directory / "snapshot").open("wb") as file:
        reply.raise_for_status()
        for piece in reply.iter_content(1 << 20):
            file.write(piece)
    EdgeShard.unpack_snapshot(str(directory / "snapshot"), str(directory / "shard"))
    shard = EdgeShard.load(str(directory / "shard"))
    _search(shard, queries[0])
    restored = time.perf_counter() - began
    asked = [_search(shard, query) for query in queries]
    tell(
        restored=restored,
        search=median(seconds for seconds, _ in asked),
        recall=what.recall([rows for _, rows in asked]),
    )


def _search(shard: EdgeShard, query: list[float]) -> tuple[float, list[int]]:
    began = time.perf_counter()
    found = shard.query(QueryRequest(query=Query.Nearest(query), limit=FOUND, with_payload=True))
    return time.perf_counter() - began, [point.id for point in found]


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build(*map(Path, sys.argv[2:]))
    else:
        restore(Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
