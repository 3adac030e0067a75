"""The benchmarks' whole run, at its smallest: its figures mean nothing here, but none is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.results import RESULTS, Results
from tests.fakes.child import ROOT

pytestmark = pytest.mark.system


@pytest.mark.timeout(300)
def test_a_whole_run_finds_every_figure_but_the_peers(tmp_path: Path) -> None:
    """Those that are told (benchmarks/results/full.json) are those that a run finds, in their order."""
    written = tmp_path / "tiny.json"
    command = [sys.executable, "-m", "benchmarks", "--scale", "tiny", "--home", str(tmp_path), "--write", str(written)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found, told = Results.read(written), Results.read(RESULTS / "full.json")
    assert found is not None
    assert told is not None
    assert [figure.name for figure in found.figures] == [figure.name for figure in told.figures if not figure.is_peer]
    assert {each.name for each in found.growth} == {each.name for each in told.growth}
    assert "Traceback" not in done.stderr
