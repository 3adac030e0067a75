"""What can go wrong over HTTP: cuts, lies, silence, cancellation; and secrets, whatever goes wrong."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import traceback
from pathlib import Path

import anyio
import pytest

from pycontextify.errors import FetchError, PermanentFetchError, TransientFetchError, VerifyError
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.fetch import Fetcher, Timeouts
from pycontextify.hydration.transfer.transport import BUFFER, Download
from pycontextify.hydration.workers import Workers
from pycontextify.snapshot.digest import digest_of
from tests.fakes.acts import Act, Cut, Encode, Endless, Late, Length, Raw, Redirect, Stall, Status, Trickle
from tests.fakes.certificate import self_signed
from tests.fakes.server import SnapshotServer
from tests.fakes.wire import client_of
from tests.hydration.transfer.asset import CONTENT, failure, publish, read, whole

SECRET = "c4nary"


@pytest.fixture(autouse=True)
def _published(site: Path) -> None:
    publish(site)


@pytest.mark.parametrize("after", [0, 1, BUFFER, len(CONTENT) - 1])
async def test_a_body_that_breaks_off_is_transient(
    client: Client, server: SnapshotServer, tmp_path: Path, after: int
) -> None:
    """Wherever it does, and whether or not its size is known beforehand."""
    server.always("a.bin", Cut(after))
    for name, request in (("a.part", whole(server)), ("b.part", Download("b", (server.url("a.bin"),)))):
        with pytest.raises(TransientFetchError) as caught:
            await client.download(request, tmp_path / name)
        assert caught.value.code == "truncated"


async def test_a_document_that_breaks_off_is_transient(client: Client, server: SnapshotServer) -> None:
    """Half a document is none."""
    server.script("index.json", Cut(1))
    assert (await failure(client, server.url("index.json"))).code == "truncated"


@pytest.mark.parametrize("declared", [len(CONTENT) + 1, 10 * len(CONTENT)])
async def test_too_long_a_declaration(client: Client, server: SnapshotServer, tmp_path: Path, declared: int) -> None:
    """Against a known size it is a lie; without one, the body ended early."""
    server.script("a.bin", Length(declared), Length(declared))
    with pytest.raises(VerifyError) as lie:
        await client.download(whole(server), tmp_path / "a.part")
    assert lie.value.code == "size_exceeded"
    with pytest.raises(TransientFetchError) as early:
        await client.download(Download("a", (server.url("a.bin"),)), tmp_path / "a.part")
    assert early.value.code == "truncated"


async def test_too_short_a_declaration_is_never_success(client: Client, server: SnapshotServer, tmp_path: Path) -> None:
    """What comes after the declared end is not part of the body, and makes the reply suspect."""
    server.always("a.bin", Length(100))
    for request in (whole(server), Download("a", (server.url("a.bin"),), digest_of(CONTENT))):
        with pytest.raises((FetchError, VerifyError)):
            await client.download(request, tmp_path / "a.part")


async def test_an_endless_body_is_cut(client: Client, server: SnapshotServer, tmp_path: Path) -> None:
    """At the known size, at the limit, at the document's limit; one buffer beyond it at most reaches the disk."""
    server.always("a.bin", Endless())
    for request in (whole(server), Download("a", (server.url("a.bin"),), limit=len(CONTENT))):
        with pytest.raises(VerifyError) as caught:
            await client.download(request, tmp_path / "a.part")
        assert caught.value.code == "size_exceeded"
        assert (tmp_path / "a.part").stat().st_size <= len(CONTENT) + BUFFER
    assert (await failure(client, server.url("a.bin"))).code == "size_exceeded"


async def test_a_server_that_stops_sending_is_left(workers: Workers, server: SnapshotServer, tmp_path: Path) -> None:
    """After the read timeout, in a document and in a body."""
    server.always("index.json", Stall(after=1))
    server.always("a.bin", Stall(after=1000))
    async with Fetcher(timeouts=Timeouts(read=0.05)) as fetcher:
        client = client_of(fetcher, workers)
        assert (await failure(client, server.url("index.json"))).code == "read_timeout"
        with pytest.raises(TransientFetchError) as caught:
            await client.download(whole(server), tmp_path / "a.part")
        assert caught.value.code == "read_timeout"


