"""Downloads: resumed, restarted, shared out between streams and mirrors, and never a mixture of two versions."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from aiohttp.web import StreamResponse
from hypothesis import given, settings
from hypothesis import strategies as st

from pycontextify.errors import PermanentFetchError, StoreError, TransientFetchError, VerifyError
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.fetch import Fetcher, Timeouts
from pycontextify.hydration.transfer.retry import RetryNote, RetryPolicy
from pycontextify.hydration.transfer.transport import BUFFER, Download, Received, Watch
from pycontextify.hydration.workers import Workers, together
from pycontextify.snapshot.digest import digest_of
from tests.fakes.acts import Act, Cut, Drip, Garble, Honest, Other, Stage, Stall, Status
from tests.fakes.clock import FakeClock
from tests.fakes.server import SnapshotServer
from tests.fakes.wire import wire_of
from tests.hydration.transfer.asset import noise

CONTENT = noise(5 * BUFFER + 17)
OLD = noise(6 * BUFFER)[: len(CONTENT)]
PATIENT = RetryPolicy(attempts=3)


@dataclass
class Scene:
    """Mirrors of one asset, a client, and where it downloads to."""

    servers: list[SnapshotServer]
    workers: Workers
    fetcher: Fetcher
    path: Path
    landed: list[int] = field(default_factory=list)
    fetched: int = 0

    @property
    def server(self) -> SnapshotServer:
        """The first mirror."""
        return self.servers[0]

    async def download(
        self,
        *,
        digest: bool = True,
        size: bool = True,
        policy: RetryPolicy = PATIENT,
        connections: int = 1,
        piece: int = 16 << 20,
        limit: int = 1 << 30,
    ) -> Received:
        """Download the asset, its digest and its size known or not."""
        request = Download(
            "a",
            tuple(server.url("a.bin") for server in self.servers),
            digest_of(CONTENT) if digest else None,
            len(CONTENT) if size else None,
            limit,
        )
        wire = wire_of(self.fetcher, self.workers, policy=policy, connections=connections, piece=piece)
        return await Client(wire).download(request, self.path, Watch(self._landed))

    def _landed(self, there: int, fetched: int) -> None:
        self.landed.append(there)
        self.fetched += fetched

    def holds(self) -> bytes:
        """What has been downloaded."""
        return self.path.read_bytes()

    @property
    def ranges(self) -> list[str | None]:
        """The ranges that the first mirror was asked for."""
        return [seen.headers.get("Range") for seen in self.server.requests]


@pytest.fixture
async def scene(tmp_path: Path, site: Path, workers: Workers) -> AsyncIterator[Scene]:
    """One mirror."""
    (site / "a.bin").write_bytes(CONTENT)
    async with SnapshotServer(site) as server, Fetcher() as fetcher:
        yield Scene([server], workers, fetcher, tmp_path / "a.part")


@pytest.fixture
async def mirrors(scene: Scene, tmp_path: Path) -> AsyncIterator[Scene]:
    """Three of them, with files of their own."""
    async with AsyncExitStack() as stack:
        for number in (2, 3):
            site = tmp_path / f"site{number}"
            site.mkdir()
            (site / "a.bin").write_bytes(CONTENT)
            os.utime(site / "a.bin", ns=(number, number))  # so that its ETag is another
            scene.servers.append(await stack.enter_async_context(SnapshotServer(site)))
        yield scene


# Resuming


@pytest.mark.parametrize("digest", [True, False])
async def test_a_download_that_broke_off_goes_on_from_there(scene: Scene, *, digest: bool) -> None:
    """Within a call and across calls, with the digest or with the server's strong ETag to vouch for what is there."""
    scene.server.script("a.bin", Cut(1000), Status(404), Cut(3 * BUFFER))
    with pytest.raises(PermanentFetchError):
        await scene.download(digest=digest, size=digest)
    received = await scene.download(digest=digest, size=digest)
    assert scene.holds() == CONTENT
    assert (received.digest, received.size) == (digest_of(CONTENT), len(CONTENT))
    assert scene.ranges[0] is None
    assert [value and value.split("-")[0] for value in scene.ranges[1:]] == [
        "bytes=1000",
        "bytes=1000",
        f"bytes={1000 + 3 * BUFFER}",
    ]
    assert all(seen.headers["If-Range"].startswith('"') for seen in scene.server.requests[1:])
    assert scene.fetched == len(CONTENT)


