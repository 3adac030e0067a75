"""A real server process and real nginx: plain, behind TLS, holding back, and gone for a while."""

from __future__ import annotations

import filecmp
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from pycontextify.hydration.transfer.transport import BUFFER
from pycontextify.store.layout import Layout
from tests.fakes.ballast import FOUND
from tests.fakes.certificate import Authority
from tests.fakes.serving import Serving, serving
from tests.system.conftest import MakeNginx, Published

pytestmark = pytest.mark.system

CANARY = "canary7531"


async def check_whole(server: Serving, published: Published, home: Path) -> None:
    """What is served is what was published, byte for byte, and it answers by meaning."""
    blobs = Path("blobs", "sha256")
    for path in (published.site / blobs).iterdir():
        assert filecmp.cmp(path, home / "index" / blobs / path.name, shallow=False)
    async with Client(f"{await server.url()}/mcp") as client:
        found = (await client.call_tool("search", {"query": FOUND[1], "limit": 1})).structured_content
    assert found is not None
    assert found["generation"] == published.generation
    assert [result["path"] for result in found["results"]] == [FOUND[0]]


async def test_a_plain_one(nginx: MakeNginx, published: Published, tmp_path: Path) -> None:
    """Large blobs come in ranges, small ones whole, nothing twice; then an unchanged source costs one 304 a look."""
    host = nginx(published.site)
    async with serving(
        tmp_path,
        *("--index-bootstrap-url", host.url, "--index-bootstrap-mode", "follow", "--index-bootstrap-refresh", "1s"),
    ) as server:
        await server.hydrated()
        await server.until(lambda status: len(status["hydration"]["history"]) >= 3)
        await check_whole(server, published, tmp_path)
    host.stop()
    fetching = [request for request in host.requests() if request.status != 304]
    looks = [request for request in host.requests() if request.status == 304]
    for title in ("segment 1 vectors", "segment 2 vectors"):
        path, size = published.blob(title)
        pieces = [request for request in fetching if request.uri == path]
        assert {request.status for request in pieces} == {206}
        assert len(pieces) >= size // (16 << 20)
    for title in ("config", "segment 1 chunks", "encoder model.onnx"):
        path, _ = published.blob(title)
        assert [request.status for request in fetching if request.uri == path] == [200]
    assert published.size < sum(request.sent for request in fetching) < published.size * 1.001
    assert len(looks) >= 2
    assert {request.uri for request in looks} == {"/index.json"}
    assert max(request.sent for request in looks) < 1000


