"""Vectors: what is written is found again, exactly where that is promised, and foreign files are refused."""

from __future__ import annotations

import threading
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pycontextify.errors import StoreError
from pycontextify.index.vectors import IVF_ROWS, Vectors, write_vectors
from tests.index.made import MANY, unit_vectors, vectors_file

FP16 = 2**-11
"""The relative precision of half floats."""


def _truth(
    vectors: NDArray[np.float32], query: NDArray[np.float32], limit: int, mask: NDArray[np.bool_] | None = None
) -> list[int]:
    """Return the rows nearest to a query by plain arithmetic, best first."""
    scores = vectors @ query
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    count = len(vectors) if mask is None else int(mask.sum())
    return [int(row) for row in np.argsort(-scores, kind="stable")[: min(limit, count)]]


@settings(max_examples=30)
@given(rows=st.integers(1, 60), dimension=st.integers(1, 40), seed=st.integers(0, 99), limit=st.integers(1, 80))
def test_a_flat_index_is_exact(
    tmp_path_factory: pytest.TempPathFactory, rows: int, dimension: int, seed: int, limit: int
) -> None:
    """Scores are the cosines to half-float precision, best first; every row is found when enough are asked for."""
    vectors = unit_vectors(rows, dimension, seed=seed)
    opened = Vectors.open(vectors_file(tmp_path_factory.mktemp("flat"), vectors))
    assert (opened.rows, opened.dimension) == (rows, dimension)
    np.testing.assert_allclose(opened.reconstruct(0, rows), vectors, rtol=FP16, atol=2**-24)
    query = unit_vectors(1, dimension, seed=seed + 1)[0]
    scores, found = opened.search(query, limit)
    assert len(found) == min(limit, rows) == len(set(found.tolist()))
    assert scores.tolist() == sorted(scores.tolist(), reverse=True)
    np.testing.assert_allclose(scores, vectors[found] @ query, atol=2 * FP16)
    best = np.sort(vectors @ query)[::-1][: len(found)]
    np.testing.assert_allclose(scores, best, atol=2 * FP16)
    opened.close()


def test_types_are_as_promised(tmp_path: Path) -> None:
    """Scores float32, rows int64, vectors float32."""
    opened = Vectors.open(vectors_file(tmp_path, unit_vectors(5, 4)))
    scores, rows = opened.search(unit_vectors(1, 4)[0], 3)
    assert scores.dtype == np.float32
    assert rows.dtype == np.int64
    assert opened.reconstruct(1, 2).dtype == np.float32
    assert opened.reconstruct(1, 2).shape == (2, 4)
    opened.close()