async def test_bytes_of_a_killed_process_are_not_fetched_again(scene: Scene) -> None:
    """They are told of at once."""
    scene.server.script("a.bin", Cut(3 * BUFFER))
    with pytest.raises(TransientFetchError):
        await scene.download(policy=RetryPolicy(attempts=1))
    scene.landed.clear()
    await scene.download()
    assert scene.landed[0] == 3 * BUFFER
    assert scene.server.body_bytes("a.bin") == len(CONTENT)


async def test_what_trickles_in_survives_a_kill_too(scene: Scene, tmp_path: Path) -> None:
    """It is not held back for long until there is more of it."""

    class Hurried(FakeClock):
        """Every look at it finds it a second later."""

        def __call__(self) -> float:
            self.now += 1
            return self.now

    scene.server.script("a.bin", Stall(after=1000))
    wire = wire_of(scene.fetcher, scene.workers, clock=Hurried())
    request = Download("a", (scene.server.url("a.bin"),), digest_of(CONTENT), len(CONTENT))
    task = asyncio.create_task(Client(wire).download(request, scene.path))
    journal = scene.path.with_suffix(".journal")
    async with asyncio.timeout(5):
        while not (journal.exists() and b"[0, 1000]" in journal.read_bytes()):
            await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_is_whole_already_is_not_asked_for(scene: Scene) -> None:
    """The digest says that it is right."""
    await scene.download()
    received = await scene.download()
    assert (received.digest, scene.server.hits("a.bin")) == (digest_of(CONTENT), 1)


async def test_a_whole_file_without_a_digest_is_asked_about(scene: Scene, site: Path) -> None:
    """Unchanged, it costs a request without a body; changed, it is fetched."""
    await scene.download(digest=False, size=False)
    await scene.download(digest=False, size=False)
    assert scene.server.body_bytes("a.bin") == len(CONTENT)
    assert "If-None-Match" in scene.server.requests[-1].headers
    (site / "a.bin").write_bytes(b"new")
    assert (await scene.download(digest=False, size=False)).digest == digest_of(b"new")
    assert scene.holds() == b"new"


# Restarting


@pytest.mark.parametrize("digest", [True, False])
async def test_a_server_that_ignores_ranges(scene: Scene, *, digest: bool) -> None:
    """It sends all of it, from the first byte."""
    scene.server.always("a.bin", Honest(ranges=False))
    scene.server.script("a.bin", Cut(1000, ranges=False))
    await scene.download(digest=digest, size=digest)
    assert scene.holds() == CONTENT


async def test_a_weak_etag_vouches_for_nothing(scene: Scene) -> None:
    """Without a digest it begins again, and no range is asked for."""
    weak = 'W/"a"'
    scene.server.script("a.bin", Cut(1000, etag=weak), Honest(etag=weak))
    await scene.download(digest=False, size=False)
    assert scene.holds() == CONTENT
    assert scene.ranges == [None, None]


@pytest.mark.parametrize("etag", ['W/"a"', None])
async def test_the_digest_vouches_better_than_any_etag(scene: Scene, etag: str | None) -> None:
    """With a digest, a weak or missing ETag is no reason to fetch anything twice."""
    scene.server.script("a.bin", Cut(1000, etag=etag), Honest(etag=etag))
    await scene.download()
    assert scene.holds() == CONTENT
    assert scene.ranges == [None, f"bytes=1000-{len(CONTENT) - 1}"]
    assert "If-Range" not in scene.server.requests[1].headers
    assert scene.fetched == len(CONTENT)


@pytest.mark.parametrize("digest", [True, False])
async def test_a_version_that_changes_in_the_middle(scene: Scene, site: Path, *, digest: bool) -> None:
    """If-Range makes the server send the new one whole; no byte of the old one stays."""
    (site / "a.bin").write_bytes(OLD)
    stall = Stall(after=3 * BUFFER)
    scene.server.script("a.bin", stall)
    task = asyncio.create_task(scene.download(digest=digest, size=digest))
    await stall.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (site / "a.bin").write_bytes(CONTENT)
    await scene.download(digest=digest, size=digest)
    assert scene.holds() == CONTENT


