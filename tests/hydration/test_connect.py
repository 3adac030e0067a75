"""The transport that hydration uses: every scheme, one retry policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontextify.errors import PermanentFetchError
from pycontextify.hydration.connect import open_transport
from pycontextify.hydration.retry import RetryNote
from pycontextify.hydration.transport import Download
from pycontextify.hydration.workers import Workers
from tests.fakes.acts import Status
from tests.fakes.clock import FakeClock
from tests.fakes.server import SnapshotServer


async def test_every_scheme_has_its_transport(
    workers: Workers, server: SnapshotServer, site: Path, tmp_path: Path
) -> None:
    """One object reads and downloads from HTTP and from files."""
    (site / "a.bin").write_bytes(b"content")
    async with open_transport(workers, on_retry=lambda _: None) as transport:
        for url in (server.url("a.bin"), (site / "a.bin").as_uri()):
            assert (await transport.read(url, limit=100)).content == b"content"
            await transport.download(Download("a", url), tmp_path / "a", lambda _: None)
            assert (tmp_path / "a").read_bytes() == b"content"


@pytest.mark.parametrize("url", ["ftp://host/a", "host/a", "", "http://[::1"])
async def test_other_schemes_are_refused(workers: Workers, url: str) -> None:
    """The message says which there are."""
    async with open_transport(workers, on_retry=lambda _: None) as transport:
        with pytest.raises(PermanentFetchError) as caught:
            await transport.read(url, limit=100)
    assert caught.value.code == "url_invalid"
    assert "http://" in str(caught.value)


async def test_what_may_pass_is_tried_again(workers: Workers, server: SnapshotServer, site: Path) -> None:
    """With the clock, the sleep and the dice that it was given, and told of."""
    (site / "a.bin").write_bytes(b"content")
    server.script("a.bin", Status(503, {"Retry-After": "5"}), Status(500))
    clock, notes = FakeClock(), list[RetryNote]()
    async with open_transport(
        workers, on_retry=notes.append, clock=clock, sleep=clock.sleep, random=lambda: 0.0
    ) as transport:
        assert (await transport.read(server.url("a.bin"), limit=100)).content == b"content"
    assert clock.slept == [5.0, 0.0]
    assert [note.error.code for note in notes] == ["http_503", "http_500"]
