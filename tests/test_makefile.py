"""The targets of the Makefile that no other check runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_clean_removes_what_is_made_and_nothing_else(tmp_path: Path) -> None:
    """Wherever caches are; a second time there is nothing to remove, and that is no failure."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    kept = tmp_path / "pycontextify" / "kept.py"
    for made in (
        kept,
        tmp_path / "docs" / "__pycache__" / "made.pyc",
        tmp_path / ".venv" / "made",
        tmp_path / "dist" / "x",
    ):
        made.parent.mkdir(parents=True)
        made.touch()
    for _ in range(2):
        # Nothing of our own environment: the VENV in it is the one that runs this test.
        environment = {"PATH": os.environ["PATH"]}
        subprocess.run(["make", "VENV=.venv", "clean"], cwd=tmp_path, env=environment, check=True, capture_output=True)
        left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
        assert left == {"Makefile", "docs", "pycontextify", "pycontextify/kept.py"}
