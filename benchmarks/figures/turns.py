"""Taking turns: what is compared goes one right after the other, again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import TypeVar

from benchmarks.figure import Growth, Pair
from benchmarks.ground import Scale

__all__ = ["grown", "in_turn", "pairs"]

_T = TypeVar("_T")


def in_turn(times: int, contenders: Mapping[str, Callable[[], _T]]) -> dict[str, list[_T]]:
    """Have each contender go so many times, in their order; return what each of them returned, turn by turn."""
    turns = [{name: go() for name, go in contenders.items()} for _ in range(times)]
    return {name: [turn[name] for turn in turns] for name in contenders}


def pairs(ours: Iterable[float], theirs: Iterable[float]) -> tuple[Pair, ...]:
    """Return what was measured in the same turn as pairs."""
    return tuple(map(Pair, ours, theirs))


def grown(name: str, what: str, scale: Scale, turns: Iterable[Iterable[float]]) -> Growth:
    """Return how something grows, in seconds: ``turns`` of the small index, the one between and the large one."""
    return Growth(name, what, "s", scale.sizes, tuple(map(median, turns)))