@pytest.mark.parametrize("digest", [True, False])
async def test_a_server_that_ignores_if_range(scene: Scene, *, digest: bool) -> None:
    """Its part is of another version, as the ETag says: it is not taken."""
    scene.server.script("a.bin", Cut(1000, etag='"old"'), _Forgetful('"new"'))
    scene.server.always("a.bin", Honest(etag='"new"'))
    await scene.download(digest=digest, size=digest)
    assert scene.holds() == CONTENT
    assert scene.ranges[-1] is None


@dataclass(frozen=True)
class _Forgetful:
    """Gives the range whatever If-Range says."""

    etag: str

    async def play(self, stage):  # type: ignore[no-untyped-def]  # the act's own types are web's
        start = int(stage.request.headers["Range"].removeprefix("bytes=").split("-")[0])
        size = len(CONTENT)
        headers = {"ETag": self.etag, "Content-Range": f"bytes {start}-{size - 1}/{size}"}
        return await stage.send(stage.pieces(start), size - start, headers, status=206)


async def test_a_file_that_has_shrunk(scene: Scene, site: Path) -> None:
    """416: there is no such range any more."""
    scene.server.script("a.bin", Cut(1000, etag='"a"'), Status(416))
    await scene.download(digest=False, size=False)
    assert scene.holds() == CONTENT
    assert scene.ranges == [None, "bytes=1000-" + str(len(CONTENT) - 1), None]


@pytest.mark.parametrize(
    "content_range",
    [
        None,
        "nonsense",
        f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}",
        f"bytes 999-{len(CONTENT) - 1}/{len(CONTENT)}",
        f"bytes 1001-{len(CONTENT) - 1}/{len(CONTENT)}",
        f"bytes 1000-2000/{len(CONTENT)}",
        f"bytes 1000-{len(CONTENT) - 1}/{len(CONTENT)}",  # and then sends the whole file
        f"bytes 1000-{len(CONTENT)}/{len(CONTENT) + 1}",
    ],
)
@pytest.mark.parametrize("digest", [True, False])
async def test_a_garbled_range_is_not_taken(scene: Scene, content_range: str | None, *, digest: bool) -> None:
    """Another range, another size, another amount than was asked for or announced: it begins again without ranges."""
    scene.server.script("a.bin", Cut(1000))
    scene.server.always("a.bin", Garble(content_range))
    await scene.download(digest=digest, size=digest)
    assert scene.holds() == CONTENT
    assert scene.ranges[-1] is None


async def test_a_file_that_fails_its_digest_is_fetched_once_more(scene: Scene) -> None:
    """From the first byte on: what was wrong is not known."""
    scene.server.script("a.bin", Other(OLD))
    await scene.download()
    assert scene.holds() == CONTENT
    assert scene.ranges == [None, None]


async def test_a_file_that_fails_its_digest_twice_is_rejected(scene: Scene) -> None:
    """And nothing of it is kept."""
    scene.server.always("a.bin", Other(OLD))
    with pytest.raises(VerifyError) as caught:
        await scene.download()
    assert caught.value.code == "digest_mismatch"
    assert scene.server.hits("a.bin") == 2
    assert scene.holds() == b""


async def test_a_prefix_that_rotted_on_this_disk_costs_one_clean_fetch(scene: Scene) -> None:
    """The digest finds it out."""
    scene.server.script("a.bin", Cut(3 * BUFFER))
    with pytest.raises(TransientFetchError):
        await scene.download(policy=RetryPolicy(attempts=1))
    scene.path.write_bytes(bytes(3 * BUFFER))
    await scene.download()
    assert scene.holds() == CONTENT


# Retrying


