"""Child processes: what is compared runs in one of its own, and the system says what it has used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "Used", "part", "run"]

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Used:
    """What a process has taken: seconds by the clock, and seconds of processor with those of its children."""

    seconds: float
    cpu: float


def run(command: Sequence[str | Path], *, cwd: Path | None = None) -> Used:
    """Run a command to its end. Raises CalledProcessError when it fails."""
    before, began = os.times(), time.perf_counter()
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL, cwd=cwd or ROOT)
    seconds, after = time.perf_counter() - began, os.times()
    cpu = (after.children_user - before.children_user) + (after.children_system - before.children_system)
    return Used(seconds, cpu)


def part(name: str, *arguments: object, python: str | Path = sys.executable) -> Any:
    """Run a module of ours (``parts.hydrate``) in a process of its own; return what it tells, which is JSON.

    Raises CalledProcessError when it fails.
    """
    command = [str(python), "-m", f"benchmarks.{name}", *map(str, arguments)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    return json.loads(told.stdout)
