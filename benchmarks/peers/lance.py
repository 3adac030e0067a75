"""LanceDB: ``lance build GIVEN DATABASE``, and ``lance open GIVEN DATABASE``.

A table of vectors and texts with the index that its documentation begins with (IVF_PQ), and answers refined from ten
times as many, as it advises.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import IvfPq
from numpy.typing import NDArray

from benchmarks.given import FOUND, Given
from benchmarks.parts.telling import tell

__all__ = ["build", "open_and_search"]

_TABLE = "chunks"


def build(given: Path, database: Path) -> None:
    """Make the table and its index."""
    what = Given.read(given)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(what.vectors.reshape(-1)), what.vectors.shape[1])
    rows = pa.array(range(len(what.texts)))
    data = pa.table({"row": rows, "text": pa.array(what.texts), "vector": vectors})
    table = lancedb.connect(database).create_table(_TABLE, data)
    table.create_index("vector", config=IvfPq(distance_type="cosine"))
    tell(size=sum(path.stat().st_size for path in database.rglob("*") if path.is_file()))


def open_and_search(given: Path, database: Path) -> None:
    """Open it and search it, and tell."""
    what = Given.read(given)
    began = time.perf_counter()
    table = lancedb.connect(database).open_table(_TABLE)
    _search(table, what.queries[0])
    opened = time.perf_counter() - began
    asked = [_search(table, query) for query in what.queries]
    tell(
        opened=opened,
        search=median(seconds for seconds, _ in asked),
        recall=what.recall([rows for _, rows in asked]),
    )


def _search(table: Any, query: NDArray[np.float32]) -> tuple[float, list[int]]:
    began = time.perf_counter()
    search = table.search(query).distance_type("cosine").refine_factor(10).limit(FOUND)
    found = search.select(["row", "text", "_distance"]).to_list()
    return time.perf_counter() - began, [each["row"] for each in found]


if __name__ == "__main__":
    {"build": build, "open": open_and_search}[sys.argv[1]](*map(Path, sys.argv[2:]))
