"""What a benchmark finds out: pure values, and the rules for judging them.

A figure is a ratio, ours to theirs, of two things measured in turn (A B A B …) in one run: what the machine does beside
slows both down. The median of the ratios is the figure; the smallest and the largest tell how far to trust it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

__all__ = ["Figure", "Growth", "Pair", "exponent"]


@dataclass(frozen=True, slots=True)
class Pair:
    """One thing measured on both sides, one right after the other."""

    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        """How many times theirs ours is."""
        return self.ours / self.theirs


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``name`` is what it is called in the results.

    ``unit`` is that of both sides of every pair. ``goal`` bounds the ratio, from below where ``more`` is better, and
    ``most`` bounds the median of our side itself; without either it is only told. ``unsteady`` says why two runs'
    ratios are not compared, where they are not. ``facts`` are further numbers that belong to it, by what they are.
    """

    name: str
    what: str
    against: str
    unit: str
    pairs: tuple[Pair, ...]
    goal: float | None = None
    more: bool = False
    most: float | None = None
    unsteady: str = ""
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return median(pair.ratio for pair in self.pairs)

    @property
    def spread(self) -> tuple[float, float]:
        """The smallest and the largest ratio."""
        ratios = [pair.ratio for pair in self.pairs]
        return min(ratios), max(ratios)

    @property
    def ours(self) -> float:
        """The median of our side."""
        return median(pair.ours for pair in self.pairs)

    @property
    def theirs(self) -> float:
        """The median of their side."""
        return median(pair.theirs for pair in self.pairs)

    @property
    def is_peer(self) -> bool:
        """Whether it compares with a peer, and not with a goal."""
        return self.name.startswith("peer-")

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.most is not None:
            return self.ours <= self.most
        if self.goal is None:
            return None
        return self.ratio >= self.goal if self.more else self.ratio <= self.goal

    @property
    def missed_by(self) -> float | None:
        """How many times the goal it is, the wrong way: above 1 where it is missed. None without a goal, and at 0."""
        found, bound = (self.ratio, self.goal) if self.most is None else (self.ours, self.most)
        if not bound or not found:
            return None
        return bound / found if self.more else found / bound

    def worse_than(self, before: Figure, share: float) -> bool:
        """Tell whether the ratio is worse than another run's by more than a share of it, and than any turn of that run.

        What is unsteady never is.
        """
        low, high = before.spread
        if self.unsteady:
            return False
        if self.more:
            return self.ratio < min(before.ratio / (1 + share), low)
        return self.ratio > max(before.ratio * (1 + share), high)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form; the median and the spread stand in it for whoever reads it."""
        low, high = self.spread
        return {**asdict(self), "ratio": self.ratio, "lowest": low, "highest": high, "met": self.met}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Figure:
        """Read what `to_json` returned."""
        pairs = tuple(Pair(**pair) for pair in told["pairs"])
        names = ("name", "what", "against", "unit", "goal", "more", "most", "unsteady", "facts")
        return cls(**{name: told[name] for name in names}, pairs=pairs)


@dataclass(frozen=True, slots=True)
class Growth:
    """How something grows with the index: ``values`` by ``sizes`` in chunks, medians of what was measured in turn."""

    name: str
    what: str
    unit: str
    sizes: tuple[int, ...]
    values: tuple[float, ...]

    @property
    def exponent(self) -> float:
        """See `exponent`."""
        return exponent(self.sizes, self.values)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form; the exponent stands in it for whoever reads it."""
        return {**asdict(self), "exponent": self.exponent}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Growth:
        """Read what `to_json` returned."""
        return cls(told["name"], told["what"], told["unit"], tuple(told["sizes"]), tuple(told["values"]))


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return the b of values ≈ a · sizes^b, by least squares of the logarithms: 0 is constant, 1 is proportional."""
    x, y = [math.log(size) for size in sizes], [math.log(value) for value in values]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    over = sum((one - mean_x) * (other - mean_y) for one, other in zip(x, y, strict=True))
    return over / sum((one - mean_x) ** 2 for one in x)
