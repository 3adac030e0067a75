"""The benchmarks at their smallest: what is measured means nothing here, but that each figure is found does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.figures import MEASURES, PEERS
from benchmarks.results import RESULTS, Results
from tests.fakes.child import ROOT

pytestmark = pytest.mark.system


ELSEWHERE = {"refresh", "swaps", "search"}
"""What `make bench-small` measures in CI."""
SLOW = {"latency", "start"}
"""What takes half a minute each, however small the index."""

FOUND = [
    *("hydrate-layout", "hydrate-cpu", "hydrate-unsigned", "hydrate-tar-zst", "hydrate-tar-gz", "start-search"),
    *("lag-p99", "lag-max", "memory", "index", "index-again"),
]


@pytest.mark.timeout(200)
def test_every_figure_is_found(tmp_path: Path) -> None:
    """Those of the measures that CI does not take otherwise, but for the peers'; what grows, too."""
    names, written = [name for name in MEASURES if name not in PEERS.keys() | ELSEWHERE | SLOW], tmp_path / "tiny.json"
    command = [sys.executable, "-m", "benchmarks", *names, "--scale", "tiny", "--home", str(tmp_path)]
    command += ["--write", str(written)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found, told = Results.read(written), Results.read(RESULTS / "full.json")
    assert found is not None
    assert told is not None
    assert [each.name for each in found.figures] == FOUND
    assert {each.name for each in found.growth} == {each.name for each in told.growth}
