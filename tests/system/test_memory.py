"""How much memory downloads and swaps take."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pycontextify.snapshot.digest import digest_of
from tests.fakes.child import ROOT
from tests.system.conftest import MakeNginx, Published

pytestmark = pytest.mark.system

MB, MIB = 1_000_000, 1 << 20


def test_swaps_leave_nothing_behind(published: Published, record_property: Callable[[str, object], None]) -> None:
    """A hundred swaps of 200 MB under eight searching threads: no query fails, anonymous memory grows by 2% at most."""
    command = [sys.executable, "-m", "tests.system.swapper", str(published.site), str(published.site.parent / "model")]
    told = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    record_property("anonymous memory after 100 swaps, against before", round(told["after"] / told["before"], 4))
    record_property("queries answered meanwhile", told["answered"])
    assert "failed" not in told
    assert told["after"] <= 1.02 * told["before"]


def test_memory_does_not_grow_with_the_file(
    nginx: MakeNginx, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """300 MB at full speed, in four streams of ranges, take less than 64 MiB more than 1 MB does."""
    site = tmp_path / "site"
    site.mkdir()
    host = nginx(site)
    held = {}
    for size in (1 * MB, 300 * MB):
        content = np.random.default_rng(size).bytes(size)
        (site / str(size)).write_bytes(content)
        download = (f"{host.url}/{size}", digest_of(content), str(size), str(tmp_path / f"{size}.part"))
        command = [sys.executable, "-m", "tests.system.downloader", *download]
        held[size] = int(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout) / 1024
        record_property(f"peak memory of a download of {size // MB} MB, in MiB", round(held[size], 1))
    host.stop()
    assert sum(request.status == 206 for request in host.requests()) >= 300 * MB // (16 * MIB)
    assert held[300 * MB] - held[1 * MB] < 64
