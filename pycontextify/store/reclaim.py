"""Reclaiming: what writers that died have left in an index directory."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path

from pycontextify.store.durable import found_in
from pycontextify.store.layout import Layout

__all__ = ["drop_downloads", "drop_partials", "reclaim"]

_PARTIAL_SECONDS = 7 * 86400
_PARTIAL_QUOTA = 64 << 30


def reclaim(layout: Layout, *, now: Callable[[], float] = time.time) -> int:
    """Remove what dead writers have left; return how many files. Call it with both locks held.

    Temporary files and staging directories go. Downloads that were interrupted stay for a week, and what builds had
    embedded that were; the newest of both within 64 GiB, for they save work.
    """
    _drop_builds(layout)
    gone = _unlink(_temporary_files(layout))
    spent = 0
    for part in sorted(_resumable(layout), key=_written, reverse=True):
        with suppress(OSError):
            status = part.stat()
            spent += status.st_size
            if spent > _PARTIAL_QUOTA or now() - status.st_mtime > _PARTIAL_SECONDS:
                gone += _unlink((part, part.with_suffix(".journal")))
    return gone


def drop_partials(layout: Layout) -> None:
    """Remove what downloads and builds have left behind; call it with both locks held."""
    _drop_builds(layout)
    drop_downloads(layout)
    _unlink(found_in(layout.partial, "*.vectors"))


def drop_downloads(layout: Layout, keep: Collection[Path] = ()) -> None:
    """Remove downloads, but for those to ``keep``; call it with the lock of whoever downloads held."""
    kept = {path.name for part in keep for path in (part, part.with_suffix(".journal"))}
    found = (*found_in(layout.partial, "*.part"), *found_in(layout.partial, "*.journal"))
    _unlink(left for left in found if left.name not in kept)


def _resumable(layout: Layout) -> list[Path]:
    """Return what an interrupted run has left for the next one to go on with."""
    return [*found_in(layout.partial, "*.part"), *found_in(layout.partial, "*.vectors")]


def _drop_builds(layout: Layout) -> None:
    for left in found_in(layout.partial, "*"):
        with suppress(OSError):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            elif left.name.startswith("copy-"):
                left.unlink(missing_ok=True)


def _temporary_files(layout: Layout) -> list[Path]:
    """Return the files that were to replace others, and did not come to it, and blobs left on their way out."""
    places = (layout.root, layout.blob_directory, layout.private)
    return [*(path for place in places for path in found_in(place, "*.tmp")), *found_in(layout.trash, "*")]


def _written(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _unlink(paths: Iterable[Path]) -> int:
    """Remove files; return how many. One that can't be (Windows, while somebody reads it) is left for next time."""
    gone = 0
    for path in paths:
        with suppress(OSError):
            path.unlink()
            gone += 1
    return gone
