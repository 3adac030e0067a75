"""From publishing to searching, over every kind of source and real servers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from pycontextify.errors import PermanentFetchError
from pycontextify.hydration.sources import ArchiveSource, LayoutSource, PairSource, Source
from pycontextify.index.model import Query
from pycontextify.snapshot.digest import parse_digest
from pycontextify.store.layout import Layout
from tests.fakes.acts import Stall, Status
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
    """A second look costs the smallest request there is, and leaves the disk as it is."""
    here = replica(source_at(kind, server.url().rstrip("/")))
    await here.hydrate()
    index = (here.layout.root / "index.json").stat().st_mtime_ns
    server.requests.clear()
    outcome = await here.hydrate()
    assert outcome.result == "unchanged"
    assert [seen.path for seen in server.requests] == asked
    assert (here.layout.root / "index.json").stat().st_mtime_ns == index


async def test_an_archive_without_a_sidecar_is_compared_when_it_is_here(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Without a .sha256 the archive must be fetched to be known, and is then found to be the same."""
    (publisher.site / "index.zip.sha256").unlink()
    here = replica(source_at("index.zip", server.url().rstrip("/")))
    assert (await here.hydrate()).result == "installed"
    assert (await here.hydrate()).result == "unchanged"


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
    for number in range(4):
        publisher.publish({f"only{number}.md": f"# Only {number}\n\nword{number}\n"})
        generations.append((await here.hydrate()).generation)
    assert here.layout.current() == generations[-1]
    assert [here.layout.blob_path(generation).exists() for generation in generations] == [False, False, True, True]


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
    assert here.board.status.bytes_done == lost.size
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
