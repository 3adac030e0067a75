"""``python -m benchmarks``: measure, tell each figure as it is found, write them down, compare them."""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.compare import SHARE, regressions
from benchmarks.figure import Figure, Growth
from benchmarks.figures import MEASURES, PEERS
from benchmarks.ground import SCALES, Ground, made_by
from benchmarks.machine import machine
from benchmarks.progress import under_way
from benchmarks.results import Results

__all__ = ["main"]

_Found = dict[str, list[Figure | Growth]]
"""What was found, by the names of what measures it."""


def main() -> int:
    """Run what the command line asks for, and return the exit code."""
    asked = _arguments()
    about, took = machine(), dict[str, float]()
    if asked.home is not None:
        about["indexes"] = "as a run before left them, where it did"
    with _home(asked.home) as home, closing(Ground(home, SCALES[asked.scale], asked.peers)) as ground:
        names = asked.measures or [name for name in MEASURES if asked.peers or name not in PEERS]
        found = dict(_measured(ground, names, took))
        worse = _compare(ground, found, asked.before) if asked.before else []
    if asked.write:
        _results(asked.scale, about, took, found).write(asked.write)
    for figure in worse:
        was = asked.before.by_name[figure.name].ratio
        _say(f"{figure.name} is worse by more than {SHARE:.0%}, twice: {figure.ratio:.3g}, and it was {was:.3g}")
    return int(bool(worse) or len(found) < len(names))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "measures", nargs="*", type=_measure, metavar="MEASURE", help=f"default: all of {', '.join(MEASURES)}"
    )
    parser.add_argument("--scale", choices=SCALES, default="full")
    parser.add_argument(
        "--home", type=Path, help="where indexes are made, and left for the next run (default: nowhere)"
    )
    parser.add_argument(
        "--peers", type=Path, metavar="PYTHON", help="compare with what this one's environment has, too"
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the results there, as JSON")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="fail when a ratio is worse than in these results")
    asked = parser.parse_args()
    if asked.peers is None and (lacking := [name for name in asked.measures if name in PEERS]):
        parser.error(f"--peers is needed for {', '.join(lacking)}")
    asked.before = Results.read(asked.compare) if asked.compare else None
    if asked.before is not None and asked.before.scale != asked.scale:
        parser.error(f"{asked.compare} is of another scale: {asked.before.scale}")
    if asked.compare and asked.before is None:
        _say(f"!!! NOTHING IS COMPARED: there is no {asked.compare} yet (make bench-baseline makes it) !!!")
    return asked


def _measure(name: str) -> str:
    if name not in MEASURES:
        raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(MEASURES)}")
    return name


@contextmanager
def _home(given: Path | None) -> Iterator[Path]:
    if given is not None:
        home = given.resolve() / made_by()
        home.mkdir(parents=True, exist_ok=True)
        yield home
        return
    # Not /tmp, which may be memory: what is measured is a disk.
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir="/var/tmp", ignore_cleanup_errors=True) as made:
        yield Path(made)


def _measured(ground: Ground, names: list[str], took: dict[str, float]) -> Iterator[tuple[str, list[Figure | Growth]]]:
    """Measure; what fails is said, and the rest is measured all the same."""
    for name in names:
        try:
            with under_way(name, took):
                found = list(MEASURES[name](ground))
        except Exception:  # noqa: BLE001 - a quarter of an hour is not lost to one that fails; the exit code tells
            traceback.print_exc()
            _say(f"{name} FAILED")
            continue
        for each in found:
            _say(_line(each))
        yield name, found


def _line(found: Figure | Growth) -> str:
    if isinstance(found, Growth):
        points = "  ".join(
            f"{size:,}: {value:.4g} {found.unit}" for size, value in zip(found.sizes, found.values, strict=True)
        )
        return f"{found.name:20} ^ {found.exponent:.2f}  {points}"
    low, high = found.spread
    goal = {None: "", True: "  met", False: "  MISSED"}[found.met]
    facts = "".join(f"  {what}: {value:.4g}" for what, value in found.facts.items())
    return f"{found.name:20} {found.ratio:8.3f}  ({low:.3f} to {high:.3f})  {found.ours:.4g} {found.unit}{goal}{facts}"


def _compare(ground: Ground, found: _Found, before: Results) -> list[Figure]:
    """Return what is worse than it was."""

    def again(name: str) -> list[Figure]:
        with under_way(f"{name}, once more"):
            return _figures(MEASURES[name](ground))

    return regressions({name: _figures(each) for name, each in found.items()}, before.by_name, again)


def _figures(found: Iterator[Figure | Growth] | list[Figure | Growth]) -> list[Figure]:
    return [each for each in found if isinstance(each, Figure)]


def _results(scale: str, about: Mapping[str, str], took: Mapping[str, float], found: _Found) -> Results:
    every = [each for figures in found.values() for each in figures]
    growth = tuple(each for each in every if isinstance(each, Growth))
    return Results(datetime.now(UTC).date().isoformat(), scale, about, took, tuple(_figures(every)), growth)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
