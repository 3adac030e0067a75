"""Quantities and progress in words: what people and models read in answers. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycontextify.hydration.status import HydrationStatus
    from pycontextify.ingest.report import IndexProgress

__all__ = ["advance", "count", "duration", "hydrating", "indexing", "megabytes", "size"]

_TOTAL = 100.0
_LEAST_STEP = 0.001
_DOING = {
    "resolving": "asking the source what there is",
    "verifying": "verifying digests",
    "extracting": "extracting the archive",
    "validating": "validating the new index",
    "activating": "activating the new index",
    "waiting": "waiting for another process that works on the index directory",
}


def megabytes(size: float) -> str:
    """Return a number of bytes as ``40.1``, in MB of 1,000,000 bytes."""
    return f"{size / 1e6:.1f}"


def size(amount: float) -> str:
    """Return a number of bytes with its unit: ``812 B``, ``12.5 kB``, ``40.1 MB``, ``3.2 GB`` (of 1,000 each)."""
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if amount >= step:
            return f"{amount / step:.1f} {unit}"
    return f"{amount:.0f} B"


def count(number: int, noun: str) -> str:
    """Return ``1 chunk`` or ``39,043 chunks``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float) -> str:
    """Return a length of time in the two largest units that matter least: ``6 s``, ``3 min``, ``2 h``, ``5 days``."""
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(1, math.ceil(seconds))} s"


def hydrating(status: HydrationStatus) -> str:
    """Tell what a hydration is doing: ``fetching 12.3 of 40.1 MB (31%), 4.2 MB/s, 6 s left``."""
    if status.state == "waiting":
        return f"{_DOING['waiting']}{_progress_of_others(status.waiting_for or {})}"
    if status.state != "fetching" or not status.bytes_total:
        return _DOING.get(status.state, status.state)
    words = [f"fetching {megabytes(status.bytes_done)} of {megabytes(status.bytes_total)} MB"]
    if status.percent is not None:
        words[0] += f" ({status.percent:.0f}%)"
    if status.rate_bytes_per_second:
        words.append(f"{megabytes(status.rate_bytes_per_second)} MB/s")
    if status.eta_seconds is not None:
        words.append(f"{duration(status.eta_seconds)} left")
    return ", ".join(words)


def _progress_of_others(facts: Mapping[str, Any]) -> str:
    done, total = facts.get("bytes_done"), facts.get("bytes_total")
    if not (isinstance(done, int) and isinstance(total, int) and total > 0):
        return ""
    return f", which has {megabytes(done)} of {megabytes(total)} MB ({100 * done / total:.0f}%)"


def indexing(progress: IndexProgress) -> tuple[float, str]:
    """Tell how far an index run is, in percent and in words. Embedding takes nearly all of its time."""
    done = progress.done / progress.total if progress.total else 0.0
    match progress.stage:
        case "scanning":
            return 5 * done, f"scanning files, {progress.done} so far"
        case "embedding":
            return 5 + 90 * done, f"embedding passages, {progress.done} of {progress.total}"
        case "writing":
            return 95.0, "writing the new index"


def advance(before: float, percent: float | None) -> float:
    """Return the next progress out of 100: at least ``percent``, more than ``before``, less than 100.

    MCP wants progress that strictly increases, also while nothing can be counted; what is left shrinks by a thousandth.
    """
    least = before + (_TOTAL - before) * _LEAST_STEP
    return max(least, min(percent or 0.0, _TOTAL - 1))
