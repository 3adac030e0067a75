"""The pure rules between a graph's output and unit vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pycontextify.encoder.pooling import group_runs, pool, unit_rows

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)


def test_mean_pooling_passes_over_padding() -> None:
    """Only the tokens under the mask count, whatever stands in the others."""
    hidden = np.array(
        [[[1.0, 2.0], [3.0, 4.0], [900.0, 900.0]], [[5.0, 6.0], [800.0, 1.0], [7.0, 7.0]]], dtype=np.float32
    )
    mask = np.array([[1, 1, 0], [1, 0, 0]])
    np.testing.assert_allclose(pool(hidden, mask, "mean"), [[2.0, 3.0], [5.0, 6.0]])


def test_cls_pooling_takes_the_first_token() -> None:
    """The first token's vector, of a half-precision graph too."""
    hidden = np.array([[[1.0, 2.0], [3.0, 4.0]]], dtype=np.float16)
    pooled = pool(hidden, np.array([[1, 1]]), "cls")
    assert pooled.dtype == np.float32
    np.testing.assert_allclose(pooled, [[1.0, 2.0]])


@given(arrays.arrays(np.float64, st.tuples(st.integers(0, 5), st.integers(1, 6)), elements=FINITE))
def test_unit_rows_keep_their_direction(rows: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    """Every row but a zero one gets length one, from the smallest numbers to the largest."""
    scaled = unit_rows(rows)
    assert scaled.dtype == np.float32
    assert scaled.flags.c_contiguous
    assert scaled.shape == rows.shape
    for before, after in zip(rows, scaled, strict=True):
        if not before.any():
            assert not after.any()
        else:
            assert np.linalg.norm(after) == pytest.approx(1.0, abs=1e-5)
            top = np.abs(before).argmax()
            assert np.sign(after[top]) == np.sign(before[top])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_unit_rows_refuse_what_is_not_finite(bad: float) -> None:
    """A vector of such numbers would win or lose every comparison."""
    with pytest.raises(ValueError, match="not finite"):
        unit_rows(np.array([[1.0, bad]]))


@given(st.lists(st.integers(0, 300), max_size=80), st.integers(1, 600), st.integers(1, 40))
def test_runs_cover_all_texts_within_bounds(lengths: list[int], tokens: int, texts: int) -> None:
    """Consecutive runs hold each text once, and are bounded unless a single text is too long by itself."""
    runs = group_runs(lengths, tokens=tokens, texts=texts)
    assert [position for run in runs for position in range(len(lengths))[run]] == list(range(len(lengths)))
    for run in runs:
        inside = lengths[run]
        assert 1 <= len(inside) <= texts
        assert len(inside) == 1 or len(inside) * max(inside) <= tokens


def test_short_texts_share_a_run() -> None:
    """A run is filled before the next begins."""
    assert group_runs([64, 64, 64, 64, 64, 200], tokens=256, texts=32) == [slice(0, 4), slice(4, 5), slice(5, 6)]
