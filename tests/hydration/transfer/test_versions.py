"""Bytes of two versions are never mixed, however several servers, or one, go about it."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from pycontextify.errors import PermanentFetchError, StoreError, TransientFetchError, VerifyError
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.fetch import Fetcher
from pycontextify.hydration.transfer.landing import Landing
from pycontextify.hydration.transfer.retry import RetryPolicy
from pycontextify.hydration.transfer.transport import BUFFER, Download, Received
from pycontextify.hydration.workers import Workers
from pycontextify.snapshot.digest import digest_of
from tests.fakes.acts import Cut, Honest, Other, Stage, Status
from tests.fakes.server import SnapshotServer
from tests.fakes.wire import wire_of
from tests.hydration.transfer.asset import noise

NEW = noise(5 * BUFFER + 17)
OLD = noise(6 * BUFFER)[: len(NEW)]


def offer(home: Path, name: str, content: bytes, version: int) -> Path:
    """Return a directory with ``a.bin``; its ETag tells the version, and its size does not."""
    site = home / name
    site.mkdir(exist_ok=True)
    (site / "a.bin").write_bytes(content)
    os.utime(site / "a.bin", ns=(version, version))
    return site


@dataclass(frozen=True)
class Get:
    """Downloads ``a.bin`` from mirrors."""

    workers: Workers
    path: Path

    async def __call__(
        self, *urls: str, digest: bool = False, size: bool = False, connections: int = 1, attempts: int = 3
    ) -> Received:
        """Download; the digest and the size are those of the new version."""
        request = Download("a", urls, digest_of(NEW) if digest else None, len(NEW) if size else None)
        async with Fetcher() as fetcher:
            wire = wire_of(
                fetcher,
                self.workers,
                policy=RetryPolicy(attempts=attempts),
                connections=connections,
                piece=BUFFER,
            )
            return await Client(wire).download(request, self.path)

    def holds(self) -> bytes:
        """What has been downloaded."""
        return self.path.read_bytes()


@pytest.fixture
def get(workers: Workers, tmp_path: Path) -> Get:
    """Downloads to a file of the test's own."""
    return Get(workers, tmp_path / "a.part")


async def test_a_mirror_that_has_sent_nothing_vouches_for_nothing(get: Get, tmp_path: Path) -> None:
    """It announced its ETag and broke off; what another mirror sent meanwhile is not of that version."""
    async with SnapshotServer(offer(tmp_path, "a", NEW, 1)) as a, SnapshotServer(offer(tmp_path, "b", OLD, 2)) as b:
        a.script("a.bin", Cut(0))
        b.script("a.bin", Cut(3 * BUFFER))
        await get(a.url("a.bin"), b.url("a.bin"))
    assert get.holds() in (NEW, OLD)


@dataclass(frozen=True)
class Anonymous:
    """Gives the range whatever If-Range says, and no ETag."""

    async def play(self, stage: Stage) -> web.StreamResponse:
        start = int(stage.request.headers["Range"].removeprefix("bytes=").split("-")[0])
        headers = {"Content-Range": f"bytes {start}-{len(NEW) - 1}/{len(NEW)}"}
        return await stage.send(stage.pieces(start), len(NEW) - start, headers, status=206)


@dataclass(frozen=True)
class Replacing:
    """Breaks off, and has another version from then on."""

    home: Path
    first: Cut = field(default_factory=lambda: Cut(1000))

    async def play(self, stage: Stage) -> web.StreamResponse:
        reply = await self.first.play(stage)
        offer(self.home, "a", NEW, 2)
        return reply


async def test_a_part_without_an_etag_is_of_no_known_version(get: Get, tmp_path: Path) -> None:
    """Without a digest it is not taken."""
    async with SnapshotServer(offer(tmp_path, "a", OLD, 1)) as a:
        a.script("a.bin", Replacing(tmp_path), Anonymous())
        await get(a.url("a.bin"))
    assert get.holds() == NEW


@dataclass(frozen=True)
class Starred:
    """Gives ranges, and does not tell of how much."""

    async def play(self, stage: Stage) -> web.StreamResponse:
        asked = stage.request.headers.get("Range")
        if asked is None:
            return await stage.serve()
        first, last = (int(part or len(NEW) - 1) for part in asked.removeprefix("bytes=").split("-"))
        stop = min(last + 1, len(NEW))
        headers = {"ETag": '"x"', "Content-Range": f"bytes {first}-{stop - 1}/*"}
        return await stage.send(stage.pieces(first, stop), stop - first, headers, status=206)


async def test_ranges_of_an_unknown_whole_are_not_taken(get: Get, tmp_path: Path) -> None:
    """The first piece would be taken for all of it."""
    async with SnapshotServer(offer(tmp_path, "a", NEW, 1)) as a:
        a.always("a.bin", Starred())
        await get(a.url("a.bin"), digest=True, connections=4)
    assert get.holds() == NEW


