"""What is asked: the first lines of docstrings of Python's standard library."""

from __future__ import annotations

import re
import sysconfig
from pathlib import Path

__all__ = ["questions"]

_DOCSTRING = re.compile(r'^ +"""(\w+(?: [^\s"]+){3,})', re.MULTILINE)
"""With four words at least."""


def questions(count: int) -> list[str]:
    """Return that many different lines, from all over the library."""
    paths = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in paths)
    found = list(dict.fromkeys(line for text in texts for line in _DOCSTRING.findall(text)))
    return found[:: len(found) // count][:count]
