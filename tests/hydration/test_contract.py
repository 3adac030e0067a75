"""What every transport promises, over HTTP and over files alike."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from pycontextify.errors import PermanentFetchError, StoreError, TransientFetchError, VerifyError
from pycontextify.hydration.fetch import Fetcher
from pycontextify.hydration.local import LocalFiles
from pycontextify.hydration.transport import BUFFER, Download, Transport, is_absent
from pycontextify.hydration.workers import Workers
from pycontextify.snapshot.digest import digest_of
from tests.fakes.server import SnapshotServer


@dataclass(frozen=True, slots=True)
class Host:
    """A place that offers the files of ``site``, and the transport to it."""

    transport: Transport
    base: str
    site: Path

    def publish(self, name: str, content: bytes) -> str:
        """Offer a file and return its address."""
        (self.site / name).write_bytes(content)
        return self.url(name)

    def url(self, name: str) -> str:
        """Return the address of a file, whether it is there or not."""
        return f"{self.base}/{name}"


@pytest.fixture(params=["http", "file"])
async def host(request: pytest.FixtureRequest, site: Path, workers: Workers) -> AsyncIterator[Host]:
    """One host of each kind."""
    if request.param == "file":
        yield Host(LocalFiles(workers), site.as_uri(), site)
        return
    async with SnapshotServer(site) as server, Fetcher(workers) as fetcher:
        yield Host(fetcher, server.url().rstrip("/"), site)


def noise(size: int) -> bytes:
    """Bytes that nothing would guess, the same at every run."""
    return Random(size).randbytes(size)  # noqa: S311 - nothing is kept secret with them


async def test_a_document_is_read_whole(host: Host) -> None:
    """Up to its limit, to the byte."""
    url = host.publish("index.json", b'{"a": 1}')
    assert (await host.transport.read(url, limit=8)).content == b'{"a": 1}'


async def test_an_empty_document_is_one(host: Host) -> None:
    """No bytes are bytes too."""
    assert (await host.transport.read(host.publish("empty", b""), limit=8)).content == b""


async def test_a_document_above_its_limit_is_rejected(host: Host) -> None:
    """By one byte."""
    url = host.publish("index.json", b"123456789")
    with pytest.raises(VerifyError) as caught:
        await host.transport.read(url, limit=8)
    assert caught.value.code == "size_exceeded"


async def test_an_absent_asset_is_told_from_other_failures(host: Host, tmp_path: Path) -> None:
    """For documents and for downloads; a sidecar may be missing."""
    with pytest.raises(PermanentFetchError) as caught:
        await host.transport.read(host.url("nothing.sha256"), limit=8)
    assert is_absent(caught.value)
    with pytest.raises(PermanentFetchError) as caught:
        await host.transport.download(Download("a", host.url("nothing")), tmp_path / "a", lambda _: None)
    assert is_absent(caught.value)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("size", [0, 1, BUFFER - 1, BUFFER, BUFFER + 1, 5 * BUFFER + 17])
async def test_a_download_arrives_byte_for_byte(host: Host, tmp_path: Path, size: int) -> None:
    """Around the buffer's size too; digest and size are those of the bytes, and progress goes from none to all."""
    content = noise(size)
    url, counts, sizes = host.publish("a.bin", content), list[int](), list[int]()
    request = Download("a", url, digest_of(content), size)
    received = await host.transport.download(request, tmp_path / "a", counts.append, sizes.append)
    assert (tmp_path / "a").read_bytes() == content
    assert (received.digest, received.size) == (digest_of(content), size)
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, size)
    assert sizes == [size]


async def test_a_download_needs_no_digest_and_no_size(host: Host, tmp_path: Path) -> None:
    """Then it tells what they are."""
    url = host.publish("a.bin", b"whatever")
    received = await host.transport.download(Download("a", url), tmp_path / "a", lambda _: None)
    assert (received.digest, received.size) == (digest_of(b"whatever"), 8)


async def test_a_longer_file_in_the_way_is_replaced(host: Host, tmp_path: Path) -> None:
    """What an earlier attempt left does no harm."""
    (tmp_path / "a").write_bytes(b"x" * 1000)
    await host.transport.download(Download("a", host.publish("a.bin", b"new")), tmp_path / "a", lambda _: None)
    assert (tmp_path / "a").read_bytes() == b"new"


async def test_another_digest_is_rejected(host: Host, tmp_path: Path) -> None:
    """The message has both digests and what to do."""
    request = Download("vectors", host.publish("a.bin", b"other"), digest_of(b"these"), 5)
    with pytest.raises(VerifyError) as caught:
        await host.transport.download(request, tmp_path / "a", lambda _: None)
    assert caught.value.code == "digest_mismatch"
    assert all(part in str(caught.value) for part in (digest_of(b"other").short, digest_of(b"these").short, "vectors"))


async def test_more_bytes_than_known_are_rejected(host: Host, tmp_path: Path) -> None:
    """Before they are taken."""
    request = Download("a", host.publish("a.bin", noise(2 * BUFFER)), size=BUFFER)
    with pytest.raises(VerifyError) as caught:
        await host.transport.download(request, tmp_path / "a", lambda _: None)
    assert caught.value.code == "size_exceeded"


async def test_fewer_bytes_than_known_are_transient(host: Host, tmp_path: Path) -> None:
    """Somebody may be writing the file at this moment."""
    request = Download("a", host.publish("a.bin", noise(100)), size=101)
    with pytest.raises(TransientFetchError) as caught:
        await host.transport.download(request, tmp_path / "a", lambda _: None)
    assert caught.value.code == "truncated"


async def test_an_asset_above_the_limit_is_rejected(host: Host, tmp_path: Path) -> None:
    """Where no size is known, the limit is what protects the disk."""
    request = Download("a", host.publish("a.bin", noise(101)), limit=100)
    with pytest.raises(VerifyError) as caught:
        await host.transport.download(request, tmp_path / "a", lambda _: None)
    assert caught.value.code == "size_exceeded"


async def test_a_disk_that_refuses_is_the_stores_error(host: Host, tmp_path: Path) -> None:
    """It names the file, not the source."""
    destination = tmp_path / "no such directory" / "a"
    with pytest.raises(StoreError) as caught:
        await host.transport.download(Download("a", host.publish("a.bin", b"x")), destination, lambda _: None)
    assert caught.value.asset == str(destination)


if sys.platform == "linux":  # where /dev/full is

    @pytest.mark.parametrize("size", [1, 3 * BUFFER])
    async def test_a_full_disk_is_said_to_be_full(host: Host, size: int) -> None:
        """Whether it shows at a write or at the flush."""
        request = Download("a", host.publish("a.bin", noise(size)))
        with pytest.raises(StoreError) as caught:
            await host.transport.download(request, Path("/dev/full"), lambda _: None)
        assert caught.value.code == "disk_full"
