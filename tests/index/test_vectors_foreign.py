"""Vectors files from elsewhere: other kinds of index, damaged ones, lying ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pycontextify.errors import ValidateError
from pycontextify.index.vectors import Vectors
from tests.index.made import DAMAGES, MANY, unit_vectors, vectors_file


def _other_kinds() -> dict[str, Any]:
    flat_l2 = faiss.IndexScalarQuantizer(8, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_L2)
    eight_bit = faiss.IndexScalarQuantizer(8, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    residual = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(8), 8, 4, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    graph = faiss.IndexIVFScalarQuantizer(
        faiss.IndexHNSWFlat(8, 4, faiss.METRIC_INNER_PRODUCT),
        *(8, 4, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT),
    )
    graph.by_residual = False
    hidden = faiss.IndexIDMap(faiss.IndexScalarQuantizer(8, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT))
    return {
        "flat, L2": faiss.IndexFlatL2(8),
        "flat, inner product": faiss.IndexFlatIP(8),
        "HNSW": faiss.IndexHNSWFlat(8, 4),
        "PQ": faiss.IndexPQ(8, 2, 4, faiss.METRIC_INNER_PRODUCT),
        "LSH": faiss.IndexLSH(8, 16),
        "IVF flat": faiss.IndexIVFFlat(faiss.IndexFlatIP(8), 8, 4, faiss.METRIC_INNER_PRODUCT),
        "fp16, L2": flat_l2,
        "8 bits": eight_bit,
        "IVF with residuals": residual,
        "IVF over a graph": graph,
        "ids of its own": hidden,
    }


@pytest.mark.parametrize("kind", _other_kinds())
def test_other_kinds_of_index_are_refused(tmp_path: Path, kind: str) -> None:
    """Only what write_vectors writes is served: anything else is named and refused."""
    index = _other_kinds()[kind]
    vectors = unit_vectors(200, 8)
    index.train(vectors)
    if kind == "ids of its own":
        index.add_with_ids(vectors, np.arange(200))
    else:
        index.add(vectors)
    path = tmp_path / "vectors"
    faiss.write_index(index, str(path))
    with pytest.raises(ValidateError) as caught:
        Vectors.open(path)
    assert caught.value.code in ("vectors_kind", "vectors_unreadable")
    assert caught.value.hint


def test_lists_that_lie_elsewhere_are_refused(tmp_path: Path) -> None:
    """An index may name a file of inverted lists anywhere on the disk; ours never does."""
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(8), 8, 4, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    index.by_residual = False
    vectors = unit_vectors(200, 8)
    index.train(vectors)
    lists = faiss.OnDiskInvertedLists(4, index.code_size, str(tmp_path / "lists"))
    index.replace_invlists(lists, False)
    index.add(vectors)
    faiss.write_index(index, str(tmp_path / "vectors"))
    with pytest.raises(ValidateError):
        Vectors.open(tmp_path / "vectors")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused(tmp_path: Path, damage: str) -> None:
    """Empty, cut, overwritten: a ValidateError that says what to do."""
    path = vectors_file(tmp_path, unit_vectors(100, 16))
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    with pytest.raises(ValidateError) as caught:
        Vectors.open(path)
    assert caught.value.code == "vectors_unreadable"
    assert caught.value.hint


@pytest.mark.parametrize("rows", [-1, 0, 99, 101, 2**40, 2**62])
def test_a_lying_row_count_is_refused(tmp_path: Path, rows: int) -> None:
    """The header promises more or fewer rows than the file has codes for: refused before memory is asked for."""
    path = vectors_file(tmp_path, unit_vectors(100, 16))
    content = bytearray(path.read_bytes())
    assert int.from_bytes(content[8:16], "little") == 100
    content[8:16] = rows.to_bytes(8, "little", signed=True)
    path.write_bytes(content)
    with pytest.raises(ValidateError):
        Vectors.open(path)


@settings(max_examples=150)
@given(place=st.integers(0, 10_000), value=st.integers(0, 255))
@example(place=32, value=0)  # is_trained
def test_a_changed_byte_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int
) -> None:
    """One byte changed anywhere: a ValidateError, or an index whose searches name rows that there are."""
    path = vectors_file(tmp_path_factory.mktemp("mutated"), unit_vectors(20, 8))
    content = bytearray(path.read_bytes())
    content[place % len(content)] = value
    path.write_bytes(content)
    try:
        opened = Vectors.open(path)
    except ValidateError:
        return
    if opened.dimension == 8:
        scores, rows = opened.search(unit_vectors(1, 8)[0], 30)
        assert all(0 <= row < opened.rows for row in rows.tolist())
        assert np.isfinite(scores).all()
    opened.close()


def test_row_numbers_that_do_not_exist_are_never_returned(tmp_path: Path, many: Path) -> None:
    """An inverted file carries its rows' numbers: those beyond its count, or below zero, are passed over."""
    index: Any = faiss.read_index(str(many))
    lists: Any = faiss.downcast_InvertedLists(index.invlists)
    wrong: dict[int, int] = {}
    for number in range(0, index.nlist, 7):
        size = lists.list_size(number)
        if size:
            ids = faiss.rev_swig_ptr(lists.get_ids(number), size)
            wrong[int(ids[0])] = (10**12, -5, index.ntotal, 8 * index.ntotal)[number % 4]
            ids[0] = wrong[int(ids[0])]
    path = tmp_path / "vectors"
    faiss.write_index(index, str(path))
    opened = Vectors.open(path)
    everything = np.ones(opened.rows, bool)
    for row in [*wrong][:40]:
        for masks in ({}, {"allowed": everything}, {"deleted": ~everything}):
            _, rows = opened.search(MANY[row], 10, **masks)
            assert all(0 <= found < opened.rows for found in rows.tolist())
            assert row not in rows
    opened.close()


def test_what_is_no_number_is_never_a_score(tmp_path: Path) -> None:
    """Vectors of NaN or infinity, from an encoder that divided by zero, are not found; the others are."""
    vectors = unit_vectors(10, 4)
    vectors[3], vectors[4], vectors[5] = np.nan, np.inf, -np.inf
    opened = Vectors.open(vectors_file(tmp_path, vectors))
    for query in (np.full(4, 0.5, np.float32), unit_vectors(1, 4)[0]):
        scores, rows = opened.search(query, 10)
        assert np.isfinite(scores).all()
        assert set(rows.tolist()) == set(range(10)) - {3, 4, 5}
    scores, rows = opened.search(np.full(4, np.nan, np.float32), 10)
    assert len(rows) == 0
    opened.close()
