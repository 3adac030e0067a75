"""From publishing to searching, over every kind of source and real servers."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from pycontextify.errors import PermanentFetchError, StoreError, TransientFetchError, ValidateError, VerifyError
from pycontextify.hydration.attempt import Bounds
from pycontextify.hydration.sources import ArchiveSource, LayoutSource, PairSource, Source
from pycontextify.hydration.status import Trigger
from pycontextify.index.model import Query
from pycontextify.snapshot.digest import digest_of, parse_digest
from pycontextify.snapshot.manifest import RefTable
from pycontextify.store.layout import Layout
from tests.fakes.acts import Length, Stall, Status
from tests.fakes.server import SnapshotServer
from tests.integration.conftest import FIRST, SECOND, Publisher, Replica

MakeReplica = Callable[[Source], Replica]
KINDS = ["layout", "index.zip", "index.tar", "index.tar.gz", "index.tgz", "index.tar.zst", "pair"]


def source_at(kind: str, base: str) -> Source:
    """Return the source of one kind below an address."""
    match kind:
        case "layout":
            return LayoutSource((f"{base}/layout",))
        case "pair":
            return PairSource((f"{base}/pair/index.faiss",), (f"{base}/pair/index.sqlite",))
        case _:
            return ArchiveSource((f"{base}/{kind}",), name="index")


class _Quiet(SimpleHTTPRequestHandler):
    """The standard library's own static server, which has no idea of Range, without its log."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@contextmanager
def plain_server(root: Path) -> Iterator[str]:
    """Serve a directory with `http.server`; gives its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(root))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("kind", KINDS)
async def test_every_source_over_http(kind: str, server: SnapshotServer, replica: MakeReplica) -> None:
    """Each kind of source ends in an index that answers by meaning and words."""
    here = replica(source_at(kind, server.url().rstrip("/")))
    outcome = await here.hydrate()
    assert outcome.result == "installed"
    assert here.find("send a request again after a pause")[0] == "guide/retry.md"
    assert here.find("time of day")[0] == "src/clock.py"
    assert here.layout.current() == outcome.generation
    assert {asset.state for asset in here.board.status.assets} == {"verified"}
    assert here.board.status.bytes_done == here.board.status.bytes_total > 0


@pytest.mark.parametrize("kind", KINDS)
async def test_every_source_over_a_plain_static_server(kind: str, publisher: Publisher, replica: MakeReplica) -> None:
    """The standard library's http.server is enough to publish with."""
    with plain_server(publisher.site) as base:
        here = replica(source_at(kind, base))
        await here.hydrate()
    assert here.find("validator of a cached answer")[0] == "guide/cache.md"


@pytest.mark.parametrize("kind", KINDS)
async def test_every_source_from_a_directory(kind: str, publisher: Publisher, replica: MakeReplica) -> None:
    """file:// needs no server at all."""
    here = replica(source_at(kind, publisher.site.as_uri()))
    await here.hydrate()
    assert here.find("validator of a cached answer")[0] == "guide/cache.md"