@pytest.mark.parametrize("threads", [2, 5])
def test_the_same_vectors_give_the_same_bytes(tmp_path: Path, many: Path, threads: int) -> None:
    """Flat or inverted, with one OpenMP thread (another is left alone) or several: a segment's digest hangs on it."""
    vectors = unit_vectors(100, 16)
    write_vectors(vectors, tmp_path / "one")
    write_vectors(vectors.copy(), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()

    left: list[int] = []

    def again() -> None:
        faiss.omp_set_num_threads(threads)
        write_vectors(MANY, tmp_path / "many")
        left.append(faiss.omp_get_max_threads())

    thread = threading.Thread(target=again)
    thread.start()
    thread.join()
    assert left == [threads]
    assert (tmp_path / "many").read_bytes() == many.read_bytes()


def test_half_floats_survive_being_read_and_written_again(tmp_path: Path) -> None:
    """Merging segments reconstructs and writes again: nothing is lost, however often."""
    opened = Vectors.open(vectors_file(tmp_path, unit_vectors(50, 16)))
    write_vectors(opened.reconstruct(0, 50), tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "vectors").read_bytes()
    opened.close()


def test_an_empty_index_finds_nothing(tmp_path: Path) -> None:
    """No rows, but a dimension."""
    opened = Vectors.open(vectors_file(tmp_path, np.empty((0, 16), np.float32)))
    assert (opened.rows, opened.dimension) == (0, 16)
    scores, rows = opened.search(unit_vectors(1, 16)[0], 10)
    assert (len(scores), len(rows)) == (0, 0)
    assert opened.reconstruct(0, 0).shape == (0, 16)
    opened.close()


masks = st.lists(st.booleans(), min_size=20, max_size=20).map(np.array)


@settings(max_examples=30)
@given(allowed=st.none() | masks, deleted=st.none() | masks, limit=st.integers(0, 30))
def test_masks_are_obeyed(
    tmp_path_factory: pytest.TempPathFactory,
    allowed: NDArray[np.bool_] | None,
    deleted: NDArray[np.bool_] | None,
    limit: int,
) -> None:
    """Exactly the rows that are allowed and not deleted, the best of them first."""
    vectors = unit_vectors(20, 16)
    opened = Vectors.open(vectors_file(tmp_path_factory.mktemp("masks"), vectors))
    query = unit_vectors(1, 16, seed=7)[0]
    mask = (np.ones(20, bool) if allowed is None else allowed) & ~(np.zeros(20, bool) if deleted is None else deleted)
    _, rows = opened.search(query, limit, allowed=allowed, deleted=deleted)
    assert rows.tolist() == _truth(vectors, query, limit, mask)
    opened.close()


def test_above_its_threshold_an_index_is_an_inverted_file(many: Path, tmp_path: Path) -> None:
    """One row more than the threshold makes the difference."""
    assert type(faiss.read_index(str(many))) is faiss.IndexIVFScalarQuantizer
    path = vectors_file(tmp_path, MANY[:-1])
    assert type(faiss.read_index(str(path))) is faiss.IndexScalarQuantizer


def test_an_inverted_file_finds_the_nearest(many: Path) -> None:
    """Every vector finds itself, and nearly all of the ten nearest are found without looking everywhere."""
    opened = Vectors.open(many)
    assert opened.rows == IVF_ROWS + 1
    shared = 0
    for row in range(0, IVF_ROWS, 1000):
        _, found = opened.search(MANY[row], 10)
        assert found[0] == row
        shared += len(set(found.tolist()) & set(_truth(MANY, MANY[row], 10)))
    assert shared / 500 > 0.9
    np.testing.assert_allclose(opened.reconstruct(100, 50), MANY[100:150], rtol=FP16, atol=2**-24)
    opened.close()


def test_a_filter_never_hides_an_answer_in_an_inverted_file(many: Path) -> None:
    """With ``allowed``, every list is searched: rows from anywhere are found, in the right order."""
    opened = Vectors.open(many)
    for seed in range(5):
        allowed = np.zeros(opened.rows, bool)
        allowed[np.random.default_rng(seed).choice(opened.rows, 20, replace=False)] = True
        query = unit_vectors(1, 8, seed=seed)[0]
        _, rows = opened.search(query, 20, allowed=allowed)
        assert set(rows.tolist()) == set(np.flatnonzero(allowed).tolist())
        _, rows = opened.search(query, 20, allowed=allowed, deleted=allowed)
        assert len(rows) == 0
    opened.close()


def test_deleted_rows_are_not_found_in_an_inverted_file(many: Path) -> None:
    """The one that was asked for is deleted: the next ones are found."""
    opened = Vectors.open(many)
    deleted = np.zeros(opened.rows, bool)
    deleted[[0, opened.rows - 1]] = True
    for row in (0, opened.rows - 1):
        _, found = opened.search(MANY[row], 5, deleted=deleted)
        assert len(found) == 5
        assert row not in found
    opened.close()


def test_many_threads_search_at_once(tmp_path: Path) -> None:
    """Eight threads with masks of their own get the answers that one gets."""
    vectors = unit_vectors(300, 16)
    opened = Vectors.open(vectors_file(tmp_path, vectors))
    wrong: list[str] = []

    def search(seed: int) -> None:
        for step in range(50):
            query = unit_vectors(1, 16, seed=100 * seed + step)[0]
            mask = np.random.default_rng(seed + step).random(300) < 0.3
            rows = opened.search(query, 5, allowed=mask)[1].tolist()
            if set(rows) - set(np.flatnonzero(mask).tolist()) or len(rows) != 5:
                wrong.append(f"{seed} {step} {rows}")

    threads = [threading.Thread(target=search, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    opened.close()


def test_a_file_that_is_not_there_is_a_matter_of_the_disk(tmp_path: Path) -> None:
    """Not a rejected snapshot: somebody has to look after the directory."""
    with pytest.raises(StoreError) as caught:
        Vectors.open(tmp_path / "never")
    assert caught.value.code == "blob_missing"
    assert caught.value.hint


def test_a_full_disk_is_noticed(tmp_path: Path) -> None:
    """However few bytes are missing: the error comes when they are written, not when they are read."""
    for path in (Path("/dev/full"), tmp_path / "missing" / "vectors"):
        with pytest.raises(OSError, match=r"No space|No such|denied"):
            write_vectors(unit_vectors(3, 4), path)


def test_a_mapped_file_may_go_while_it_is_open(tmp_path: Path) -> None:
    """Pruning deletes blobs under open views: they search on, and closing is quiet. (Windows keeps the file.)"""
    vectors = unit_vectors(1000, 16)
    path = vectors_file(tmp_path, vectors)
    opened = Vectors.open(path)
    try:
        path.unlink()
    except PermissionError:
        assert path.exists()
    _, rows = opened.search(vectors[17], 1)
    assert rows.tolist() == [17]
    opened.close()


def test_closing_unmaps_the_file(tmp_path: Path) -> None:
    """Nothing keeps a retired generation's bytes; searching while it is open keeps them."""
    maps = Path("/proc/self/maps")
    path = vectors_file(tmp_path, unit_vectors(1000, 16))
    opened = Vectors.open(path)
    opened.search(unit_vectors(1, 16)[0], 5, allowed=np.ones(1000, bool))
    assert not maps.exists() or str(path) in maps.read_text(encoding="utf-8")
    opened.close()
    assert not maps.exists() or str(path) not in maps.read_text(encoding="utf-8")
    path.unlink()


def test_opening_costs_no_memory(tmp_path: Path) -> None:
    """The codes are mapped: no anonymous memory is taken for them, neither by opening nor by searching."""
    status = Path("/proc/self/status")
    path = vectors_file(tmp_path, unit_vectors(40_000, 128))

    def anonymous() -> int:
        lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else ["RssAnon: 0 kB"]
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))

    faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    before = anonymous()
    opened = Vectors.open(path)
    opened.search(unit_vectors(1, 128)[0], 10)
    assert anonymous() - before < 5_000  # kB; the codes are 10,000
    opened.close()
