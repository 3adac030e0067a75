"""What is told while an index is published."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontextify.publish.directory import publish_directory
from pycontextify.publish.pair import publish_archive, publish_pair
from pycontextify.publish.progress import Meter, PublishProgress
from pycontextify.store.layout import Layout
from tests.fakes.generation import make_generation

FIRST, SECOND = ["zebras have stripes"], ["teapots brew tea"]


def test_a_meter_adds_up() -> None:
    """More than there was to be is not told."""
    told: list[PublishProgress] = []
    meter = Meter("copying", 10, told.append)
    for size in (2, 4, 4, 5):
        meter.add(size)
    assert [each.done for each in told] == [0, 2, 6, 10, 10]
    assert {each.total for each in told} == {10}


def test_a_directory_tells_its_bytes(layout: Layout, tmp_path: Path) -> None:
    """They only grow, and end with all of them, copied or there already."""
    generation = make_generation(layout, FIRST, SECOND)
    for _ in range(2):
        told: list[PublishProgress] = []
        publish_directory(layout, generation, tmp_path / "public", on_progress=told.append)
        done = [each.done for each in told]
        assert done == sorted(done)
        assert done[-1] == told[-1].total == sum(blob.size for blob in layout.manifest(generation).layers)


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz", "tar.zst"])
def test_an_archive_tells_its_stages(layout: Layout, tmp_path: Path, ending: str) -> None:
    """Several segments are put together first; each stage ends with all of its bytes."""
    path, told = tmp_path / f"index.{ending}", list[PublishProgress]()
    publish_archive(layout, make_generation(layout, FIRST, SECOND), path, on_progress=told.append)
    stages = list(dict.fromkeys(each.stage for each in told))
    assert stages == ["assembling", "packing", "hashing"]
    ends = {each.stage: each for each in told}
    assert all(each.done == each.total for each in ends.values())
    assert ends["hashing"].total == path.stat().st_size


def test_a_pair_tells_both_files(layout: Layout, tmp_path: Path) -> None:
    """Each is copied, and then hashed."""
    told: list[PublishProgress] = []
    report = publish_pair(layout, make_generation(layout, FIRST), tmp_path, on_progress=told.append)
    sizes = [Path(file).stat().st_size for file in report.files if not file.endswith(".sha256")]
    ends = [each for each in told if each.done == each.total]
    assert [(each.stage, each.total) for each in ends] == [
        (stage, size) for size in sizes for stage in ("copying", "hashing")
    ]
