"""The rules by which figures are judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figure import Figure, Growth, Pair, exponent
from tests.benchmarks.results import figure


def test_a_figure_is_the_median_of_its_ratios() -> None:
    """Not the ratio of the medians: what slows one turn down slows both its sides down."""
    made = Figure("name", "ours", "theirs", "s", (Pair(2, 1), Pair(30, 10), Pair(4, 4)))
    assert made.ratio == 2
    assert made.spread == (1, 3)
    assert (made.ours, made.theirs) == (4, 4)


@pytest.mark.parametrize(
    ("made", "times"),
    [
        (figure(2.2, goal=1.1), 2),
        (figure(0.5, goal=1.0, more=True), 2),
        (figure(10.0, most=5), 2),
        (figure(10.0, most=0), None),
        (figure(1.0), None),
    ],
)
def test_how_far_a_goal_is_missed(made: Figure, times: float | None) -> None:
    """As a multiple, whichever way is the wrong one; nothing is a multiple of nothing."""
    assert made.missed_by == (None if times is None else pytest.approx(times))


@pytest.mark.parametrize(
    ("made", "met"),
    [
        (figure(1.2), None),
        (figure(1.1, goal=1.1), True),
        (figure(1.2, goal=1.1), False),
        (figure(0.9, goal=0.9, more=True), True),
        (figure(0.8, goal=0.9, more=True), False),
        (figure(5.0, most=5), True),
        (figure(5.1, most=5, goal=9.0), False),
        (figure(0.0, most=0), True),
    ],
)
def test_goals(made: Figure, met: bool | None) -> None:
    """A ratio is bounded from above, from below where more is better, and our own side in its unit."""
    assert made.met is met


@pytest.mark.parametrize(
    ("now", "before", "worse"),
    [
        (figure(1.25), figure(1.0), False),
        (figure(1.26), figure(1.0), True),
        (figure(0.8, more=True), figure(1.0, more=True), False),
        (figure(0.79, more=True), figure(1.0, more=True), True),
        (figure(9.0, more=True), figure(1.0, more=True), False),
        (figure(9.0, unsteady="by nature"), figure(1.0), False),
        (figure(0.1), figure(0.0), True),
        (figure(1.3), figure(0.9, 1.0, 1.4), False),
        (figure(1.5), figure(0.9, 1.0, 1.4), True),
        (figure(0.7, more=True), figure(0.6, 1.0, 1.1, more=True), False),
        (figure(0.5, more=True), figure(0.6, 1.0, 1.1, more=True), True),
    ],
)
def test_what_is_worse(now: Figure, before: Figure, worse: bool) -> None:
    """By more than the share, in the direction that is worse; not where a turn was as bad, or runs differ by nature."""
    assert now.worse_than(before, 0.25) is worse


@given(st.floats(-1, 2), st.floats(0.001, 1000), st.lists(st.integers(1, 10**7), min_size=2, max_size=5, unique=True))
def test_the_exponent_of_a_power_is_found(power: float, factor: float, sizes: list[int]) -> None:
    """Whatever it is multiplied with."""
    assert exponent(sizes, [factor * size**power for size in sizes]) == pytest.approx(power, abs=1e-6)


def test_growth_tells_its_exponent() -> None:
    """Ten times the chunks, twice the time."""
    assert Growth("name", "what", "s", (10, 100, 1000), (1, 2, 4)).exponent == pytest.approx(0.30103, abs=1e-5)
