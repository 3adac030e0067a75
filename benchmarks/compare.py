"""Whether a run is worse than one before: the rule that fails CI. Machines are shared, so there is a second look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from benchmarks.figure import Figure

__all__ = ["SHARE", "regressions"]

SHARE = 0.25
"""How much worse a ratio may be, as a share of what it was."""


def regressions(
    found: Mapping[str, Iterable[Figure]], before: Mapping[str, Figure], again: Callable[[str], Iterable[Figure]]
) -> list[Figure]:
    """Return the figures that are worse than before, twice.

    ``found`` has the figures by the names of what measures them, and ``again`` measures by such a name once more; only
    what looks worse is. A figure that was not there before is not worse.
    """
    worse = list[Figure]()
    for name, figures in found.items():
        if suspects := _worse(figures, before):
            looked_like = {figure.name for figure in suspects}
            worse += [figure for figure in _worse(again(name), before) if figure.name in looked_like]
    return worse


def _worse(figures: Iterable[Figure], before: Mapping[str, Figure]) -> list[Figure]:
    return [each for each in figures if each.name in before and each.worse_than(before[each.name], SHARE)]
