"""Fail when a test was skipped that is not expected to be: ``skips.py JUNIT.xml EXPECTED.txt``."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

__all__ = ["main"]


def main(report: Path, expected: Path) -> int:
    """Compare, say what differs, and return the exit code."""
    lines = (line.partition("#")[0].strip() for line in expected.read_text(encoding="utf-8").splitlines())
    allowed = {line for line in lines if line}
    cases = list(ET.parse(report).iter("testcase"))  # noqa: S314 - pytest wrote it a moment ago
    skipped = {f"{case.get('classname')}::{case.get('name')}" for case in cases if case.find("skipped") is not None}
    for name in sorted(skipped - allowed):
        print(f"skipped, and not expected to be: {name}")
    print(f"{len(cases)} tests, {len(skipped)} skipped, {len(skipped - allowed)} of them unexpectedly")
    return 1 if skipped - allowed or not cases else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
