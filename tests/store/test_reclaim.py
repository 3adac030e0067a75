"""Reclaiming what dead writers left: everything but downloads worth going on with."""

from __future__ import annotations

import os
from pathlib import Path

from pycontextify.store.layout import Layout
from pycontextify.store.reclaim import reclaim
from tests.store.generations import store

NOW = 1_800_000_000.0
DAY = 86400.0


def download(layout: Layout, name: str, *, days: float, size: int = 10) -> Path:
    """Leave a partial download with its journal, written so long ago; it is a file with holes."""
    part = layout.partial / f"{name}.part"
    with part.open("wb") as file:
        file.truncate(size)
    part.with_suffix(".journal").write_bytes(b"{}")
    os.utime(part, (NOW - days * DAY,) * 2)
    return part


def left(layout: Layout) -> set[str]:
    """The names of what lies among the partial files."""
    return {path.name for path in layout.partial.iterdir()}


def test_temporary_files_and_builds_go(layout: Layout) -> None:
    """Wherever a writer stages them; what is in use has no such name and stays."""
    layout.activate(store(layout, 1, b"vectors", b"chunks"))
    kept = {path for path in layout.root.rglob("*") if path.is_file()}
    places = (layout.root, layout.blob_path(layout.refs().refs["current"].digest).parent, layout.notice.parent)
    for place in places:
        (place / ".index.json.0123.tmp").write_bytes(b"x")
    (layout.partial / "copy-0123").write_bytes(b"x")
    (layout.partial / "staging-0123").mkdir()
    (layout.partial / "staging-0123" / "vectors").write_bytes(b"x")
    assert reclaim(layout, now=lambda: NOW) == len(places)
    assert {path for path in layout.root.rglob("*") if path.is_file()} == kept
    assert left(layout) == set()


def test_downloads_stay_for_a_week(layout: Layout) -> None:
    """Their journals with them."""
    download(layout, "young", days=6.9)
    download(layout, "old", days=7.1)
    assert reclaim(layout, now=lambda: NOW) == 2
    assert left(layout) == {"young.part", "young.journal"}


def test_what_a_build_has_embedded_stays_for_a_week(layout: Layout) -> None:
    """The next one goes on with it."""
    for name, days in (("young", 6.9), ("old", 7.1)):
        (layout.partial / f"{name}.vectors").write_bytes(b"x")
        os.utime(layout.partial / f"{name}.vectors", (NOW - days * DAY,) * 2)
    assert reclaim(layout, now=lambda: NOW) == 1
    assert left(layout) == {"young.vectors"}


def test_the_newest_downloads_stay_within_the_quota(layout: Layout) -> None:
    """64 GiB; the one that goes beyond it goes, and all that are older."""
    download(layout, "newest", days=1, size=40 << 30)
    download(layout, "middle", days=2, size=40 << 30)
    download(layout, "oldest", days=3, size=1)
    assert reclaim(layout, now=lambda: NOW) == 4
    assert left(layout) == {"newest.part", "newest.journal"}


def test_nothing_left_is_nothing_to_do(layout: Layout) -> None:
    """Nor is a directory that is not there, nor one without partial files."""
    assert reclaim(layout) == 0
    layout.partial.rmdir()
    assert reclaim(layout) == 0
    assert reclaim(Layout(layout.root / "nowhere")) == 0
