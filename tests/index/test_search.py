"""Fusion of dense and keyword scores: a pure rule."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from pycontextify.index.search import DENSE_WEIGHT, Ranked, fuse

# On a grid: scores closer together than scaling can tell apart would be ties.
scores = st.integers(-(10**6), 10**6).map(lambda number: number / 64)
tables = st.dictionaries(st.integers(0, 20), scores, max_size=8)
weights = st.floats(0, 1)


@given(dense=tables, keyword=tables, weight=weights)
def test_every_candidate_is_ranked_once(dense: dict[int, float], keyword: dict[int, float], weight: float) -> None:
    """The result is the union of both tables, with the scores that each side gave."""
    ranked = fuse(dense, keyword, limit=100, weight=weight)
    assert sorted(each.key for each in ranked) == sorted(dense.keys() | keyword.keys())
    for each in ranked:
        assert each.dense == dense.get(each.key)
        assert each.keyword == keyword.get(each.key)


@given(dense=tables, keyword=tables, weight=weights)
def test_scores_are_in_order_and_between_0_and_1(
    dense: dict[int, float], keyword: dict[int, float], weight: float
) -> None:
    """Best first, within [0, 1]; the best of a single side has exactly 1."""
    found = [each.score for each in fuse(dense, keyword, limit=100, weight=weight)]
    assert found == sorted(found, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in found)
    if found and not (dense and keyword):
        assert found[0] == 1.0


@given(dense=tables, keyword=tables, limit=st.integers(0, 30))
def test_a_limit_cuts_the_ranking_short(dense: dict[int, float], keyword: dict[int, float], limit: int) -> None:
    """The best ``limit`` of what there would be without one."""
    assert fuse(dense, keyword, limit=limit) == fuse(dense, keyword, limit=100)[:limit]


@given(table=st.dictionaries(st.integers(), scores, min_size=1, max_size=8))
def test_one_side_alone_keeps_its_own_order(table: dict[int, float]) -> None:
    """Whichever side found nothing has no say, whatever its weight."""
    order = sorted(table, key=lambda key: -table[key])
    for ranked in (fuse(table, {}, limit=100), fuse({}, table, limit=100)):
        assert [table[each.key] for each in ranked] == [table[key] for key in order]
        assert math.isclose(ranked[0].score, 1.0)


def test_nothing_found_is_nothing_ranked() -> None:
    """Two empty tables."""
    empty: dict[str, float] = {}
    assert fuse(empty, empty, limit=10) == []


def test_the_arithmetic() -> None:
    """Min-max scaled, 0.7 dense and 0.3 keyword; what one side did not find counts 0 there."""
    ranked = fuse({"a": 0.9, "b": 0.5, "c": 0.1}, {"b": 12.0, "d": 2.0}, limit=10)
    assert DENSE_WEIGHT == 0.7
    assert ranked == [
        Ranked("a", 0.7, 0.9, None),
        Ranked("b", 0.7 * 0.5 + (1 - 0.7) * 1.0, 0.5, 12.0),
        Ranked("c", 0.0, 0.1, None),
        Ranked("d", 0.0, None, 2.0),
    ]


def test_both_sides_agreeing_beats_either_alone() -> None:
    """What is good on both sides comes before what is best on one."""
    ranked = fuse({"both": 0.9, "dense": 1.0, "low": 0.0}, {"both": 9.0, "keyword": 10.0, "low": 0.0}, limit=10)
    assert ranked[0].key == "both"


def test_equal_scores_all_count_as_the_best() -> None:
    """A table without a spread says that each of its candidates is as good as the best."""
    assert [each.score for each in fuse({"a": 0.4, "b": 0.4}, {}, limit=10)] == [1.0, 1.0]


def test_ties_keep_the_order_of_the_tables() -> None:
    """Dense candidates first, each side in its own order: the same input gives the same ranking."""
    keys = [each.key for each in fuse({"z": 1.0, "a": 1.0}, {"m": 1.0, "b": 1.0, "z": 1.0}, limit=10, weight=0.5)]
    assert keys == ["z", "a", "m", "b"]


@given(dense=tables, keyword=tables)
def test_the_ranking_does_not_depend_on_scale(dense: dict[int, float], keyword: dict[int, float]) -> None:
    """Doubling one side's scores, an exact operation, changes nothing but that side's own numbers."""
    doubled = {key: 2 * score for key, score in keyword.items()}
    once, twice = fuse(dense, keyword, limit=100), fuse(dense, doubled, limit=100)
    assert [(each.key, each.score) for each in once] == [(each.key, each.score) for each in twice]
