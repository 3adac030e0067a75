"""Going back, local work and waiting, with real parts: what the source has, and what somebody wants, are two things."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import anyio
import anyio.to_thread
import numpy as np
import pytest
from numpy.typing import NDArray

from pycontextify.errors import PyContextifyError, ValidateError
from pycontextify.hydration.attempt import Attempt
from pycontextify.hydration.sources import ArchiveSource, LayoutSource, Source
from pycontextify.hydration.workers import Workers
from pycontextify.ingest.report import IndexRequest
from pycontextify.ingest.update import update_index
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.history import CURRENT, LOCAL, PREVIOUS, find, generations, gone_back_from
from pycontextify.snapshot.origin import BASE
from pycontextify.store.layout import Layout
from tests.fakes.acts import Stall
from tests.fakes.encoder import TinyEncoder
from tests.fakes.server import SnapshotServer
from tests.integration.conftest import FIRST, SECOND, Publisher, Replica

MakeReplica = Callable[[Source], Replica]
THIRD = {**FIRST, "guide/moon.md": "# Moon\n\nThe third edition speaks of the moon.\n"}
MANY = {f"{number}.md": f"# No {number}\n\nnumber{number} word{number}\n" for number in range(30)}
MINE = {"notes.md": "# Notes\n\nMy walrus diary.\n"}


def go_back(replica: Replica, wanted: str = PREVIOUS) -> Digest:
    """Go back, as `rollback` does, and serve that."""
    target = find(replica.layout.refs(), wanted)
    assert target is not None
    with replica.layout.lock(timeout=5):
        replica.layout.roll_back(target)
    replica.serve(target.digest)
    return target.digest


def source_of(kind: str, publisher: Publisher) -> Source:
    """A source of one kind, in files."""
    base = publisher.site.as_uri()
    return LayoutSource((f"{base}/layout",)) if kind == "layout" else ArchiveSource((f"{base}/index.zip",), "index")


def publish(publisher: Publisher, kind: str, files: dict[str, str]) -> Digest:
    """Publish, for a bare archive without its .sha256."""
    generation = publisher.publish(files)
    if kind == "bare archive":
        (publisher.site / "index.zip.sha256").unlink()
    return generation


@pytest.mark.parametrize("kind", ["layout", "archive"])
async def test_going_back_is_not_undone_until_the_source_moves_on(
    kind: str, publisher: Publisher, replica: MakeReplica
) -> None:
    """A refresh leaves it alone, however often; the next thing that the source has is taken."""
    here = replica(source_of(kind, publisher))
    await here.hydrate()
    publish(publisher, kind, SECOND)
    await here.hydrate("refresh")
    assert here.find("live zebra")[0] == "guide/swap.md"
    first = go_back(here)
    for trigger in ("refresh", "startup", "refresh"):
        assert (await here.hydrate(trigger)).result == "unchanged"
        assert here.served() == here.layout.current() == first
    publish(publisher, kind, THIRD)
    assert (await here.hydrate("refresh")).result == "installed"
    assert here.find("third edition")[0] == "guide/moon.md"
    assert gone_back_from(here.layout.refs()) == set()


async def test_an_archive_without_a_digest_is_known_by_its_etag(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """What was gone back from is recognised without fetching it."""
    (publisher.site / "index.zip.sha256").unlink()
    here = replica(ArchiveSource((server.url("index.zip"),), "index"))
    await here.hydrate()
    publish(publisher, "bare archive", SECOND)
    await here.hydrate("refresh")
    first, sent = go_back(here), server.body_bytes("index.zip")
    for _ in range(2):
        assert (await here.hydrate("refresh")).result == "unchanged"
    assert here.served() == first
    assert server.body_bytes("index.zip") - sent < 1000
    publish(publisher, "bare archive", THIRD)
    assert (await here.hydrate("refresh")).result == "installed"


async def test_who_asks_gets_what_was_gone_back_from(publisher: Publisher, replica: MakeReplica) -> None:
    """A manual rehydrate takes it again, without fetching a thing; from then on it counts as taken."""
    here = replica(source_of("layout", publisher))
    await here.hydrate()
    second = publisher.publish(SECOND)
    await here.hydrate("refresh")
    go_back(here)
    assert (await here.hydrate("manual")).generation == second
    assert (here.served(), here.board.status.bytes_fetched) == (second, 0)
    assert (await here.hydrate("refresh")).result == "unchanged"
    assert here.served() == second


async def test_local_work_does_not_bring_back_what_was_gone_back_from(
    publisher: Publisher, replica: MakeReplica
) -> None:
    """However many local generations have pushed it out of the history."""
    here = replica(source_of("layout", publisher))
    await here.hydrate()
    second = publisher.publish(SECOND)
    await here.hydrate("refresh")
    go_back(here)
    for number in range(4):
        here.index({"notes.md": f"# Notes\n\nwalrus {number}\n"})
    assert second not in {target.digest for target in generations(here.layout.refs())}
    assert (await here.hydrate("refresh")).result == "unchanged"
    assert here.find("walrus")[0] == "notes.md"


class Turning(TinyEncoder):
    """An encoder that turns every vector round once something is current."""

    def __init__(self, layout: Callable[[], Layout]) -> None:
        super().__init__()
        self._layout = layout
        self.bad: set[Digest] = set()

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Embed as ever, until then."""
        turned = self._layout().current() in self.bad
        vector = super().embed_query(text)
        return -vector if turned else vector


