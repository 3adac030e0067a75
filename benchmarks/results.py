"""The results of a run, and their JSON form: what the tables and the plots are made of, and what CI compares with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, Growth

__all__ = ["RESULTS", "Results"]

RESULTS = Path(__file__).resolve().parent / "results"
"""Where results are kept: ``full.json``, which is told, and ``small.json``, which CI compares with."""


@dataclass(frozen=True, slots=True)
class Results:
    """One run: its day (ISO 8601), its scale, facts of the machine, and for how many seconds each part took."""

    date: str
    scale: str
    machine: Mapping[str, str]
    took: Mapping[str, float]
    figures: tuple[Figure, ...]
    growth: tuple[Growth, ...]

    @property
    def by_name(self) -> dict[str, Figure]:
        """The figures by their names."""
        return {figure.name: figure for figure in self.figures}

    def write(self, path: Path) -> None:
        """Write the JSON form into a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Results | None:
        """Read what `write` wrote; None when there is no such file."""
        return cls.from_json(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "date": self.date,
            "scale": self.scale,
            "machine": dict(self.machine),
            "took": dict(self.took),
            "figures": [figure.to_json() for figure in self.figures],
            "growth": [growth.to_json() for growth in self.growth],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Results:
        """Read what `to_json` returned."""
        return cls(
            told["date"],
            told["scale"],
            told["machine"],
            told["took"],
            tuple(map(Figure.from_json, told["figures"])),
            tuple(map(Growth.from_json, told["growth"])),
        )
