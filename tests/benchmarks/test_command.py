"""``python -m benchmarks``, at its smallest: what it measures means nothing here, but that it measures does."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.figure import Figure, Pair
from benchmarks.figures import MEASURES
from benchmarks.results import Results
from tests.benchmarks.results import MADE_UP

ROOT = Path(__file__).resolve().parent.parent.parent


def benchmarks(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)


def test_figures_are_told_and_written_and_compared(tmp_path: Path) -> None:
    """What has nothing to be compared with is not compared, and that is said; what is worse twice fails."""
    written, missing = tmp_path / "tiny.json", tmp_path / "missing.json"
    done = benchmarks("search", "--scale", "tiny", "--home", tmp_path, "--write", written, "--compare", missing)
    assert done.returncode == 0, done.stderr
    assert "NOTHING IS COMPARED" in done.stdout
    assert "search-recall           1.000" in done.stdout
    assert "search: " in done.stderr
    found = Results.read(written)
    assert found is not None
    assert found.by_name.keys() == {"search-hybrid", "search-recall"}
    assert found.took.keys() == {"search"}

    better = Figure("search-hybrid", "", "", "ms", (Pair(1e-6, 1.0),))
    replace(found, figures=(better,)).write(written)
    done = benchmarks("search", "--scale", "tiny", "--home", tmp_path, "--compare", written)
    assert done.returncode == 1, done.stderr
    assert "search, once more" in done.stderr
    assert "search-hybrid is worse by more than 25%, twice" in done.stdout


def test_another_scale_is_nothing_to_compare_with(tmp_path: Path) -> None:
    """That is said before anything is measured."""
    MADE_UP.write(tmp_path / "full.json")
    done = benchmarks("search", "--scale", "tiny", "--home", tmp_path, "--compare", tmp_path / "full.json")
    assert done.returncode == 2
    assert "is of another scale: full" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"), [(["nothing"], "not one of layout"), (["stores"], "--peers is needed for stores")]
)
def test_what_can_not_be_measured_is_refused(arguments: list[str], said: str) -> None:
    """Before anything is made."""
    done = benchmarks(*arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_every_measurement_is_explained() -> None:
    """By its docstring, for whoever reads the table's names."""
    assert all(measure.__doc__ for measure in MEASURES.values())