async def test_an_index_that_fails_once_it_is_live_is_gone_back_from(
    publisher: Publisher, workers: Workers, tmp_path: Path
) -> None:
    """It passed where it was staged and in its final place; the one before serves again, and a refresh leaves it so."""
    encoder = Turning(lambda: here.layout)
    here = Replica(tmp_path / "turning", source_of("layout", publisher), workers, encoder)
    first = (await here.hydrate()).generation
    second = publisher.publish(MANY)
    encoder.bad = {second}
    with pytest.raises(ValidateError) as caught:
        await here.hydrate("refresh")
    assert (caught.value.code, caught.value.asset) == ("probe_failed", second)
    assert here.served() == here.layout.current() == first
    assert here.find("time of day")[0] == "src/clock.py"
    assert gone_back_from(here.layout.refs()) == {second}
    assert (await here.hydrate("refresh")).result == "unchanged"
    assert here.served() == first
    here.close()


async def test_a_first_index_that_fails_once_it_is_live_stays(
    publisher: Publisher, workers: Workers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """There is nothing to go back to; the log says so."""
    generation = publisher.publish(MANY)
    encoder = Turning(lambda: here.layout)
    here = Replica(tmp_path / "turning", source_of("layout", publisher), workers, encoder)
    encoder.bad = {generation}
    assert (await here.hydrate()).result == "installed"
    assert here.served() == generation
    assert "failed its probe once it was live, and there is none before it" in caplog.text
    here.close()


async def test_what_is_indexed_over_a_fetched_index_says_so(publisher: Publisher, replica: MakeReplica) -> None:
    """In its manifest and in its ref; both are searched, and what was fetched is one step back."""
    here = replica(source_of("layout", publisher))
    base = (await here.hydrate()).generation
    own = here.index(MINE).generation
    assert here.layout.manifest(own).annotations == {BASE: base}
    assert here.layout.refs().refs[CURRENT].annotations[BASE] == base
    assert here.layout.refs().refs[PREVIOUS].digest == base
    assert here.find("walrus diary")[0] == "notes.md"
    assert here.find("send a request again after a pause")[0] == "guide/retry.md"


async def test_following_an_unchanged_source_leaves_local_work_alone(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """And asks no more than it would without: a 304."""
    here = replica(LayoutSource((server.url("layout"),)))
    await here.hydrate()
    own = here.index(MINE).generation
    again = here.index({"more.md": "# More\n\nA second walrus.\n"}).generation
    server.requests.clear()
    assert (await here.hydrate("refresh")).result == "unchanged"
    assert [(seen.path, "If-None-Match" in seen.headers) for seen in server.requests] == [("/layout/index.json", True)]
    assert here.layout.current() == here.served() == again != own
    assert here.board.status.notice is None


async def test_a_source_that_moves_on_keeps_local_work_and_says_so(
    publisher: Publisher, replica: MakeReplica, caplog: pytest.LogCaptureFixture
) -> None:
    """Under ``local``, whatever comes later; status and log tell how to get it back, and rolling back does."""
    here = replica(source_of("layout", publisher))
    await here.hydrate()
    own = here.index(MINE).generation
    with caplog.at_level(logging.WARNING):
        for files in (SECOND, THIRD):
            publisher.publish(files)
            assert (await here.hydrate("refresh")).result == "installed"
    assert "rollback --to local" in (here.board.status.notice or "")
    assert caplog.text.count("rollback --to local") == 1
    assert here.find("walrus diary")[:1] != ["notes.md"]
    assert go_back(here, LOCAL) == own
    assert here.find("walrus diary")[0] == "notes.md"
    assert (await here.hydrate("refresh")).result == "unchanged"
    assert here.served() == own


async def test_who_waits_for_another_process_shows_its_progress_and_fetches_nothing(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Two replicas of one directory: the second waits, then serves what the first has brought."""
    source = LayoutSource((server.url("layout"),))
    first, second = replica(source), replica(source)
    second.attempt = sharing(second, Layout(first.layout.root))
    blob = max(publisher.layout.manifest(publisher.layout.current() or Digest("")).blobs, key=lambda each: each.size)
    stall = Stall(after=blob.size // 2)
    path = f"layout/blobs/sha256/{blob.digest.hex}"
    server.script(path, stall)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first.hydrate)
        await asyncio.wait_for(stall.reached.wait(), 10)
        tasks.start_soon(second.hydrate)
        with anyio.fail_after(10):
            while not (second.board.status.waiting_for or {}).get("bytes_done"):
                await anyio.sleep(0.01)
        shown = second.board.status
        assert shown.state == "waiting"
        assert shown.waiting_for is not None
        assert shown.waiting_for["state"] == "fetching"
        assert 0 < shown.waiting_for["bytes_done"] < shown.waiting_for["bytes_total"]
        stall.release.set()
    assert second.served() == first.served() == publisher.layout.current()
    assert (first.board.status.history[0].result, second.board.status.history[0].result) == ("installed", "unchanged")
    assert second.board.status.bytes_fetched == 0
    assert server.body_bytes(path) == blob.size
    assert second.board.status.waiting_for is None
    assert not first.layout.notice.exists()


class Unlocked(Layout):
    """A layout whose writers do not exclude each other."""

    def lock(self, *, timeout: float) -> AbstractContextManager[None]:
        """Exclude nobody."""
        return nullcontext()

    def hydration_lock(self) -> AbstractContextManager[None]:
        """Wait for nobody."""
        return nullcontext()


def sharing(replica: Replica, layout: Layout) -> Attempt:
    """Return a replica's attempt, at work in this layout."""
    return replace(
        replica.attempt,
        layout=layout,
        turns=replace(replica.attempt.turns, layout=layout),
        installation=replace(replica.attempt.installation, layout=layout),
    )


async def test_two_writers_that_do_not_see_each_other(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Without a lock between them, one indexes and both hydrate at once: what is current is whole, or was never there.

    Either may fail, for they write the same partial files; the next start puts it right.
    """
    source = LayoutSource((server.url("layout"),))
    first, second = replica(source), replica(source)
    second.layout = Unlocked(first.layout.root)
    second.attempt = sharing(second, second.layout)

    async def hydrate(here: Replica) -> None:
        with suppress(PyContextifyError):
            await here.hydrate()

    def index() -> None:
        root = first.layout.root.with_name("mine")
        root.mkdir()
        (root / "notes.md").write_text(MINE["notes.md"], encoding="utf-8")
        update_index(
            Unlocked(first.layout.root),
            IndexRequest(root=root, tree="mine"),
            TinyEncoder(),
            on_progress=lambda _: None,
            now=lambda: datetime.now(UTC),
        )

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hydrate, first)
        tasks.start_soon(hydrate, second)
        tasks.start_soon(anyio.to_thread.run_sync, index)
    assert first.layout.whole_current() is not None
    assert first.layout.leased() == frozenset()
    for here in (first, second):
        assert (await here.hydrate()).generation == first.layout.current()
        assert here.find("time of day")[0] == "src/clock.py"
