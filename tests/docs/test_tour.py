"""The tour, as it is printed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tests.fakes.serving import SCRIPT, environment

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "guide" / "tour.md").read_text(encoding="utf-8")


def test_the_tour_can_be_taken(tmp_path: Path) -> None:
    """Every marked block, one after the other, in a home of its own; and what it promises is seen."""
    blocks = re.findall(r"<!-- tour -->\n```sh\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) >= 9
    shell = shutil.which("sh")
    assert shell is not None
    own = environment(tmp_path)
    done = subprocess.run(
        [shell, "-eu"],
        cwd=tmp_path,
        env={**own, "PATH": f"{SCRIPT.parent}:{own['PATH']}"},
        input="".join(blocks),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("retry.py:1", "payments.md:1", "refunds.md:1", "were here already"):
        assert said in done.stdout
    assert (tmp_path / "signed" / "index.json").exists()