@pytest.mark.parametrize(
    ("head", "trickle"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"A: b\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    ],
    ids=["chunk extension", "trailers", "headers"],
)
async def test_bytes_that_bring_nothing_do_not_keep_us(
    workers: Workers, server: SnapshotServer, head: bytes, trickle: bytes
) -> None:
    """A server that goes on sending what is no part of the body is left as one that has stopped."""
    server.always("index.json", Trickle(head, trickle))
    async with Fetcher(timeouts=Timeouts(reply=0.2, read=0.2)) as fetcher:
        with anyio.fail_after(5):
            error = await failure(client_of(fetcher, workers), server.url("index.json"))
    assert (type(error), error.code) == (TransientFetchError, "read_timeout")


async def test_a_slow_beginning_has_its_own_patience(workers: Workers, server: SnapshotServer, tmp_path: Path) -> None:
    """A server may take longer to begin than between two pieces."""

    server.script("index.json", Late(0.3))
    async with Fetcher(timeouts=Timeouts(reply=5.0, read=0.1)) as fetcher:
        assert await read(client_of(fetcher, workers), server.url("index.json")) == b"{}"


async def test_nobody_listens(client: Client) -> None:
    """The system's own words are in the message."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        error = await failure(client, f"http://127.0.0.1:{taken.getsockname()[1]}/a")
    assert (type(error), error.code) == (TransientFetchError, "connect_failed")


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (b"", TransientFetchError, "connection_lost"),
        (b"HTTP/1.1 200", TransientFetchError, "connection_lost"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", PermanentFetchError, "reply_malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", PermanentFetchError, "reply_malformed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", PermanentFetchError, "reply_malformed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{", TransientFetchError, "truncated"),
    ],
)
async def test_what_is_no_http(
    client: Client, server: SnapshotServer, reply: bytes, kind: type[FetchError], code: str
) -> None:
    """A connection that closes may come back; something that speaks otherwise won't change."""
    server.always("index.json", Raw(reply))
    error = await failure(client, server.url("index.json"))
    assert (type(error), error.code) == (kind, code)


async def test_an_untrusted_certificate_is_final(client: Client, site: Path, tmp_path: Path) -> None:
    """Nothing is read from such a host."""
    async with SnapshotServer(site, tls=self_signed(tmp_path)) as server:
        error = await failure(client, server.url("index.json"))
        assert (type(error), error.code) == (PermanentFetchError, "tls_untrusted")
        assert server.requests == []


async def test_a_cancelled_download_leaves_nothing_open(client: Client, server: SnapshotServer, tmp_path: Path) -> None:
    """Neither file, nor connection, nor task; the same download works afterwards."""
    stall = Stall(after=BUFFER * 2)
    server.script("a.bin", stall)
    tasks = asyncio.all_tasks()
    task = asyncio.create_task(client.download(whole(server), tmp_path / "a.part"))
    await stall.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    del task
    gc.collect()  # would complain of an open file or connection
    assert {task for task in asyncio.all_tasks() - tasks if "hydration" in repr(task)} == set()
    received = await client.download(whole(server), tmp_path / "a.part")
    assert received.size == len(CONTENT)


@pytest.mark.parametrize("steps", range(12))
async def test_a_download_may_be_cancelled_at_any_step(
    client: Client, server: SnapshotServer, tmp_path: Path, steps: int
) -> None:
    """While connecting, opening, writing, flushing or closing: nothing stays open, nobody complains."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    async with anyio.create_task_group() as group:
        group.start_soon(client.download, whole(server), tmp_path / "a.part")
        for _ in range(steps * 3):
            await asyncio.sleep(0)
        group.cancel_scope.cancel()
    gc.collect()
    assert complaints == []


ACTS: list[Act] = [
    Status(404),
    Status(503),
    Cut(1),
    Encode(),
    Raw(b""),
    Raw(b"nonsense\r\n\r\n"),
    Redirect(f"file:///a?{SECRET}"),
    Redirect(f"http://user:{SECRET}@127.0.0.1:1/a?token={SECRET}"),
    Stall(0),
    Endless(),
]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: type(act).__name__)
async def test_secrets_never_show(
    workers: Workers, server: SnapshotServer, caplog: pytest.LogCaptureFixture, act: Act
) -> None:
    """Neither userinfo nor query: not in a message, a representation, a traceback or a log at DEBUG."""
    caplog.set_level(logging.DEBUG)
    server.always("index.json", act)
    url = server.url("index.json", login=f"{SECRET}:{SECRET}", query=f"token={SECRET}")
    async with Fetcher(timeouts=Timeouts(read=0.05)) as fetcher:
        client = client_of(fetcher, workers)
        error = await failure(client, url)
    shown = [str(error), repr(error), error.asset or "", *traceback.format_exception(error), caplog.text]
    assert SECRET not in "".join(shown)
    assert error.asset is not None
