"""What is particular to HTTP: replies, encodings, redirects, logins."""

from __future__ import annotations

from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from pycontextify.errors import PermanentFetchError, TransientFetchError
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.fetch import Fetcher
from pycontextify.hydration.transfer.transport import Ask, Download, Watch, is_absent
from pycontextify.snapshot.digest import digest_of
from tests.fakes.acts import Drip, Encode, Redirect, Status, Unsized
from tests.fakes.server import SnapshotServer
from tests.hydration.transfer.asset import CONTENT, failure, noise, publish, read, whole

SECRET = "c4nary"


@pytest.fixture(autouse=True)
def _published(site: Path) -> None:
    publish(site)


async def test_the_validator_comes_with_the_document(client: Client, server: SnapshotServer) -> None:
    """For the next time."""
    seen = await client.read([server.url("index.json")], lambda document: document.seen, limit=100)
    assert (seen.validators.etag or "").startswith('"')
    assert seen.url == server.url("index.json")


async def test_identity_is_asked_for_and_no_cookie_is_kept(client: Client, server: SnapshotServer) -> None:
    """Bytes as published, and no state between requests."""
    server.script("index.json", Status(200, {"Set-Cookie": "a=b"}, b"{}"))
    for _ in range(2):
        await read(client, server.url("index.json"))
    for seen in server.requests:
        assert seen.headers["Accept-Encoding"] == "identity"
        assert seen.headers["User-Agent"].startswith("pycontextify/")
        assert "Cookie" not in seen.headers


@pytest.mark.parametrize("status", [201, 204, 206, 300, 304, 400, 401, 403, 404, 405, 410, 416, 451])
async def test_final_statuses(client: Client, server: SnapshotServer, status: int) -> None:
    """Everything but 200, a redirect and what may pass is final; the code has the number."""
    server.script("index.json", Status(status, body=b""))
    error = await failure(client, server.url("index.json"))
    assert isinstance(error, PermanentFetchError)
    assert error.code == f"http_{status}"
    assert is_absent(error) is (status in (404, 410))
    assert str(status) in str(error)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_passing_statuses(client: Client, server: SnapshotServer, status: int) -> None:
    """They carry what the server asks for."""
    server.script("index.json", Status(status, {"Retry-After": "17"}))
    error = await failure(client, server.url("index.json"))
    assert isinstance(error, TransientFetchError)
    assert (error.code, error.retry_after) == (f"http_{status}", 17.0)


@pytest.mark.parametrize("encoding", ["gzip", "GZip", "br", "x-gzip"])
async def test_an_encoded_reply_is_an_error(
    client: Client, server: SnapshotServer, tmp_path: Path, encoding: str
) -> None:
    """For documents and downloads; no byte of it is taken."""
    server.script("index.json", Encode(encoding))
    server.script("a.bin", Encode(encoding))
    assert (await failure(client, server.url("index.json"))).code == "encoded_reply"
    with pytest.raises(PermanentFetchError) as caught:
        await client.download(whole(server), tmp_path / "a.part")
    assert caught.value.code == "encoded_reply"
    assert (tmp_path / "a.part").read_bytes() == b""


async def test_identity_as_an_encoding_is_none(client: Client, server: SnapshotServer) -> None:
    """Some servers say so."""
    server.script("index.json", Status(200, {"Content-Encoding": "identity"}, b"{}"))
    assert await read(client, server.url("index.json")) == b"{}"


async def test_an_undeclared_size_is_fine(client: Client, server: SnapshotServer, tmp_path: Path) -> None:
    """A chunked body ends where it says; nobody is told a size that is not known."""
    server.script("a.bin", Unsized())
    sizes: list[int] = []

    async def sized(size: int) -> None:
        sizes.append(size)

    request = Download("a", (server.url("a.bin"),), digest_of(CONTENT))
    received = await client.download(request, tmp_path / "a.part", Watch(sized=sized))
    assert (received.digest, received.size) == (digest_of(CONTENT), len(CONTENT))
    assert sizes == []


async def test_crumbs_make_a_file(client: Client, server: SnapshotServer, site: Path, tmp_path: Path) -> None:
    """A body in small pieces arrives whole, and its progress shows while it comes."""
    content = noise(5 << 20)
    (site / "a.bin").write_bytes(content)
    server.script("a.bin", Drip(size=10_000))
    counts: list[int] = []
    watch = Watch(landed=lambda there, _fetched: counts.append(there))
    await client.download(Download("a", (server.url("a.bin"),)), tmp_path / "a.part", watch)
    assert (tmp_path / "a.part").read_bytes() == content
    assert len(counts) > 5
    assert counts == sorted(set(counts))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(client: Client, server: SnapshotServer, tmp_path: Path, status: int) -> None:
    """Every kind; what counts is what they lead to."""
    server.script("moved", Redirect("/a.bin", status))
    request = Download("a", (server.url("moved"),), digest_of(CONTENT))
    assert (await client.download(request, tmp_path / "a.part")).size == len(CONTENT)


async def test_five_redirects_are_followed_and_no_more(client: Client, server: SnapshotServer) -> None:
    """A circle ends."""
    server.script("index.json", *[Redirect("index.json")] * 5)
    assert await read(client, server.url("index.json")) == b"{}"
    server.always("index.json", Redirect("index.json"))
    error = await failure(client, server.url("index.json"))
    assert (type(error), error.code) == (PermanentFetchError, "redirect_limit")
    assert server.hits("index.json") == 6 + 6


@pytest.mark.parametrize("target", [None, "file:///etc/passwd", "ftp://127.0.0.1/a"])
async def test_redirects_out_of_http_are_refused(client: Client, server: SnapshotServer, target: str | None) -> None:
    """A server can't make us read a local file."""
    server.script("index.json", Redirect(target))
    assert (await failure(client, server.url("index.json"))).code == "redirect_invalid"


async def test_a_login_goes_to_its_own_host_only(
    client: Client, server: SnapshotServer, tmp_path: Path, site: Path
) -> None:
    """It is sent from the first request on, follows a redirect within the host, and not one to another port."""
    async with SnapshotServer(site) as other:
        server.script("moved", Redirect("index.json"))
        server.script("away", Redirect(other.url("index.json")))
        await read(client, server.url("moved", login=f"user:{SECRET}"))
        await read(client, server.url("away", login=f"user:{SECRET}"))
        await read(client, server.url("index.json"))
        logins = [seen.headers.get("Authorization") for seen in server.requests]
        assert logins[:3] == ["Basic dXNlcjpjNG5hcnk="] * 3
        assert logins[3] is None
        assert "Authorization" not in other.requests[0].headers


async def test_nothing_blocks_the_loop(client: Client, server: SnapshotServer, tmp_path: Path) -> None:
    """Opening, writing, hashing, flushing and closing all happen elsewhere."""
    with blockbuster_ctx("pycontextify"):
        await client.download(whole(server), tmp_path / "a.part")


async def test_a_fetcher_that_was_never_opened_says_so() -> None:
    """A mistake of ours, not of the network."""
    with pytest.raises(RuntimeError, match="async with"):
        async with Fetcher().open(Ask("http://127.0.0.1/")):
            pass