async def test_it_goes_on_as_long_as_it_gets_on(scene: Scene) -> None:
    """A hundred cuts are no reason to give up, and next to nothing is fetched twice."""
    scene.server.script("a.bin", *[Cut(1 + cut * 80) for cut in noise(100)])
    await scene.download(policy=RetryPolicy(attempts=2))
    assert scene.holds() == CONTENT
    assert scene.server.body_bytes("a.bin") == len(CONTENT)


async def test_it_gives_up_when_it_does_not(scene: Scene) -> None:
    """Cut at the same place each time by a server without ranges, it has made no progress since the first time."""
    scene.server.always("a.bin", Cut(1000, ranges=False))
    with pytest.raises(TransientFetchError) as caught:
        await scene.download()
    assert caught.value.code == "truncated"
    # One attempt got on; then three more, each of which is refused the range first.
    assert scene.server.hits("a.bin") < 10


async def test_a_drip_is_cut(scene: Scene) -> None:
    """However long it would go on for."""
    scene.server.always("a.bin", Drip(size=1, pause=0.01))
    async with Fetcher(timeouts=Timeouts(floor=1000, window=0.2)) as scene.fetcher:
        with pytest.raises(TransientFetchError) as caught:
            await scene.download(policy=RetryPolicy(attempts=2))
    assert caught.value.code == "too_slow"
    assert scene.server.hits("a.bin") == 2


@given(cuts=st.lists(st.integers(0, len(CONTENT)), max_size=12), connections=st.integers(1, 3), digest=st.booleans())
@settings(max_examples=60)
def test_any_cuts(tmp_path_factory: pytest.TempPathFactory, cuts: list[int], connections: int, *, digest: bool) -> None:
    """Byte for byte the same, and at most one buffer is fetched again for each cut."""
    home = tmp_path_factory.mktemp("cuts")
    (home / "a.bin").write_bytes(CONTENT)

    async def run() -> None:
        with Workers() as workers:
            async with SnapshotServer(home) as server, Fetcher() as fetcher:
                scene = Scene([server], workers, fetcher, home / "a.part")
                server.script("a.bin", *[Cut(after) for after in cuts])
                policy = RetryPolicy(attempts=len(cuts) + 1)
                await scene.download(digest=digest, size=digest, policy=policy, connections=connections, piece=BUFFER)
                assert scene.holds() == CONTENT
                assert server.body_bytes("a.bin") - len(CONTENT) <= BUFFER * len(cuts)

    asyncio.run(run())


# Several streams


async def test_a_large_asset_is_shared_out(scene: Scene) -> None:
    """Once the first piece has shown that ranges are given, several are under way at once."""
    stalls = [Stall(after=0), Stall(after=0)]
    scene.server.script("a.bin", Honest(), *stalls)
    task = asyncio.create_task(scene.download(connections=2, piece=BUFFER))
    for stall in stalls:
        await asyncio.wait_for(stall.reached.wait(), 5)
    assert scene.ranges == [f"bytes={n * BUFFER}-{(n + 1) * BUFFER - 1}" for n in range(3)]
    for stall in stalls:
        stall.release.set()
    await task
    assert scene.holds() == CONTENT
    assert scene.server.body_bytes("a.bin") == len(CONTENT)


