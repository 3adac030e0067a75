"""Peers, side by side: other stores of the same vectors and texts, and the pipeline that upstream documents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.child import part
from benchmarks.figure import Figure, Pair
from benchmarks.figures.fetching import hydrated
from benchmarks.figures.turns import in_turn, pairs
from benchmarks.given import Given
from benchmarks.ground import Ground
from benchmarks.stock import given, shard, table, upstream

__all__ = ["pipeline", "stores"]


def pipeline(ground: Ground) -> Iterator[Figure]:
    """Hydrating an archive against what upstream documents, acted out on an archive of the same index."""
    index, theirs = ground.middle, upstream(ground)
    url = f"{ground.host.url}/{ground.archive(index, 'tar.gz').name}"
    with theirs.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    queries = given(ground) / "queries.f32"

    def acted_out() -> float:
        with ground.empty("fetched") as directory:
            told = ground.peer("upstream", directory, f"{ground.host.url}/{theirs.name}", sha256, queries)
        return float(told["seconds"])

    turns = in_turn(
        ground.scale.times,
        {"ours": lambda: hydrated(ground, "archive", url, ground.key).seconds, "upstream": acted_out},
    )
    what = f"hydrate {index.rows:,} chunks from a tar.gz, to searchable and durable"
    against = "upstream's pipeline: requests, hashlib, tarfile, `faiss.read_index`, pickle; not durable"
    yield Figure("peer-upstream", what, against, "s", pairs(turns["ours"], turns["upstream"]))


def stores(ground: Ground) -> Iterator[Figure]:
    """Restoring and searching against Qdrant Edge, opening and searching against LanceDB."""
    index, what, database = ground.middle, given(ground), table(ground)
    snapshot = f"{ground.host.url}/{shard(ground).name}"

    def restored() -> Any:
        with ground.empty("restored") as directory:
            return ground.peer("qdrant", "restore", what, snapshot, directory)

    turns: dict[str, list[Any]] = in_turn(
        ground.scale.times,
        {
            "hydrated": lambda: hydrated(ground, "url", index.url, ground.key),
            "qdrant": restored,
            "opened": lambda: part("parts.opening", index.built.root),
            "lance": lambda: ground.peer("lance", "open", what, database),
        },
    )
    chunks = f"{index.rows:,} chunks"
    restoring = pairs((used.seconds for used in turns["hydrated"]), (told["restored"] for told in turns["qdrant"]))
    against = "Qdrant Edge restoring a snapshot of them"
    yield Figure("peer-qdrant-restore", f"hydrate {chunks}, to searchable and durable", against, "s", restoring)
    recall = Given.read(what).recall(turns["opened"][-1]["found"])
    yield _searching("qdrant", "Qdrant Edge (HNSW, fp16)", chunks, turns, recall)
    opening = _milliseconds(turns, "first", "lance", "opened")
    yield Figure(
        "peer-lance-open", f"open an index of {chunks} and search it by meaning once", "LanceDB", "ms", opening
    )
    yield _searching("lance", "LanceDB (IVF_PQ, refined)", chunks, turns, recall)


def _searching(peer: str, against: str, chunks: str, turns: Mapping[str, Sequence[Any]], recall: float) -> Figure:
    facts = {"recall@10, ours": recall, "recall@10, theirs": turns[peer][-1]["recall"]}
    what, both = f"search by meaning among {chunks}, median", _milliseconds(turns, "dense", peer, "search")
    return Figure(f"peer-{peer}-search", what, against, "ms", both, facts=facts)


def _milliseconds(turns: Mapping[str, Sequence[Any]], ours: str, peer: str, theirs: str) -> tuple[Pair, ...]:
    """Pair what an opened index of ours told with what a peer told."""
    return pairs((told[ours] * 1e3 for told in turns["opened"]), (told[theirs] * 1e3 for told in turns[peer]))
