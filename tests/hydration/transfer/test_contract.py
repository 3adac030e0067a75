"""What every transport promises, over HTTP and over files alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pycontextify.errors import PermanentFetchError, StoreError, TransientFetchError, VerifyError
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.fetch import Fetcher
from pycontextify.hydration.transfer.local import LocalFiles
from pycontextify.hydration.transfer.transport import BUFFER, Download, Watch, is_absent
from pycontextify.hydration.workers import Workers
from pycontextify.snapshot.digest import digest_of
from tests.fakes.server import SnapshotServer
from tests.fakes.wire import client_of, content
from tests.hydration.transfer.asset import noise


@dataclass(frozen=True, slots=True)
class Host:
    """A place that offers the files of ``site``, and the transport to it."""

    client: Client
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
        yield Host(client_of(LocalFiles(workers), workers), site.as_uri(), site)
        return
    async with SnapshotServer(site) as server, Fetcher() as fetcher:
        yield Host(client_of(fetcher, workers), server.url().rstrip("/"), site)


async def test_a_document_is_read_whole(host: Host) -> None:
    """Up to its limit, to the byte."""
    url = host.publish("index.json", b'{"a": 1}')
    assert await host.client.read([url], content, limit=8) == b'{"a": 1}'


async def test_an_empty_document_is_one(host: Host) -> None:
    """No bytes are bytes too."""
    assert await host.client.read([host.publish("empty", b"")], content, limit=8) == b""


async def test_a_document_above_its_limit_is_rejected(host: Host) -> None:
    """By one byte."""
    url = host.publish("index.json", b"123456789")
    with pytest.raises(VerifyError) as caught:
        await host.client.read([url], content, limit=8)
    assert caught.value.code == "size_exceeded"


async def test_an_absent_asset_is_told_from_other_failures(host: Host, tmp_path: Path) -> None:
    """For documents and for downloads; a sidecar may be missing."""
    with pytest.raises(PermanentFetchError) as caught:
        await host.client.read([host.url("nothing.sha256")], content, limit=8)
    assert is_absent(caught.value)
    with pytest.raises(PermanentFetchError) as caught:
        await host.client.download(Download("a", (host.url("nothing"),)), tmp_path / "a.part")
    assert is_absent(caught.value)
    assert (tmp_path / "a.part").read_bytes() == b""


@pytest.mark.parametrize("size", [0, 1, BUFFER - 1, BUFFER, BUFFER + 1, 5 * BUFFER + 17])
async def test_a_download_arrives_byte_for_byte(host: Host, tmp_path: Path, size: int) -> None:
    """Around the buffer's size too; digest and size are those of the bytes, and progress goes from none to all."""
    body = noise(size)
    url, counts, fetched = host.publish("a.bin", body), list[int](), list[int]()

    def landed(there: int, more: int) -> None:
        counts.append(there)
        fetched.append(more)

    request = Download("a", (url,), digest_of(body), size)
    received = await host.client.download(request, tmp_path / "a.part", Watch(landed))
    assert (tmp_path / "a.part").read_bytes() == body
    assert (received.digest, received.size) == (digest_of(body), size)
    assert counts == sorted(counts)
    assert (counts[0], counts[-1], sum(fetched)) == (0, size, size)


async def test_a_download_needs_no_digest_and_no_size(host: Host, tmp_path: Path) -> None:
    """Then it tells what they are."""
    url = host.publish("a.bin", b"whatever")
    sizes = list[int]()

    async def sized(size: int) -> None:
        sizes.append(size)

    received = await host.client.download(Download("a", (url,)), tmp_path / "a.part", Watch(sized=sized))
    assert sizes == [8]
    assert (received.digest, received.size) == (digest_of(b"whatever"), 8)


async def test_a_longer_file_in_the_way_is_replaced(host: Host, tmp_path: Path) -> None:
    """What an earlier attempt left does no harm."""
    (tmp_path / "a.part").write_bytes(b"x" * 1000)
    await host.client.download(Download("a", (host.publish("a.bin", b"new"),)), tmp_path / "a.part")
    assert (tmp_path / "a.part").read_bytes() == b"new"


async def test_another_digest_is_rejected(host: Host, tmp_path: Path) -> None:
    """The message has both digests and what to do."""
    request = Download("vectors", (host.publish("a.bin", b"other"),), digest_of(b"these"), 5)
    with pytest.raises(VerifyError) as caught:
        await host.client.download(request, tmp_path / "a.part")
    assert caught.value.code == "digest_mismatch"
    assert all(part in str(caught.value) for part in (digest_of(b"other").short, digest_of(b"these").short, "vectors"))


async def test_more_bytes_than_known_are_rejected(host: Host, tmp_path: Path) -> None:
    """Before they are taken."""
    request = Download("a", (host.publish("a.bin", noise(2 * BUFFER)),), size=BUFFER)
    with pytest.raises(VerifyError) as caught:
        await host.client.download(request, tmp_path / "a.part")
    assert caught.value.code == "size_exceeded"


async def test_fewer_bytes_than_known_are_transient(host: Host, tmp_path: Path) -> None:
    """Somebody may be writing the file at this moment."""
    request = Download("a", (host.publish("a.bin", noise(100)),), size=101)
    with pytest.raises(TransientFetchError) as caught:
        await host.client.download(request, tmp_path / "a.part")
    assert caught.value.code == "truncated"


async def test_an_asset_above_the_limit_is_rejected(host: Host, tmp_path: Path) -> None:
    """Where no size is known, the limit is what protects the disk."""
    request = Download("a", (host.publish("a.bin", noise(101)),), limit=100)
    with pytest.raises(VerifyError) as caught:
        await host.client.download(request, tmp_path / "a.part")
    assert caught.value.code == "size_exceeded"


async def test_a_disk_that_refuses_is_the_stores_error(host: Host, tmp_path: Path) -> None:
    """It names the file, not the source."""
    destination = tmp_path / "no such directory" / "a.part"
    with pytest.raises(StoreError) as caught:
        await host.client.download(Download("a", (host.publish("a.bin", b"x"),)), destination)
    assert caught.value.asset == str(destination)