@dataclass(frozen=True)
class Overlong:
    """Announces a range, and sends more after it, in chunks."""

    async def play(self, stage: Stage) -> web.StreamResponse:
        first, last = (int(part or len(NEW) - 1) for part in stage.request.headers["Range"][6:].split("-"))
        stop = min(last + 1, len(NEW))

        async def body() -> AsyncGenerator[bytes, None]:
            async for piece in stage.pieces(first, stop):
                yield piece
            for _ in range(100):
                yield b"X" * BUFFER

        headers = {"ETag": stage.etag(), "Content-Range": f"bytes {first}-{stop - 1}/{len(NEW)}"}
        return await stage.send(body(), None, headers, status=206)


@pytest.mark.parametrize("digest", [True, False])
async def test_more_than_was_announced_is_not_taken(get: Get, tmp_path: Path, *, digest: bool) -> None:
    """It would overwrite what others bring, or go on for ever."""
    async with SnapshotServer(offer(tmp_path, "a", NEW, 1)) as a:
        a.script("a.bin", Cut(1000), Overlong())
        received = await get(a.url("a.bin"), digest=digest)
    assert (get.holds(), received.size) == (NEW, len(NEW))


async def test_a_page_in_place_of_a_range_costs_nothing(get: Get, tmp_path: Path) -> None:
    """A portal that wants a login answers 200 with something small: what is there stays."""
    async with SnapshotServer(offer(tmp_path, "a", NEW, 1)) as a:
        a.script("a.bin", Cut(4 * BUFFER), Other(b"<html>please log in</html>"))
        await get(a.url("a.bin"), digest=True, size=True)
        assert a.body_bytes("a.bin") < len(NEW) + BUFFER
    assert get.holds() == NEW


async def test_a_mirror_that_does_not_answer_destroys_nothing(get: Get, tmp_path: Path) -> None:
    """Without a digest the live mirror's own bytes are gone on from, though a dead one is listed first."""
    async with SnapshotServer(offer(tmp_path, "b", NEW, 2)) as b:
        b.script("a.bin", *[Cut(2 * BUFFER)] * 2)
        await get("http://127.0.0.1:9/a.bin", b.url("a.bin"))
        assert b.body_bytes("a.bin") == len(NEW)
    assert get.holds() == NEW


async def test_a_good_mirror_is_found_though_a_bad_one_began(get: Get, tmp_path: Path) -> None:
    """Who is to blame for a mixture can't be told: each is asked for all of it."""
    async with SnapshotServer(offer(tmp_path, "a", OLD, 1)) as a, SnapshotServer(offer(tmp_path, "b", NEW, 2)) as b:
        a.script("a.bin", Cut(2 * BUFFER))
        await get(a.url("a.bin"), b.url("a.bin"), digest=True, size=True)
    assert get.holds() == NEW


async def test_when_all_mirrors_are_wrong_that_is_the_verdict(get: Get, tmp_path: Path) -> None:
    """Each was asked for all of it once more, and nothing is kept."""
    async with SnapshotServer(offer(tmp_path, "a", OLD, 1)) as a, SnapshotServer(offer(tmp_path, "b", OLD, 2)) as b:
        with pytest.raises(VerifyError):
            await get(a.url("a.bin"), b.url("a.bin"), digest=True, size=True)
        assert (a.hits("a.bin"), b.hits("a.bin")) == (2, 1)
    assert get.holds() == b""


async def test_a_mirror_that_is_gone_when_it_is_asked_again(get: Get, tmp_path: Path) -> None:
    """The error is that of the last one, and a good one further on is still found."""
    async with SnapshotServer(offer(tmp_path, "a", OLD, 1)) as a, SnapshotServer(offer(tmp_path, "b", OLD, 2)) as b:
        a.script("a.bin", Honest(), Status(404))
        b.script("a.bin", Status(404))
        with pytest.raises(PermanentFetchError):
            await get(a.url("a.bin"), b.url("a.bin"), digest=True, size=True)


async def test_one_byte_for_each_connection_is_given_up(get: Get, tmp_path: Path) -> None:
    """It would take as many connections as there are bytes."""
    async with SnapshotServer(offer(tmp_path, "a", NEW, 1)) as a:
        a.always("a.bin", Cut(1))
        with pytest.raises(TransientFetchError):
            await get(a.url("a.bin"), digest=True)
        assert a.hits("a.bin") < 10


async def test_what_a_full_disk_refused_is_not_written_further_on(
    get: Get, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write goes half-way and then fails; once there is room again, every byte is in its place."""
    write, writes = Landing.write, list[int]()

    def fill(landing: Landing, view: memoryview) -> int:
        """Write to a disk that is full at the third write, and has room again after that."""
        writes.append(len(view))
        if len(writes) == 3:
            raise OSError(28, "No space left on device")
        return write(landing, view[:1000] if len(writes) == 2 else view)

    monkeypatch.setattr(Landing, "write", fill)
    async with SnapshotServer(offer(tmp_path, "a", NEW, 1)) as a:
        with pytest.raises(StoreError):
            await get(a.url("a.bin"))
        await get(a.url("a.bin"))
    assert get.holds() == NEW
