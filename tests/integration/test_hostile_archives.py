"""Hostile archives, fetched as any other: the old index goes on answering, and the status says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from pycontextify.hydration.service import HydrationService, Schedule
from pycontextify.hydration.sources import ArchiveSource, LayoutSource, Source
from pycontextify.hydration.status import Failure
from pycontextify.snapshot.digest import digest_of
from tests.fakes.server import SnapshotServer
from tests.hostile.case import NAME, Case
from tests.hostile.corpus import CASES
from tests.integration.conftest import Publisher, Replica

CHOSEN = (
    "a.tar-upward_name",
    "a.tar-file_behind_a_symlink",
    "a.tar-two_sizes",
    "a.tar-a_second_archive",
    "a.tar.gz-bomb",
    "a.tar.gz-records_without_end",
    "a.tar.zst-cut",
    "a.zip-symlink",
    "a.zip-encrypted",
    "a.zip-overlapping_members",
    "a.zip-bomb",
    "a.zip-a_zip_within",
    "a.zip-beside_it_evil.sh",
    "a.zip-name:_device_of_Windows",
    "a.zip-a_zip_that_is_a_tar",
)


def files(root: Path) -> set[Path]:
    """Everything below a directory, links included."""
    return set(root.rglob("*"))


async def failure(replica: Replica, source: Source) -> Failure:
    """What the status tells after a hydration from this source, as a server runs it."""

    async def needed() -> bool:
        return True

    service = HydrationService(replace(replica.attempt, source=source), replica.board, Schedule(), needed=needed)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(service.run)
        with anyio.fail_after(30):
            while service.status.last_error is None:
                await anyio.sleep(0.001)
        tasks.cancel_scope.cancel()
    assert service.status.last_error is not None
    return service.status.last_error


@pytest.mark.parametrize("case", [case for case in CASES if str(case) in CHOSEN], ids=str)
async def test_the_old_index_goes_on_answering(
    case: Case, publisher: Publisher, server: SnapshotServer, replica: Callable[[Source], Replica], tmp_path: Path
) -> None:
    """Nothing comes of it but the error: no blob, no file beside the index directory, and nobody holds the lock."""
    here = replica(LayoutSource((server.url("layout"),)))
    before = (await here.hydrate()).generation
    blobs = sorted(path.name for path in here.layout.blob_files())
    content = case.build()
    (publisher.site / case.file_name).write_bytes(content)
    (publisher.site / f"{case.file_name}.sha256").write_text(digest_of(content).hex)
    around = {path for path in files(tmp_path) if here.layout.root not in path.parents}
    error = await failure(here, ArchiveSource((server.url(case.file_name),), name=NAME))
    assert (error.code, case.file_name in error.message) == (case.code, True)
    assert here.served() == here.layout.current() == before
    assert here.find("time of day")[0] == "src/clock.py"
    assert sorted(path.name for path in here.layout.blob_files()) == blobs
    assert {path for path in files(tmp_path) if here.layout.root not in path.parents} == around
    with here.layout.lock(timeout=0):
        pass


def test_all_that_were_chosen_are_there() -> None:
    """A case that has another name now would not be tried."""
    assert set(CHOSEN) <= set(map(str, CASES))