# TLS


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority of our own."""
    return Authority(tmp_path)


@pytest.fixture
def guarded(nginx: MakeNginx, published: Published, authority: Authority) -> str:
    """The address of an nginx that only lets in who shows a certificate of that authority; it holds secrets."""
    certificate, key = authority.issue("server")
    host = nginx(
        published.site,
        server=f"""
          ssl_certificate {certificate};
          ssl_certificate_key {key};
          ssl_client_certificate {authority.certificate};
          ssl_verify_client on;
        """,
        tls=True,
    )
    return f"{host.url.replace('://', f'://{CANARY}:{CANARY}@')}/?signature={CANARY}"


def flags_of(files: dict[str, Path]) -> list[object]:
    """Return the flags that name these files."""
    return [part for name, file in files.items() for part in (f"--index-bootstrap-{name}", file)]


def check_secrets(server: Serving, status: dict[str, Any], *keys: Path) -> None:
    """Neither the log, at its most talkative, nor the status tells any secret."""
    shown = server.log() + json.dumps(status)
    assert "looking at" in shown
    assert CANARY not in shown
    for key in keys:
        for line in key.read_text().splitlines():
            assert line.startswith("-----") or line not in shown


async def test_certificates_of_ones_own(
    guarded: str, authority: Authority, published: Published, tmp_path: Path
) -> None:
    """A private authority and a client certificate, named in the settings, and it is as if it were plain."""
    certificate, key = authority.issue("client")
    files = {"ca-file": authority.certificate, "client-cert": certificate, "client-key": key}
    flags = ("--index-bootstrap-url", guarded, *flags_of(files), "--log-level", "DEBUG")
    async with serving(tmp_path, *flags, env={"INDEX_BOOTSTRAP_HEADERS": f"X-Key: {CANARY}"}) as server:
        status = await server.hydrated()
        await check_whole(server, published, tmp_path)
        check_secrets(server, status, key)


@pytest.mark.parametrize(
    ("known", "shown", "code"),
    [
        (False, "client", "tls_untrusted"),
        (True, None, "http_400"),
        (True, "stranger", "http_400"),
        (True, "mismatched", "tls_files"),
    ],
)
async def test_without_the_right_certificates(
    guarded: str, authority: Authority, tmp_path: Path, *, known: bool, shown: str | None, code: str
) -> None:
    """The status says why, with a code; nothing is fetched, and no secret shows."""
    (tmp_path / "elsewhere").mkdir()
    certificate, key = authority.issue("client")
    strange, strange_key = Authority(tmp_path / "elsewhere").issue("stranger")
    pairs = {"client": (certificate, key), "stranger": (strange, strange_key), "mismatched": (certificate, strange_key)}
    files = {"ca-file": authority.certificate} if known else {}
    files |= dict(zip(("client-cert", "client-key"), pairs[shown], strict=True)) if shown else {}
    flags = ("--index-bootstrap-url", guarded, *flags_of(files), "--log-level", "DEBUG")
    async with serving(tmp_path, *flags, env={"INDEX_BOOTSTRAP_HEADERS": f"X-Key: {CANARY}"}) as server:
        status = await server.in_state("failed")
        check_secrets(server, status, key, strange_key)
    assert status["hydration"]["last_error"]["code"] == code
    assert status["hydration"]["bytes_fetched"] == 0
    assert status["health"]["status"] != "ok"


# One that holds back


@pytest.mark.parametrize("status", [503, 429])
async def test_one_request_at_a_time(nginx: MakeNginx, published: Published, tmp_path: Path, status: int) -> None:
    """Throttled, and more than one request is turned away: all of it comes in one attempt, after a few refusals."""
    limits = f"limit_conn_zone $binary_remote_addr zone=clients:1m; limit_conn clients 1; limit_conn_status {status};"
    host = nginx(published.site, http=f"{limits} limit_rate 50m;")
    async with serving(tmp_path, "--index-bootstrap-url", host.url) as server:
        report = await server.hydrated()
        await check_whole(server, published, tmp_path)
    host.stop()
    assert report["hydration"]["attempt"] == 1
    assert 1 <= sum(request.status == status for request in host.requests()) <= 3 + 2 + 1


# One that goes away


@pytest.mark.timeout(240)
async def test_one_that_is_killed_and_comes_back(
    nginx: MakeNginx, published: Published, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Master and workers go in the middle of bodies, for a moment, and then for longer than anybody asks again.

    Once it is back the rest is fetched, by itself, and next to nothing twice. (That is counted by the server process:
    a killed nginx does not log what it was sending.)
    """
    host = nginx(published.site, http="limit_rate 10m;")
    async with serving(tmp_path, "--index-bootstrap-url", host.url) as server:
        await server.until(lambda status: status["hydration"]["bytes_done"] > published.size / 3)
        host.kill()
        host.start()
        await server.until(lambda status: status["hydration"]["bytes_done"] > published.size * 2 / 3)
        host.kill()
        await server.in_state("failed")
        host.start()
        status = await server.hydrated(seconds=100)
        await check_whole(server, published, tmp_path)
    history = status["hydration"]["history"]
    assert [past["result"] for past in history][:2] == ["installed", "failed"]
    assert {past["trigger"] for past in history} == {"startup"}
    layers = Layout(published.site).manifest(published.generation).layers
    again = sum(past["bytes_fetched"] for past in history) - sum(layer.size for layer in layers)
    record_property("bytes fetched again after nginx was killed twice", again)
    assert 0 <= again <= 4 * BUFFER
