"""Fail when this environment holds a package that constraints.txt does not pin: ``pins.py CONSTRAINTS.txt``."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distributions
from pathlib import Path

__all__ = ["main"]

_OWN = {"pip", "setuptools", "pycontextify"}


def main(constraints: Path) -> int:
    """Compare, say what differs, and return the exit code."""
    lines = constraints.read_text(encoding="utf-8").splitlines()
    pinned = {line.partition(";")[0].strip() for line in lines if line and not line.startswith("#")}
    installed = {(_normal(each.metadata["Name"]), each.version) for each in distributions()}
    loose = sorted(f"{name}=={version}" for name, version in installed if name not in _OWN)
    loose = [each for each in loose if each not in pinned]
    for each in loose:
        print(f"installed, and not pinned: {each}")
    print(f"{len(installed)} packages installed, {len(loose)} of them not pinned")
    return 1 if loose else 0


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
