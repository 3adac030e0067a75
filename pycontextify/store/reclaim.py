"""Reclaiming: what writers that died have left in an index directory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from pycontextify.store.durable import found_in
from pycontextify.store.layout import Layout

__all__ = ["reclaim"]

_PARTIAL_SECONDS = 7 * 86400
_PARTIAL_QUOTA = 64 << 30


def reclaim(layout: Layout, *, now: Callable[[], float] = time.time) -> int:
    """Remove what dead writers have left; return how many files. Call it with both locks held.

    Temporary files and staging directories go. Downloads that were interrupted stay for a week, the newest of them
    within 64 GiB, for they save fetching.
    """
    layout.drop_builds()
    gone = _unlink(layout.temporary_files())
    spent = 0
    for part in sorted(found_in(layout.partial, "*.part"), key=_written, reverse=True):
        with suppress(OSError):
            status = part.stat()
            spent += status.st_size
            if spent > _PARTIAL_QUOTA or now() - status.st_mtime > _PARTIAL_SECONDS:
                gone += _unlink((part, part.with_suffix(".journal")))
    return gone


def _written(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _unlink(paths: Iterable[Path]) -> int:
    gone = 0
    for path in paths:
        with suppress(OSError):
            path.unlink()
            gone += 1
    return gone
