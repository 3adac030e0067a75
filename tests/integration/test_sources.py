"""Looks at a source that must not be wrong: what is new is noticed, what is not costs nothing, no mirror is missed."""

from __future__ import annotations

import json
import os
import sys
import traceback
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from aiohttp import web

from pycontextify.errors import PermanentFetchError, SnapshotRejected, TransientFetchError
from pycontextify.hydration.attempt import Bounds
from pycontextify.hydration.sources import ArchiveSource, LayoutSource, PairSource, Source
from pycontextify.hydration.workers import Workers, beside
from pycontextify.ingest.report import IndexRequest
from pycontextify.ingest.update import update_index
from pycontextify.snapshot.digest import digest_of, parse_digest
from pycontextify.snapshot.manifest import VECTORS_TYPE, Descriptor, RefTable
from pycontextify.store.layout import Layout
from tests.fakes.acts import Cut, Garble, Stall, Status, Trickle
from tests.fakes.server import SnapshotServer
from tests.integration.conftest import SECOND, Publisher, Replica
from tests.integration.test_hydration import plain_server

MakeReplica = Callable[[Source], Replica]


def publish_second(publisher: Publisher) -> None:
    """Publish something new, the archive without its .sha256."""
    publisher.publish(SECOND)
    (publisher.site / "index.zip.sha256").unlink(missing_ok=True)


@pytest.fixture
def bare(publisher: Publisher) -> Publisher:
    """A publisher whose zip and pair have no .sha256 beside them."""
    for name in ("index.zip", "pair/index.faiss", "pair/index.sqlite"):
        (publisher.site / f"{name}.sha256").unlink()
    return publisher


@asynccontextmanager
async def answering(answer: Callable[[web.Request], web.StreamResponse]) -> AsyncIterator[str]:
    """Serve by a function; gives the address."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_two_files_behind_one_path(publisher: Publisher, replica: MakeReplica) -> None:
    """Their addresses differ in the query alone; they are downloaded to two places all the same."""

    def download(request: web.Request) -> web.StreamResponse:
        file = publisher.site / "pair" / request.query.get("file", "none")
        return web.FileResponse(file) if request.path == "/download" and file.is_file() else web.Response(status=404)

    async with answering(download) as base:
        faiss, sqlite = (f"{base}/download?file=index.{suffix}" for suffix in ("faiss", "sqlite"))
        here = replica(PairSource((faiss,), (sqlite,)))
        await here.hydrate()
    assert here.find("validator of a cached answer")[0] == "guide/cache.md"


async def test_another_query_is_another_source(publisher: Publisher, replica: MakeReplica, tmp_path: Path) -> None:
    """Dates say nothing across addresses: the second one's are older."""
    (tmp_path / "second").mkdir()
    second = Publisher(tmp_path / "second", publisher.encoder)
    second.publish(SECOND)
    sites = {"1": (publisher.site, 2025), "2": (second.site, 2024)}

    def by_version(request: web.Request) -> web.StreamResponse:
        site, year = sites[request.query["v"]]
        file = site / request.path.lstrip("/")
        modified = datetime(year, 1, 1, tzinfo=UTC)
        since = request.if_modified_since
        if not file.is_file():
            return web.Response(status=404)
        if since is not None and modified <= since:
            return web.Response(status=304)
        reply = web.Response(body=file.read_bytes())
        reply.last_modified = modified
        return reply

    async with answering(by_version) as base:
        here = replica(LayoutSource((f"{base}/layout?v=1",)))
        await here.hydrate()
        assert (await here.hydrate()).result == "unchanged"
        assert (await here.hydrate_from(LayoutSource((f"{base}/layout?v=2",)))).result == "installed"


async def test_two_publications_within_a_second(publisher: Publisher, replica: MakeReplica) -> None:
    """A date as young as the reply vouches for nothing."""
    index = publisher.site / "layout/index.json"
    with plain_server(publisher.site) as base:
        here = replica(LayoutSource((f"{base}/layout",)))
        stamp = index.stat().st_mtime
        await here.hydrate()
        publisher.publish(SECOND)
        os.utime(index, (stamp, stamp))
        assert (await here.hydrate()).result == "installed"


