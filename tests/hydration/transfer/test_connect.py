"""The transport that hydration uses: every scheme, one retry policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontextify.errors import PermanentFetchError
from pycontextify.hydration.transfer.connect import open_client
from pycontextify.hydration.transfer.mirrors import Mirrors
from pycontextify.hydration.transfer.retry import RetryNote
from pycontextify.hydration.transfer.transport import Download
from pycontextify.hydration.workers import Workers
from tests.fakes.acts import Status
from tests.fakes.clock import FakeClock
from tests.fakes.server import SnapshotServer
from tests.fakes.wire import content


async def test_every_scheme_has_its_transport(
    workers: Workers, server: SnapshotServer, site: Path, tmp_path: Path
) -> None:
    """One object reads and downloads from HTTP and from files."""
    (site / "a.bin").write_bytes(b"content")
    async with open_client(workers, Mirrors(FakeClock()), on_retry=lambda _: None) as client:
        for url in (server.url("a.bin"), (site / "a.bin").as_uri()):
            assert await client.read([url], content, limit=100) == b"content"
            await client.download(Download("a", (url,)), tmp_path / "a.part")
            assert (tmp_path / "a.part").read_bytes() == b"content"


@pytest.mark.parametrize("url", ["ftp://host/a", "host/a", "", "http://[::1"])
async def test_other_schemes_are_refused(workers: Workers, url: str) -> None:
    """The message says which there are."""
    async with open_client(workers, Mirrors(FakeClock()), on_retry=lambda _: None) as client:
        with pytest.raises(PermanentFetchError) as caught:
            await client.read([url], content, limit=100)
    assert caught.value.code == "url_invalid"
    assert "http://" in str(caught.value)


async def test_what_may_pass_is_tried_again(workers: Workers, server: SnapshotServer, site: Path) -> None:
    """With the clock, the sleep and the dice that it was given, and told of."""
    (site / "a.bin").write_bytes(b"content")
    server.script("a.bin", Status(503, {"Retry-After": "5"}), Status(500))
    clock, notes = FakeClock(), list[RetryNote]()
    async with open_client(
        workers, Mirrors(clock), on_retry=notes.append, clock=clock, sleep=clock.sleep, random=lambda: 0.0
    ) as client:
        assert await client.read([server.url("a.bin")], content, limit=100) == b"content"
    assert clock.slept == [5.0, 0.0]
    assert [note.error.code for note in notes] == ["http_503", "http_500"]
