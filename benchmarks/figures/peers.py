"""Peers, side by side: other downloaders on the same bytes, other stores of the same vectors and texts."""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.child import part, run
from benchmarks.figure import Figure, Pair
from benchmarks.figures.hydrating import hydrated, size_of
from benchmarks.given import Given
from benchmarks.ground import Ground, Published
from benchmarks.parts.opening import QUESTIONS
from benchmarks.progress import under_way
from benchmarks.questions import questions
from pycontextify.index.vectors import Vectors

__all__ = ["downloaders", "lance", "qdrant", "upstream"]

_MS = 1e3


def downloaders(ground: Ground) -> Iterator[Figure]:
    """Hydrating against programs that fetch the same blobs."""
    index = ground.large
    aria2c, hub = [], []
    for _ in range(ground.scale.times):
        ours = hydrated(ground, "url", index.url, ground.key).seconds
        aria2c.append(Pair(ours, _aria2c(ground, index)))
        hub.append(Pair(ours, _hub(ground, index)))
    what = f"hydrate a layout of {size_of(index)}"
    against = "aria2c fetching the same in four streams and checking it, and fsync"
    yield Figure("peer-aria2c", what, against, "s", tuple(aria2c))
    yield Figure("peer-huggingface", what, "huggingface_hub's downloader, unchecked, and fsync", "s", tuple(hub))


def _aria2c(ground: Ground, index: Published) -> float:
    with ground.empty("fetched") as directory:
        lines = [f"{index.url}/{path}\n checksum=sha-256={Path(path).name}\n" for path in index.blobs]
        (directory / "wanted").write_text("".join(lines))
        fetch = "aria2c -q --no-conf -x4 -s4 -j4 --file-allocation=falloc -i wanted && sync --data *"
        return run(["bash", "-euo", "pipefail", "-c", fetch], cwd=directory).seconds


def _hub(ground: Ground, index: Published) -> float:
    urls = [f"{index.url}/{path}" for path in index.blobs]
    with ground.empty("fetched") as directory:
        return float(_peer(ground, "huggingface", directory, *urls)["seconds"])


def upstream(ground: Ground) -> Iterator[Figure]:
    """Hydrating an archive against what upstream documents, acted out on an archive of the same index."""
    index, given = ground.middle, _given(ground)
    ours = f"{ground.host.url}/{ground.archive(index, 'tar.gz').name}"
    archive = ground.home / f"upstream-{index.rows}.tar.gz"
    if not archive.exists():
        _write_upstream(index, Given.read(given).texts, archive)
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    pairs = []
    for _ in range(ground.scale.times):
        first = hydrated(ground, "archive", ours, ground.key).seconds
        with ground.empty("fetched") as directory:
            address = f"{ground.host.url}/{archive.name}"
            told = _peer(ground, "upstream", directory, address, sha256, given / "queries.f32")
        pairs.append(Pair(first, told["seconds"]))
    what = f"hydrate {index.rows:,} chunks from a tar.gz, to searchable and durable"
    against = "upstream's pipeline: requests, hashlib, tarfile, `faiss.read_index`, pickle; not durable"
    yield Figure("peer-upstream", what, against, "s", tuple(pairs))


def _write_upstream(index: Published, texts: list[str], archive: Path) -> None:
    metadata = pickle.dumps([{"text": text, "path": f"module_{row // 20}.py"} for row, text in enumerate(texts)])
    with tarfile.open(archive, "w:gz", compresslevel=6) as made:
        made.add(_vectors(index), "index.faiss")
        entry = tarfile.TarInfo("metadata.pkl")
        entry.size = len(metadata)
        made.addfile(entry, io.BytesIO(metadata))


def qdrant(ground: Ground) -> Iterator[Figure]:
    """Restoring and searching against Qdrant Edge."""
    index, given = ground.middle, _given(ground)
    snapshot = ground.home / f"qdrant-{index.rows}.snapshot"
    if not snapshot.exists():
        with under_way(f"a Qdrant Edge shard of {index.rows:,} chunks"), ground.empty("shard") as shard:
            _peer(ground, "qdrant", "build", given, shard, snapshot)
    restored, search, facts = [], [], dict[str, float]()
    for _ in range(ground.scale.times):
        ours = hydrated(ground, "url", index.url, ground.key).seconds
        with ground.empty("restored") as directory:
            theirs = _peer(ground, "qdrant", "restore", given, f"{ground.host.url}/{snapshot.name}", directory)
        restored.append(Pair(ours, theirs["restored"]))
        told = part("parts.opening", index.built.root)
        search.append(Pair(told["dense"] * _MS, theirs["search"] * _MS))
        facts = _recalls(given, told, theirs)
    what, against = (
        f"hydrate {index.rows:,} chunks, to searchable and durable",
        "Qdrant Edge restoring a snapshot of them",
    )
    yield Figure("peer-qdrant-restore", what, against, "s", tuple(restored))
    what = f"search by meaning among {index.rows:,} chunks, median"
    yield Figure("peer-qdrant-search", what, "Qdrant Edge (HNSW, fp16)", "ms", tuple(search), facts=facts)


def lance(ground: Ground) -> Iterator[Figure]:
    """Opening and searching against LanceDB."""
    index, given = ground.middle, _given(ground)
    database = ground.home / f"lance-{index.rows}"
    if not database.exists():
        with under_way(f"a LanceDB table of {index.rows:,} chunks"):
            _peer(ground, "lance", "build", given, database)
    opened, search, facts = [], [], dict[str, float]()
    for _ in range(ground.scale.times):
        ours, theirs = part("parts.opening", index.built.root), _peer(ground, "lance", "open", given, database)
        opened.append(Pair(ours["first"] * _MS, theirs["opened"] * _MS))
        search.append(Pair(ours["dense"] * _MS, theirs["search"] * _MS))
        facts = _recalls(given, ours, theirs)
    what = f"open an index of {index.rows:,} chunks and search it by meaning once"
    yield Figure("peer-lance-open", what, "LanceDB", "ms", tuple(opened))
    what = f"search by meaning among {index.rows:,} chunks, median"
    yield Figure("peer-lance-search", what, "LanceDB (IVF_PQ, refined)", "ms", tuple(search), facts=facts)


def _peer(ground: Ground, name: str, *arguments: object) -> Any:
    assert ground.peers is not None
    return part(f"peers.{name}", *arguments, python=ground.peers)


def _given(ground: Ground) -> Path:
    """Return the directory of what peers are given of the index between."""
    index = ground.middle
    path = ground.home / f"given-{index.rows}"
    if not path.exists():
        vectors = Vectors.open(_vectors(index))
        queries = np.stack([ground.encoder.embed_query(text) for text in questions(QUESTIONS)])
        texts = [ground.lines.chunk(row) for row in range(index.rows)]
        Given(vectors.reconstruct(0, index.rows), queries, texts).write(path)
        vectors.close()
    return path


def _vectors(index: Published) -> Path:
    (segment,) = index.built.config(index.generation).segments
    return index.built.blob_path(segment.vectors)


def _recalls(given: Path, ours: Any, theirs: Any) -> dict[str, float]:
    return {"recall@10, ours": Given.read(given).recall(ours["found"]), "recall@10, theirs": theirs["recall"]}
