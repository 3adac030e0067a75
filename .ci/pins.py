"""Fail when this environment holds a package that no lock file pins: ``pins.py LOCK.txt…``."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distributions
from pathlib import Path

__all__ = ["main", "pinned"]

# pip is what installs: it comes with Python.
_OWN = {"pip", "pycontextify"}


def main(locks: list[Path]) -> int:
    """Compare, say what differs, and return the exit code."""
    known = set[str]().union(*(pinned(lock.read_text(encoding="utf-8")) for lock in locks))
    installed = {(_normal(each.metadata["Name"]), each.version) for each in distributions()}
    loose = sorted(f"{name}=={version}" for name, version in installed if name not in _OWN)
    loose = [each for each in loose if each not in known]
    for each in loose:
        print(f"installed, and not pinned: {each}")
    print(f"{len(installed)} packages installed, {len(loose)} of them not pinned")
    return 1 if loose else 0


def pinned(lock: str) -> set[str]:
    """Every ``name==version`` of a lock file's text; the lines of hashes begin with a space."""
    return set(re.findall(r"^[\w.-]+==[^\s;\\]+", lock, flags=re.MULTILINE))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main([Path(each) for each in sys.argv[1:]]))