async def test_no_more_streams_than_connections(scene: Scene) -> None:
    """However many pieces there are."""
    running = peak = 0

    @dataclass(frozen=True)
    class Counted:
        async def play(self, stage):  # type: ignore[no-untyped-def]  # the act's own types are web's
            nonlocal running, peak
            running += 1
            peak = max(peak, running)
            try:
                return await Drip(BUFFER // 4, 0.002).play(stage)
            finally:
                running -= 1

    scene.server.always("a.bin", Counted())
    await scene.download(connections=3, piece=BUFFER // 2)
    assert scene.holds() == CONTENT
    assert peak == 3


@pytest.mark.parametrize("size", [True, False])
async def test_a_server_without_ranges_gets_one_plain_stream(scene: Scene, *, size: bool) -> None:
    """Its answer to the first piece is the whole, which is taken as it comes."""
    scene.server.always("a.bin", Honest(ranges=False))
    await scene.download(connections=4, piece=BUFFER, size=size)
    assert scene.holds() == CONTENT
    assert scene.server.hits("a.bin") == 1


async def test_a_large_asset_of_unknown_size_is_shared_out(scene: Scene) -> None:
    """The first piece tells how large it is."""
    await scene.download(connections=2, piece=BUFFER, size=False)
    assert scene.holds() == CONTENT
    assert scene.server.hits("a.bin") >= 4


async def test_without_a_digest_nothing_is_shared_out(scene: Scene) -> None:
    """Nothing could tell that the pieces belong together."""
    await scene.download(connections=4, piece=BUFFER, digest=False, size=False)
    assert scene.ranges == [None]


@pytest.mark.parametrize("act", [Status(503), Status(429), Cut(0), Honest(ranges=False), Garble(None)])
async def test_one_stream_is_enough(scene: Scene, act: Act) -> None:
    """A server that takes only one at a time, or has other whims: helpers fail, and nobody is told."""

    busy = False

    @dataclass(frozen=True)
    class OneAtATime:
        async def play(self, stage):  # type: ignore[no-untyped-def]  # the act's own types are web's
            nonlocal busy
            if busy:
                return await act.play(stage)
            busy = True
            try:
                return await Drip(BUFFER // 4, 0.002).play(stage)
            finally:
                busy = False

    scene.server.always("a.bin", OneAtATime())
    await scene.download(connections=3, piece=BUFFER // 2)
    assert scene.holds() == CONTENT


@dataclass
class _Few:
    """Takes ``most`` requests at a time, and turns the others away; counts those."""

    most: int
    status: Status
    running: int = 0
    turned_away: int = 0

    async def play(self, stage: Stage) -> StreamResponse:
        if self.running >= self.most:
            self.turned_away += 1
            return await self.status.play(stage)

        async def body(start: int, stop: int) -> AsyncGenerator[bytes, None]:
            for place in range(start, stop, BUFFER // 4):
                await asyncio.sleep(0.002)
                # Whoever has the last bytes may ask again at once.
                self.running -= place + BUFFER // 4 >= stop
                async for piece in stage.pieces(place, min(stop, place + BUFFER // 4)):
                    yield piece

        self.running += 1
        return await stage.serve(body)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("most", [1, 2])
async def test_a_host_that_takes_only_so_many_at_once(scene: Scene, tmp_path: Path, status: int, most: int) -> None:
    """Several downloads find out how many: nothing fails, nothing is tried again, and hardly anything asked in vain."""
    few = _Few(most, Status(status))
    scene.server.always("a.bin", few)
    notes: list[RetryNote] = []
    client = Client(wire_of(scene.fetcher, scene.workers, connections=4, piece=BUFFER, notes=notes))
    request = Download("a", (scene.server.url("a.bin"),), digest_of(CONTENT), len(CONTENT))
    paths = [tmp_path / f"{number}.part" for number in range(5)]

    async def download(path: Path) -> None:
        await client.download(request, path)

    await together(*[partial(download, path) for path in paths])
    assert [path.read_bytes() == CONTENT for path in paths] == [True] * 5
    assert scene.server.body_bytes("a.bin") == 5 * len(CONTENT)
    assert 1 <= few.turned_away <= 3 + 2 + 1
    assert notes == []


async def test_a_host_that_says_when_to_come_back(scene: Scene, tmp_path: Path) -> None:
    """It is not asked before that."""
    stall, notes = Stall(after=0), list[RetryNote]()
    scene.server.script("a.bin", stall, Status(503, {"Retry-After": "7"}))
    request = Download("a", (scene.server.url("a.bin"),), digest_of(CONTENT), len(CONTENT))
    client = Client(wire_of(scene.fetcher, scene.workers, policy=PATIENT, notes=notes))

    async def first() -> None:
        await client.download(request, scene.path)

    async def second() -> None:
        await stall.reached.wait()
        await client.download(request, tmp_path / "second.part")

    async def third() -> None:
        while not notes:
            await asyncio.sleep(0.001)
        stall.release.set()

    await together(first, second, third)
    assert [note.delay > 7 for note in notes] == [True]


async def test_a_version_that_changes_between_pieces(scene: Scene) -> None:
    """What is there is dropped, and one stream fetches the new one."""
    scene.server.script("a.bin", Honest(etag='"old"'), Honest(etag='"old"'))
    scene.server.always("a.bin", Honest(etag='"new"'))
    await scene.download(connections=2, piece=BUFFER)
    assert scene.holds() == CONTENT


async def test_pieces_of_a_killed_process_are_not_fetched_again(scene: Scene) -> None:
    """Holes and all."""
    stall = Stall(after=BUFFER // 2)
    scene.server.script("a.bin", Honest(), stall)
    task = asyncio.create_task(scene.download(connections=2, piece=BUFFER))
    await stall.reached.wait()
    while scene.server.hits("a.bin") < 5 or scene.landed[-1] < 5 * BUFFER // 2:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await scene.download(connections=2, piece=BUFFER)
    assert scene.holds() == CONTENT
    assert scene.server.body_bytes("a.bin") <= len(CONTENT) + 2 * BUFFER


# Mirrors


async def test_what_one_mirror_began_another_finishes(mirrors: Scene) -> None:
    """The digest vouches for the bytes, so their ETags need not agree."""
    mirrors.server.script("a.bin", Cut(3 * BUFFER))
    mirrors.server.always("a.bin", Status(503))
    await mirrors.download()
    assert mirrors.holds() == CONTENT
    assert mirrors.servers[1].requests[0].headers["Range"] == f"bytes={3 * BUFFER}-{len(CONTENT) - 1}"
    assert mirrors.fetched == len(CONTENT)


async def test_without_a_digest_another_mirror_begins_again(mirrors: Scene) -> None:
    """It may have another version."""
    mirrors.server.script("a.bin", Cut(3 * BUFFER))
    mirrors.server.always("a.bin", Status(503))
    await mirrors.download(digest=False, size=False)
    assert mirrors.holds() == CONTENT
    assert "Range" not in mirrors.servers[1].requests[0].headers


async def test_a_mirror_with_other_bytes_does_not_stop_the_others(mirrors: Scene) -> None:
    """The second fetch asks somebody else."""
    mirrors.server.always("a.bin", Other(OLD))
    await mirrors.download()
    assert mirrors.holds() == CONTENT
    assert (mirrors.server.hits("a.bin"), mirrors.servers[1].hits("a.bin")) == (1, 1)


async def test_two_mirrors_with_other_bytes_do_not_stop_the_third(mirrors: Scene) -> None:
    """Each is asked for all of it once."""
    for server in mirrors.servers[:2]:
        server.always("a.bin", Other(OLD))
    await mirrors.download()
    assert mirrors.holds() == CONTENT


async def test_a_mirror_that_is_too_large_is_passed_over(mirrors: Scene) -> None:
    """Before a byte of it is taken."""
    mirrors.server.always("a.bin", Other(CONTENT + b"more"))
    await mirrors.download()
    assert mirrors.holds() == CONTENT


# Bounds


async def test_the_limit_bounds_known_sizes_too(scene: Scene) -> None:
    """Nothing is asked for."""
    with pytest.raises(VerifyError) as caught:
        await scene.download(limit=len(CONTENT) - 1)
    assert caught.value.code == "size_exceeded"
    assert scene.server.requests == []


async def test_whoever_is_told_the_size_may_refuse_it(scene: Scene) -> None:
    """Before a byte is written: there may be no room."""

    async def refuse(size: int) -> None:
        raise StoreError(f"no room for {size}", code="disk_full")

    wire = wire_of(scene.fetcher, scene.workers)
    request = Download("a", (scene.server.url("a.bin"),))
    with pytest.raises(StoreError, match=str(len(CONTENT))):
        await Client(wire).download(request, scene.path, Watch(sized=refuse))
    assert scene.holds() == b""
    assert scene.server.hits("a.bin") == 1


@pytest.mark.parametrize("prepare", [lambda path: path.mkdir(), lambda path: path.with_suffix(".journal").mkdir()])
async def test_a_place_that_is_taken_is_the_stores_error(scene: Scene, prepare: Callable[[Path], None]) -> None:
    """By a directory, say."""
    prepare(scene.path)
    with pytest.raises(StoreError):
        await scene.download()
