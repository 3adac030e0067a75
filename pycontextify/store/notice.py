"""What the process that hydrates an index directory tells those that wait for it: a small JSON file, replaced often.

It is for people to read, so it is neither flushed nor trusted: what can't be read says nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pycontextify.store.durable import post_bytes

__all__ = ["post", "posted", "take_down"]

_LIMIT = 64 * 1024


def post(file: Path, facts: Mapping[str, Any]) -> None:
    """Replace what is told. Where that can't be written, nobody is told."""
    with suppress(OSError):
        post_bytes(file, json.dumps(facts).encode())


def posted(file: Path) -> Mapping[str, Any]:
    """Return what is told; nothing when there is nothing to read."""
    with suppress(OSError, ValueError):
        with file.open("rb") as opened:
            facts = json.loads(opened.read(_LIMIT))
        return facts if isinstance(facts, dict) else {}
    return {}


def take_down(file: Path) -> None:
    """Tell nothing any more."""
    with suppress(OSError):
        file.unlink(missing_ok=True)