async def test_a_hydrated_layout_is_the_published_one(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Local bytes and published bytes are identical: the same generation, the same blobs."""
    here = replica(LayoutSource((server.url("layout"),)))
    outcome = await here.hydrate()
    assert outcome.generation == publisher.layout.current()
    for blob in here.layout.manifest(outcome.generation).blobs:
        assert here.layout.blob_path(blob.digest).read_bytes() == publisher.layout.blob_path(blob.digest).read_bytes()


def disk(root: Path) -> dict[str, tuple[int, int]]:
    """Return everything below a directory, with the times of its last writes."""
    return {
        str(path.relative_to(root)): (path.stat().st_size, path.stat().st_mtime_ns) for path in [root, *root.rglob("*")]
    }


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("layout", ["/layout/index.json"]),
        ("index.tar.gz", ["/index.tar.gz.sha256"]),
        ("pair", ["/pair/index.faiss.sha256", "/pair/index.sqlite.sha256"]),
    ],
)
async def test_what_is_up_to_date_is_not_fetched_again(
    kind: str, asked: list[str], server: SnapshotServer, replica: MakeReplica
) -> None:
    """A second look costs the smallest request there is, less than 1 KB, and writes nothing at all."""
    here = replica(source_at(kind, server.url().rstrip("/")))
    await here.hydrate()
    before, sent = disk(here.layout.root), sum(map(server.body_bytes, asked))
    server.requests.clear()
    outcome = await here.hydrate()
    assert outcome.result == "unchanged"
    assert [seen.path for seen in server.requests] == asked
    assert disk(here.layout.root) == before
    assert sum(map(server.body_bytes, asked)) - sent < 1000


@pytest.mark.parametrize("kind", ["layout", "index.zip"])
async def test_an_unchanged_source_answers_without_a_body(
    kind: str, publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """The request carries the validator that came with the index: 304, even for an archive without a .sha256."""
    (publisher.site / "index.zip.sha256").unlink()
    path = "/layout/index.json" if kind == "layout" else "/index.zip"
    here = replica(source_at(kind, server.url().rstrip("/")))
    assert (await here.hydrate()).result == "installed"
    sent = server.body_bytes(path)
    server.requests.clear()
    assert (await here.hydrate()).result == "unchanged"
    assert [seen.path for seen in server.requests] == [path]
    assert "If-None-Match" in server.requests[0].headers
    assert server.body_bytes(path) == sent


@pytest.mark.parametrize("kind", ["layout", "index.zip"])
async def test_an_unchanged_source_without_etags(
    kind: str, publisher: Publisher, replica: MakeReplica, tmp_path: Path
) -> None:
    """The standard library's http.server knows Last-Modified alone, and that is enough."""
    (publisher.site / "index.zip.sha256").unlink()
    for name in ("layout/index.json", "index.zip"):  # young dates vouch for nothing
        os.utime(publisher.site / name, (1_790_000_000, 1_790_000_000))
    with plain_server(publisher.site) as base:
        here = replica(source_at(kind, base))
        await here.hydrate()
        (publisher.site / "layout/index.json").write_bytes(b"{")  # which would be found wrong, if it were read
        os.utime(publisher.site / "layout/index.json", (1_790_000_000, 1_790_000_000))
        assert (await here.hydrate()).result == "unchanged"
    assert here.board.status.bytes_fetched == 0


@pytest.mark.parametrize("kind", ["layout", "index.zip"])
async def test_a_changed_source_is_noticed(
    kind: str, publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """With a validator or without, with a .sha256 or without."""
    (publisher.site / "index.zip.sha256").unlink()
    here = replica(source_at(kind, server.url().rstrip("/")))
    await here.hydrate()
    publisher.publish(SECOND)
    (publisher.site / "index.zip.sha256").unlink()
    assert (await here.hydrate()).result == "installed"
    assert here.find("live zebra")[0] == "guide/swap.md"


@pytest.mark.parametrize("status", [404, 410, 403])
async def test_a_sidecar_that_cannot_be_had_is_none(status: int, server: SnapshotServer, replica: MakeReplica) -> None:
    """S3 answers 403 for what is not there."""
    server.always("index.zip.sha256", Status(status))
    assert (await replica(source_at("index.zip", server.url().rstrip("/"))).hydrate()).result == "installed"


async def test_only_what_changed_is_fetched(publisher: Publisher, server: SnapshotServer, replica: MakeReplica) -> None:
    """A new snapshot shares its unchanged segment and its encoder with the old one: those bytes are reused."""
    here = replica(LayoutSource((server.url("layout"),)))
    await here.hydrate()
    old = {blob.digest for blob in here.layout.manifest(here.layout.current() or parse_digest("")).blobs}
    publisher.publish(SECOND)
    server.requests.clear()
    await here.hydrate()
    fetched = {seen.path.rsplit("/", 1)[-1] for seen in server.requests}
    assert not {digest.hex for digest in old} & fetched
    assert here.board.status.bytes_reused > 0
    assert here.find("live zebra")[0] == "guide/swap.md"
    assert here.find("send a request again after a pause")[0] == "guide/retry.md"


async def test_old_blobs_are_pruned_when_nothing_refers_to_them(publisher: Publisher, replica: MakeReplica) -> None:
    """Two generations stay, current and previous; what only older ones had goes."""
    here = replica(LayoutSource(((publisher.site / "layout").as_uri(),)))
    generations = []
    for number in range(5):
        publisher.publish({f"only{number}.md": f"# Only {number}\n\nword{number}\n"})
        generations.append((await here.hydrate()).generation)
    assert here.layout.current() == generations[-1]
    kept = [here.layout.blob_path(generation).exists() for generation in generations]
    assert kept == [False, False, True, True, True]


async def test_a_ref_can_be_named(publisher: Publisher, server: SnapshotServer, replica: MakeReplica) -> None:
    """`previous` gets the snapshot published before; an unknown ref says which there are."""
    first = publisher.layout.current()
    publisher.publish(SECOND)
    here = replica(LayoutSource((server.url("layout"),), ref="previous"))
    assert (await here.hydrate()).generation == first
    with pytest.raises(PermanentFetchError, match=r"no ref 'nightly' \(it has: latest, previous\)") as caught:
        await replica(LayoutSource((server.url("layout"),), ref="nightly")).hydrate()
    assert caught.value.code == "ref_missing"


async def test_a_pinned_manifest_needs_no_index(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """A pin names the snapshot; whatever the refs say by now is not even read."""
    first = publisher.layout.current()
    publisher.publish(SECOND)
    here = replica(LayoutSource((server.url("layout"),), pin=first))
    assert (await here.hydrate()).generation == first
    assert server.hits("layout/index.json") == 0


async def test_the_next_mirror_is_asked(server: SnapshotServer, replica: MakeReplica) -> None:
    """A mirror that has nothing is passed over, for each file anew."""
    here = replica(LayoutSource((server.url("nowhere"), server.url("layout"))))
    assert (await here.hydrate()).result == "installed"
    assert server.hits("nowhere/index.json") == 1


async def test_a_passing_fault_is_tried_again(server: SnapshotServer, replica: MakeReplica) -> None:
    """Two 503s in a row do not fail the attempt."""
    server.script("layout/index.json", Status(503), Status(503))
    here = replica(LayoutSource((server.url("layout"),)))
    assert (await here.hydrate()).result == "installed"
    assert server.hits("layout/index.json") == 3


async def test_without_its_encoder_an_index_answers_by_words(
    publisher: Publisher, tmp_path: Path, replica: MakeReplica
) -> None:
    """A pair brings no encoder: where none matches, words are searched and the view says why meaning is not."""
    here = replica(source_at("pair", publisher.site.as_uri()))
    stranger = Replica(tmp_path / "stranger", here.attempt.source, here.attempt.workers, encoder=None)
    await stranger.hydrate()
    with stranger.live.lease() as view:
        assert view is not None
        answer = view.search(Query("validator"))
        assert [hit.path for hit in answer.hits] == ["guide/cache.md"]
        assert answer.degraded is not None
        assert "no encoder here matches" in answer.degraded
    stranger.close()


async def test_a_missing_blob_is_fetched_again(server: SnapshotServer, replica: MakeReplica) -> None:
    """An index directory that lost a blob is not taken for up to date; just that blob is fetched."""
    here = replica(LayoutSource((server.url("layout"),)))
    outcome = await here.hydrate()
    lost = here.layout.manifest(outcome.generation).layers[1]
    here.close()
    here.layout.blob_path(lost.digest).unlink()
    server.requests.clear()
    assert (await here.hydrate()).result == "installed"
    assert here.board.status.bytes_done == here.board.status.bytes_fetched == lost.size
    assert here.find("time of day")[0] == "src/clock.py"


async def test_two_processes_fetch_once(publisher: Publisher, server: SnapshotServer, replica: MakeReplica) -> None:
    """Whoever comes second waits for the first and then finds everything there."""
    first = replica(LayoutSource((server.url("layout"),)))
    second = Replica(first.layout.root, first.attempt.source, first.attempt.workers, publisher.encoder)
    vectors = publisher.layout.manifest(publisher.layout.current() or parse_digest("")).layers[0]
    stall = Stall(after=10)
    path = f"layout/blobs/sha256/{vectors.digest.hex}"
    server.script(path, stall)
    results = []

    async def hydrate(who: Replica) -> None:
        results.append((await who.hydrate()).result)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hydrate, first)
            await stall.reached.wait()
            tasks.start_soon(hydrate, second)
            while second.board.status.state != "waiting":
                await anyio.sleep(0.01)
            stall.release.set()
    assert sorted(results) == ["installed", "unchanged"]
    assert server.hits(path) == 1
    assert second.find("time of day")[0] == "src/clock.py"
    second.close()


async def test_cancelling_leaves_the_lock_free_and_the_next_attempt_whole(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Stopped in the middle of a body: nothing is activated, nothing is locked, and it can start over."""
    here = replica(LayoutSource((server.url("layout"),)))
    vectors = publisher.layout.manifest(publisher.layout.current() or parse_digest("")).layers[0]
    stall = Stall(after=10)
    server.script(f"layout/blobs/sha256/{vectors.digest.hex}", stall)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(here.hydrate)
            await stall.reached.wait()
            tasks.cancel_scope.cancel()
        assert here.layout.current() is None
        with Layout(here.layout.root).lock(timeout=0):
            pass
        assert (await here.hydrate()).result == "installed"


@pytest.mark.parametrize("kind", ["layout", "index.tar.zst", "pair"])
async def test_a_hydration_that_was_stopped_goes_on_from_there(
    kind: str, publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Whatever the kind of source: the bytes that came are kept, and not asked for again."""
    vectors = publisher.layout.manifest(publisher.layout.current() or parse_digest("")).layers[0]
    blob = f"layout/blobs/sha256/{vectors.digest.hex}"
    path = {"layout": blob, "pair": "pair/index.faiss"}.get(kind, kind)
    here = replica(source_at(kind, server.url().rstrip("/")))
    stall = Stall(after=100)
    server.script(path, stall)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(here.hydrate)
            await stall.reached.wait()
            while not any(asset.done == 100 for asset in here.board.status.assets):
                await anyio.sleep(0.001)
            tasks.cancel_scope.cancel()
        server.requests.clear()
        assert (await here.hydrate()).result == "installed"
    asked = {seen.path: seen.headers.get("Range", "") for seen in server.requests}
    assert asked[f"/{path}"].startswith("bytes=100-")
    assert here.find("time of day")[0] == "src/clock.py"
    assert list(here.layout.partial.iterdir()) == []


async def test_what_a_dead_writer_left_is_cleared_away(server: SnapshotServer, replica: MakeReplica) -> None:
    """Downloads that nobody wants any more, and staging directories of killed processes."""
    here = replica(LayoutSource((server.url("layout"),)))
    here.layout.create()
    (here.layout.partial / "staging-x").mkdir()
    (here.layout.partial / "staging-x" / "00000").write_bytes(b"x")
    (here.layout.partial / f"{'0' * 64}.part").write_bytes(b"x")
    await here.hydrate()
    assert list(here.layout.partial.iterdir()) == []


async def test_what_was_rejected_is_not_fetched_again(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica, tmp_path: Path
) -> None:
    """By itself, that is, and not until the source moves on. Whoever asks for it gets it looked at again."""
    (tmp_path / "other").mkdir()
    other = Publisher(tmp_path / "other")
    other.publish(SECOND)
    content = (other.site / "pair/index.faiss").read_bytes()
    (publisher.site / "pair/index.faiss").write_bytes(content)
    (publisher.site / "pair/index.faiss.sha256").write_text(digest_of(content).hex)
    here = replica(source_at("pair", server.url().rstrip("/")))
    attempts: list[tuple[Trigger, bool]] = [("startup", True), ("refresh", False), ("manual", True)]
    for trigger, asked_again in attempts:
        server.requests.clear()
        here.board.begin(trigger)
        with pytest.raises(ValidateError) as caught:
            await here.attempt.run()
        assert caught.value.code == "pair_differs"
        assert any(here.board.status.assets) is asked_again
    publisher.publish(SECOND)
    assert (await here.hydrate()).result == "installed"


async def test_an_index_that_came_meanwhile_is_left_alone(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Mode if-missing: another process builds one while we wait for it to finish."""
    here = replica(LayoutSource((server.url("layout"),)))
    here.attempt = replace(here.attempt, wanted=lambda: here.layout.current() is None)
    here.layout.create()
    here.board.begin("startup")
    built = publisher.layout.current()
    assert built is not None
    with anyio.fail_after(20), ExitStack() as writing:
        writing.enter_context(here.layout.lock(timeout=0))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(here.attempt.run)
            while here.board.status.state != "waiting":
                await anyio.sleep(0.01)
            for path in publisher.layout.blob_files():
                here.layout.add_bytes(path.read_bytes())
            here.layout.activate(built)
            publisher.publish(SECOND)
            writing.close()
    assert here.layout.current() == built
    assert here.find("time of day")[0] == "src/clock.py"


async def test_room_is_made_sure_of_before_the_first_byte(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Everything that is missing, against what the disk has free; nothing but the config is asked for."""
    manifest = publisher.layout.manifest(publisher.layout.current() or parse_digest(""))
    more = replace(manifest.layers[0], digest=digest_of(b"huge"), size=10**18)
    huge = replace(manifest, layers=(more, *manifest.layers)).to_bytes()
    site = Layout(publisher.site / "layout")
    site.write_refs(RefTable().point("latest", site.add_bytes(huge), len(huge)))
    here = replica(LayoutSource((server.url("layout"),)))
    here.attempt = replace(here.attempt, bounds=Bounds(asset=10**19))
    with pytest.raises(StoreError, match="bytes free") as caught:
        await here.hydrate()
    assert caught.value.code == "disk_full"
    assert [seen.path for seen in server.requests] == [
        "/layout/index.json",
        f"/layout/blobs/sha256/{digest_of(huge).hex}",
        f"/layout/blobs/sha256/{manifest.config.digest.hex}",
    ]


async def test_an_archive_needs_room_twice(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica, tmp_path: Path
) -> None:
    """For itself and for what is in it; its size is known when it begins to come, and nothing of it is kept then."""
    size = shutil.disk_usage(tmp_path).free * 3 // 4
    server.always("index.zip", Length(size))
    here = replica(source_at("index.zip", server.url().rstrip("/")))
    here.attempt = replace(here.attempt, bounds=Bounds(asset=10**19))
    with pytest.raises(StoreError) as caught:
        await here.hydrate()
    assert caught.value.code == "disk_full"
    assert sum(path.stat().st_size for path in here.layout.partial.glob("*.part")) == 0


async def test_what_is_too_large_is_not_fetched(server: SnapshotServer, replica: MakeReplica) -> None:
    """The most that one file may have is the operator's to say."""
    for kind in ("layout", "index.zip", "pair"):
        here = replica(source_at(kind, server.url().rstrip("/")))
        here.attempt = replace(here.attempt, bounds=Bounds(asset=10))
        with pytest.raises(VerifyError) as caught:
            await here.hydrate()
        assert caught.value.code == "size_exceeded"


async def test_an_attempt_has_an_end(publisher: Publisher, server: SnapshotServer, replica: MakeReplica) -> None:
    """However slowly it gets on; what has come is kept."""
    vectors = publisher.layout.manifest(publisher.layout.current() or parse_digest("")).layers[0]
    stall = Stall(after=100)
    server.script(f"layout/blobs/sha256/{vectors.digest.hex}", stall)
    here = replica(LayoutSource((server.url("layout"),)))
    here.attempt = replace(here.attempt, bounds=Bounds(seconds=0.2))
    with pytest.raises(TransientFetchError) as caught:
        await here.hydrate()
    assert caught.value.code == "deadline_exceeded"
    assert (here.layout.partial / f"{vectors.digest.hex}.part").stat().st_size == 100


async def test_queries_go_on_while_generations_change(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Searching threads see each answer from one generation, through several hydrations, and no failure."""
    here = replica(LayoutSource((server.url("layout"),)))
    await here.hydrate()
    done = threading.Event()
    seen: set[tuple[str, ...]] = set()

    def search() -> None:
        while not done.is_set():
            seen.add(tuple(sorted(here.find("word"))))

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(anyio.to_thread.run_sync, search)
            for number in range(4):
                publisher.publish({f"a{number}.md": "# A\n\nword alpha\n", f"b{number}.md": "# B\n\nword beta\n"})
                await here.hydrate()
                while (f"a{number}.md", f"b{number}.md") not in seen:
                    await anyio.sleep(0.001)
            done.set()
    pairs = {(f"a{number}.md", f"b{number}.md") for number in range(4)}
    assert pairs <= seen <= pairs | {tuple(sorted(FIRST))}
