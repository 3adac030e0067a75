"""The rule that fails CI."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.compare import regressions
from benchmarks.figure import Figure
from tests.benchmarks.results import figure

BEFORE = {"one": figure(1.0, name="one"), "other": figure(1.0, name="other")}


class Again:
    """Measures once more what it is told to find, and remembers who asked."""

    def __init__(self, *found: Figure) -> None:
        self.asked: list[str] = []
        self._found = found

    def __call__(self, name: str) -> Iterable[Figure]:
        """Measure."""
        self.asked.append(name)
        return self._found


def test_what_is_worse_twice_is_told() -> None:
    """With what was seen the second time; only what measures it is asked again."""
    again = Again(figure(1.4, name="one"), figure(1.0, name="other"))
    found = {"both": [figure(1.5, name="one"), figure(1.0, name="other")], "rest": [figure(1.0, name="rest")]}
    assert regressions(found, BEFORE, again) == [figure(1.4, name="one")]
    assert again.asked == ["both"]


def test_a_second_look_may_clear_it() -> None:
    """Somebody else was busy the first time; what looks worse only the second time was not the first."""
    again = Again(figure(1.1, name="one"), figure(9.0, name="other"))
    found = {"both": [figure(1.5, name="one"), figure(1.0, name="other")]}
    assert regressions(found, BEFORE, again) == []


def test_nothing_is_measured_again_without_a_reason() -> None:
    """A figure that is better, or new, or unsteady, is none."""
    again = Again()
    found = {
        "a": [figure(0.5, name="one")],
        "b": [figure(9.0, name="new")],
        "c": [figure(9.0, name="other", unsteady="by nature")],
    }
    assert regressions(found, BEFORE, again) == []
    assert again.asked == []
