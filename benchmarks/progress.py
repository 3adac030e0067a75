"""How far a run is, on standard error: what is under way, and how long it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["under_way"]


@contextmanager
def under_way(what: str, took: dict[str, float] | None = None) -> Iterator[None]:
    """Tell that something begins and, when it has ended, after how many seconds; note them in ``took`` too."""
    sys.stderr.write(f"{what} …\n")
    began = time.monotonic()
    try:
        yield
    finally:
        seconds = time.monotonic() - began
        sys.stderr.write(f"{what}: {seconds:.1f} s\n")
        if took is not None:
            took[what] = round(seconds, 1)
