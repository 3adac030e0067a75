"""Draw results: ``python -m benchmarks.plots RESULTS.json DIRECTORY``, with the Python that has matplotlib.

Nothing lies behind a picture, and its greys and colours can be read on a light page and on a dark one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt

from benchmarks.figure import Figure, Growth
from benchmarks.results import Results

__all__ = ["main"]

_GREY, _OURS, _OTHER = "#7d7d7d", "#0d9488", "#d9822b"
_TICKS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)
_STYLE = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "benchmarks",  # the same results give the same bytes
    "font.family": "sans-serif",
    "font.size": 11,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _GREY),
}


def main(results: str, directory: str) -> None:
    """Draw the ratios in one picture, and each growth in one of its own."""
    found = Results.read(Path(results))
    if found is None:
        raise SystemExit(f"{results} is not there")
    mpl.use("svg")
    with mpl.rc_context(_STYLE):
        _ratios([figure for figure in found.figures if figure.goal is not None], Path(directory, "bench-goals.svg"))
        _ratios([figure for figure in found.figures if figure.is_peer], Path(directory, "bench-peers.svg"))
        for growth in found.growth:
            _growth(growth, Path(directory, f"bench-{growth.name}.svg"))


def _ratios(figures: list[Figure], path: Path) -> None:
    """Draw each ratio with its spread, and its goal as a line across."""
    if not figures:
        return
    drawing, axes = plt.subplots(figsize=(9, 0.8 + 0.36 * len(figures)))
    for row, figure in enumerate(reversed(figures)):
        axes.plot(figure.spread, (row, row), color=_GREY, linewidth=2, alpha=0.6, solid_capstyle="round")
        axes.plot(figure.ratio, row, "o", color=_OTHER if figure.met is False else _OURS)
        if figure.goal is not None:
            axes.plot((figure.goal, figure.goal), (row - 0.3, row + 0.3), color=_GREY, linewidth=1.5)
    axes.set_yticks(range(len(figures)), [figure.name for figure in reversed(figures)])
    axes.axvline(1, color=_GREY, linewidth=0.7, linestyle=":")
    axes.set_xscale("log")
    limits = axes.get_xlim()
    axes.set_xticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
    axes.set_xlim(*limits)
    axes.minorticks_off()
    axes.set_xlabel("ours, as a multiple of theirs (median, and from the least to the most)")
    _save(drawing, axes, path)


def _growth(growth: Growth, path: Path) -> None:
    drawing, axes = plt.subplots(figsize=(5.2, 3.2))
    axes.plot(growth.sizes, growth.values, "o-", color=_OURS, linewidth=2)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(growth.sizes, [f"{size:,}" for size in growth.sizes])
    axes.set_yticks([])
    axes.minorticks_off()
    axes.set_ylim(*_decades(growth.values))
    axes.margins(x=0.12)
    for point in zip(growth.sizes, growth.values, strict=True):
        told = f"{point[1]:.3g} {growth.unit}"
        axes.annotate(told, point, xytext=(0, 9), textcoords="offset points", ha="center", color=_GREY)
    axes.set_xlabel("chunks")
    axes.set_title(f"{growth.what}: n^{growth.exponent:.2f}", fontsize=11, color=_GREY)
    _save(drawing, axes, path)


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """Return limits of an axis for these values: two decades at least, so that what hardly grows looks like it."""
    low, high = min(values), max(values)
    more = max(1.0, 100 * low / high) ** 0.5
    return low / more / 1.5, high * more * 2.5


def _save(drawing: Any, axes: Any, path: Path) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    drawing.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    plt.close(drawing)


if __name__ == "__main__":
    main(*sys.argv[1:])