async def test_another_name_in_the_same_archive(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """An archive may hold several indexes; which one is wanted is part of the question."""
    for sidecar in (True, False):
        with zipfile.ZipFile(publisher.site / "both.zip", "w") as archive:
            for name, files in (("a", None), ("b", SECOND)):
                if files:
                    publisher.publish(files)
                for suffix in ("faiss", "sqlite"):
                    archive.write(publisher.site / f"pair/index.{suffix}", f"{name}.{suffix}")
        digest = digest_of((publisher.site / "both.zip").read_bytes())
        (publisher.site / "both.zip.sha256").write_text(digest.hex if sidecar else "")
        if not sidecar:
            (publisher.site / "both.zip.sha256").unlink()
        here = replica(ArchiveSource((server.url("both.zip"),), name="a"))
        await here.hydrate()
        assert (await here.hydrate()).result == "unchanged"
        await here.hydrate_from(ArchiveSource((server.url("both.zip"),), name="b"))
        assert here.find("live zebra")[0] == "guide/swap.md"


async def test_a_dead_mirror_does_not_hide_what_is_new(bare: Publisher, replica: MakeReplica) -> None:
    """The one that it came from is gone; another one has the news."""
    async with SnapshotServer(bare.site) as second:
        async with SnapshotServer(bare.site) as first:
            here = replica(ArchiveSource((first.url("index.zip"), second.url("index.zip")), name="index"))
            await here.hydrate()
        publish_second(bare)
        assert (await here.hydrate()).result == "installed"


async def test_a_server_that_garbles_ranges_can_be_followed(
    bare: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """A look asks for one byte; what it gets may be nonsense, and means that nothing is known."""
    server.always("index.zip", Garble("bytes 0-99/100"))
    here = replica(ArchiveSource((server.url("index.zip"),), name="index"))
    await here.hydrate()
    publish_second(bare)
    assert (await here.hydrate()).result == "installed"


async def test_one_mirror_says_that_there_is_no_sidecar_and_the_other_is_dead(
    bare: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """That is an answer."""
    here = replica(ArchiveSource((server.url("index.zip"), "http://127.0.0.1:9/index.zip"), name="index"))
    assert (await here.hydrate()).result == "installed"


async def test_a_missing_sidecar_says_nothing_of_its_host(
    bare: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Called forbidden by some; the archive still comes from the mirror that is listed first."""
    server.always("index.zip.sha256", Status(403))
    async with SnapshotServer(bare.site) as other:
        here = replica(ArchiveSource((server.url("index.zip"), other.url("index.zip")), name="index"))
        await here.hydrate()
    assert server.hits("index.zip") == 1


async def test_a_pair_without_sidecars_is_not_fetched_again(
    bare: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Both files are asked for by their validators; one that has changed is enough."""
    here = replica(PairSource((server.url("pair/index.faiss"),), (server.url("pair/index.sqlite"),)))
    await here.hydrate()
    sent = server.body_bytes("pair/index.sqlite")
    server.requests.clear()
    assert (await here.hydrate()).result == "unchanged"
    assert [seen.path for seen in server.requests] == ["/pair/index.faiss", "/pair/index.sqlite"]
    assert server.body_bytes("pair/index.sqlite") == sent
    bare.publish(SECOND)
    assert (await here.hydrate()).result == "installed"


async def test_processes_that_start_together_fetch_once(
    bare: Publisher, server: SnapshotServer, workers: Workers, tmp_path: Path
) -> None:
    """Even where no digest tells beforehand what will come: who waited looks again."""
    source = ArchiveSource((server.url("index.zip"),), name="index")
    replicas = [Replica(tmp_path / "shared", source, workers, bare.encoder) for _ in range(4)]
    async with anyio.create_task_group() as tasks:
        for each in replicas:
            each.board.begin("startup")
            tasks.start_soon(each.attempt.run)
    for each in replicas:
        assert each.find("time of day")[0] == "src/clock.py"
        each.close()
    size = (bare.site / "index.zip").stat().st_size
    assert server.body_bytes("index.zip") < size + 10


async def test_an_etag_that_is_no_text_is_passed_over(publisher: Publisher, replica: MakeReplica) -> None:
    """It could not be sent back, nor written down."""

    def odd(request: web.Request) -> web.StreamResponse:
        file = publisher.site / request.path.lstrip("/")
        if not file.is_file():
            return web.Response(status=404)
        return web.Response(body=file.read_bytes(), headers={"ETag": '"caf\u00e9"'})

    async with answering(odd) as base:
        here = replica(LayoutSource((f"{base}/layout",)))
        assert [(await here.hydrate()).result, (await here.hydrate()).result] == ["installed", "unchanged"]


async def test_rejected_versions_do_not_pile_up(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """The last one is kept, for it need not be fetched again; those before are nobody's."""
    here = replica(ArchiveSource((server.url("index.tar"),), name="index"))
    for number in range(3):
        content = bytes([number]) * 1000
        (publisher.site / "index.tar").write_bytes(content)
        (publisher.site / "index.tar.sha256").write_text(digest_of(content).hex)
        with pytest.raises(SnapshotRejected):
            await here.hydrate()
    assert len(list(here.layout.partial.glob("*.part"))) == 1


async def test_a_remembered_rejection_holds_nothing(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Raised again and again, its traceback does not grow."""
    here = replica(ArchiveSource((server.url("index.tar"),), name="index"))
    content = bytes(1000)
    (publisher.site / "index.tar").write_bytes(content)
    (publisher.site / "index.tar.sha256").write_text(digest_of(content).hex)
    depths = []
    for _ in range(4):
        here.board.begin("refresh")
        with pytest.raises(SnapshotRejected) as caught:
            await here.attempt.run()
        depths.append(len(traceback.extract_tb(caught.value.__traceback__)))
    assert depths[1] == depths[2] == depths[3]


async def test_a_thousand_refs_make_no_long_message(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Five are enough to see what is meant."""
    index = publisher.site / "layout/index.json"
    raw = json.loads(index.read_bytes())
    names = [f"r{number}{'x' * 100}" for number in range(1000)]
    raw["manifests"] = [
        {**raw["manifests"][0], "annotations": {"org.opencontainers.image.ref.name": name}} for name in names
    ]
    index.write_text(json.dumps(raw))
    with pytest.raises(PermanentFetchError, match="and 995 more") as caught:
        await replica(LayoutSource((server.url("layout"),))).hydrate()
    assert len(str(caught.value)) < 1000


async def test_a_resumed_download_of_unknown_size_tells_the_truth(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """What is there and what is to come, from the journal, before the first byte arrives."""
    size = (publisher.site / "index.zip").stat().st_size
    server.script("index.zip", Cut(size // 2), Status(404))
    here = replica(ArchiveSource((server.url("index.zip"),), name="index"))
    with pytest.raises(PermanentFetchError):
        await here.hydrate()
    stall = Stall(after=10)
    server.script("index.zip", stall)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(here.hydrate)
        await stall.reached.wait()
        while here.board.status.bytes_fetched < 10:
            await anyio.sleep(0.001)
        status = here.board.status
        stall.release.set()
    assert (status.bytes_total, status.bytes_done) == (size, size // 2 + 10)


async def test_a_look_that_never_ends_is_ended(server: SnapshotServer, replica: MakeReplica) -> None:
    """The deadline is for looking too."""
    server.always("layout/index.json", Trickle(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"))
    here = replica(LayoutSource((server.url("layout"),)))
    here.attempt = replace(here.attempt, bounds=Bounds(seconds=0.2))
    with anyio.fail_after(5), pytest.raises(TransientFetchError, match="more than 0 s"):
        await here.hydrate()


async def test_what_is_served_unsaved_is_not_undone_by_a_look(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica, tmp_path: Path
) -> None:
    """Without auto_persist what was indexed is served and not current; a look that finds nothing leaves it."""
    here = replica(LayoutSource((server.url("layout"),)))
    await here.hydrate()
    tree = tmp_path / "mine"
    tree.mkdir()
    (tree / "z.md").write_text("# Zebra\n\nzebra stripes alone\n")
    request = IndexRequest(root=tree, tree="mine", activate=False)
    report = update_index(
        here.layout, request, publisher.encoder, on_progress=lambda _: None, now=lambda: datetime.now(UTC)
    )
    config = here.layout.config(report.generation)
    here.live.swap(here.attempt.installation.open_view(report.generation, config, here.layout.blob_path))
    assert (await here.hydrate()).result == "unchanged"
    assert here.find("zebra stripes")[0] == "z.md"


if sys.platform == "linux":

    async def test_many_blobs_do_not_use_up_the_files(
        publisher: Publisher, server: SnapshotServer, replica: MakeReplica
    ) -> None:
        """However many there are, a few are under way at once."""
        layout = Layout(publisher.site / "layout")
        manifest = layout.manifest(publisher.layout.current() or parse_digest(""))
        extra = [layout.add_bytes(f"blob {number}".encode()) for number in range(200)]
        layers = [Descriptor(VECTORS_TYPE, digest, layout.size_of(digest)) for digest in extra]
        content = replace(manifest, layers=(*manifest.layers, *layers)).to_bytes()
        layout.write_refs(RefTable().point("latest", layout.add_bytes(content), len(content)))
        here, most = replica(LayoutSource((server.url("layout"),))), 0

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, len(list(Path("/proc/self/fd").iterdir())))
                await anyio.sleep(0.001)

        before = len(list(Path("/proc/self/fd").iterdir()))
        await beside(here.hydrate, watch)
        assert most - before < 100
