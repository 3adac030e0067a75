"""What opens doors: certificates, proxies, .netrc, tokens and headers; and that none of it goes astray or shows."""

from __future__ import annotations

import logging
import ssl
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from yarl import URL

from pycontextify.errors import PermanentFetchError, PyContextifyError
from pycontextify.hydration.sources import ArchiveSource, LayoutSource, PairSource
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.connect import Keys, Patience, open_client
from pycontextify.hydration.transfer.fetch import Timeouts
from pycontextify.hydration.transfer.mirrors import Mirrors
from pycontextify.hydration.transfer.retry import RetryPolicy
from pycontextify.hydration.transfer.secure import Certificates, open_tls, proxy_for, read_logins
from pycontextify.hydration.transfer.transport import Ask, Download
from pycontextify.hydration.workers import Workers
from tests.fakes.acts import Act, Cut, Encode, Honest, Raw, Redirect, Stall, Status
from tests.fakes.certificate import Authority
from tests.fakes.clock import FakeClock
from tests.fakes.server import SnapshotServer
from tests.hydration.transfer.asset import CONTENT, failure, publish, read

SECRET = "c4nary"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _published(site: Path) -> None:
    publish(site)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home without anything in it, in an environment without proxies."""
    for name in (*PROXIES, "NETRC"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    return home


@asynccontextmanager
async def opened(workers: Workers, keys: Keys | None = None, **patience: float) -> AsyncIterator[Client]:
    """Lend a client that asks once."""
    patient = Patience(RetryPolicy(attempts=1), Timeouts(**patience))
    async with open_client(
        workers, Mirrors(FakeClock()), on_retry=lambda _: None, keys=keys, patience=patient
    ) as client:
        yield client


# Certificates


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority that nobody knows of yet."""
    return Authority(tmp_path)


async def test_an_authority_of_ones_own_is_trusted(authority: Authority, site: Path, workers: Workers) -> None:
    """And not by those who do not name it."""
    async with SnapshotServer(site, tls=authority.server()) as server:
        async with opened(workers, Keys(certificates=Certificates(authority.certificate))) as client:
            assert await read(client, server.url("index.json")) == b"{}"
        async with opened(workers) as client:
            assert (await failure(client, server.url("index.json"))).code == "tls_untrusted"


async def test_a_client_certificate_opens_the_door(authority: Authority, site: Path, workers: Workers) -> None:
    """Certificate and key in two files or in one; without them the door stays shut."""
    certificate, key = authority.issue("client")
    both = certificate.with_name("both.pem")
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    async with SnapshotServer(site, tls=authority.server(demanding=True)) as server:
        for files in (
            Certificates(authority.certificate, certificate, key),
            Certificates(authority.certificate, both),
        ):
            async with opened(workers, Keys(certificates=files)) as client:
                assert await read(client, server.url("index.json")) == b"{}"
        async with opened(workers, Keys(certificates=Certificates(authority.certificate))) as client:
            await failure(client, server.url("index.json"))
        assert server.hits("index.json") == 2


async def test_a_client_certificate_is_for_the_configured_host_alone(
    authority: Authority, site: Path, workers: Workers
) -> None:
    """Whoever it redirects to does not get to see it, and so that door stays shut."""
    files = Certificates(authority.certificate, *authority.issue("client"))
    async with (
        SnapshotServer(site, tls=authority.server(demanding=True)) as ours,
        SnapshotServer(site, tls=authority.server(demanding=True)) as theirs,
        opened(workers, Keys(certificates=files)) as client,
    ):
        ours.script("away", Redirect(theirs.url("index.json")))
        await failure(client, ours.url("away"))
        assert theirs.requests == []


@pytest.mark.parametrize("content", [None, b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_files_that_are_no_certificates(tmp_path: Path, authority: Authority, content: bytes | None) -> None:
    """The error names the file."""
    file = tmp_path / "wrong.pem"
    if content is not None:
        file.write_bytes(content)
    certificate, _ = authority.issue("client")
    for files in (Certificates(file), Certificates(None, file), Certificates(None, certificate, file)):
        with pytest.raises(PermanentFetchError) as caught:
            open_tls(files)
        assert caught.value.code == "tls_files"
        assert str(tmp_path) in str(caught.value)


def test_without_files_the_system_is_trusted() -> None:
    """Nothing is read before it is needed."""
    tls = open_tls(Certificates())
    assert (tls.own, tls.other) == (True, True)


def test_certificates_are_checked(authority: Authority) -> None:
    """Naming an authority does not mean trusting everybody."""
    own = open_tls(Certificates(authority.certificate)).own
    assert isinstance(own, ssl.SSLContext)
    assert own.verify_mode == ssl.CERT_REQUIRED
    assert own.check_hostname


# Logins of .netrc


NETRC = "machine 127.0.0.1 login me password s3cret\nmachine other login you password pw\ndefault login x password y\n"


async def test_netrc_logs_in(home: Path, server: SnapshotServer, workers: Workers) -> None:
    """Where the address says nothing else."""
    (home / ".netrc").write_text(NETRC)
    async with opened(workers) as client:
        await read(client, server.url("index.json"))
        await read(client, server.url("index.json", login="user:c4nary"))
    logins = [seen.headers.get("Authorization") for seen in server.requests]
    assert logins == ["Basic bWU6czNjcmV0", "Basic dXNlcjpjNG5hcnk="]


def test_a_default_entry_counts_for_nothing(home: Path) -> None:
    """It is meant for FTP, and would go to every host."""
    (home / ".netrc").write_text(NETRC)
    assert read_logins({}) == {"127.0.0.1": ("me", "s3cret"), "other": ("you", "pw")}


def test_another_netrc_can_be_named(tmp_path: Path) -> None:
    """By the variable that other programs read too."""
    (tmp_path / "logins").write_text("machine host login a password b")
    assert read_logins({"NETRC": str(tmp_path / "logins")}) == {"host": ("a", "b")}


@pytest.mark.parametrize("content", [None, b"machine host login a passwort c4nary", b"\xff\xfe"])
def test_a_netrc_that_cannot_be_read(
    home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes | None
) -> None:
    """One that is named is an error; the usual one is passed over. Neither quotes what is in it."""
    named = tmp_path / "logins"
    if content is not None:
        named.write_bytes(content)
        (home / ".netrc").write_bytes(content)
    with pytest.raises(PermanentFetchError) as caught:
        read_logins({"NETRC": str(named)})
    assert caught.value.code == "netrc_unreadable"
    assert read_logins({}) == {}
    assert ("passed over" in caplog.text) is (content is not None)
    assert SECRET not in caplog.text + "".join(traceback.format_exception(caught.value))


# Proxies


async def test_a_proxy_is_gone_through(
    server: SnapshotServer, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host's name is the proxy's to look up; its login comes with it."""
    monkeypatch.setenv("HTTP_PROXY", server.url(login="me:s3cret"))
    async with opened(workers) as client:
        assert await read(client, "http://host.example/index.json") == b"{}"
    assert server.requests[0].headers["Host"] == "host.example"
    assert server.requests[0].headers["Proxy-Authorization"] == "Basic bWU6czNjcmV0"


@pytest.mark.parametrize(
    ("variables", "url", "proxy"),
    [
        ({}, "http://host/a", None),
        ({"http_proxy": "http://proxy:3128"}, "http://host/a", "http://proxy:3128"),
        ({"http_proxy": "proxy:3128"}, "http://host/a", "http://proxy:3128"),
        ({"http_proxy": "http://proxy:3128"}, "https://host/a", None),
        ({"https_proxy": "http://proxy:3128"}, "https://host/a", "http://proxy:3128"),
        ({"all_proxy": "http://proxy:3128"}, "https://host/a", "http://proxy:3128"),
        ({"http_proxy": "http://proxy:3128", "no_proxy": "host"}, "http://host/a", None),
        ({"http_proxy": "http://proxy:3128", "no_proxy": ".corp"}, "http://a.corp/a", None),
        ({"http_proxy": "http://proxy:3128"}, "http://localhost:8000/a", None),
        ({"http_proxy": "http://proxy:3128"}, "http://127.0.0.1/a", None),
        ({"http_proxy": "http://proxy:3128"}, "http://[::1]/a", None),
    ],
)
def test_which_proxy(variables: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As curl and others read the environment; never one for this machine itself."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = proxy_for(URL(url))
    assert (None if found is None else str(found)) == proxy


@pytest.mark.parametrize("proxy", ["socks5://u:c4nary@proxy:1080", "http://", "http://[", "://"])
def test_a_proxy_that_is_none(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error does not quote it."""
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with pytest.raises(PermanentFetchError) as caught:
        proxy_for(URL("http://host/a"))
    assert caught.value.code == "proxy_unusable"
    assert SECRET not in "".join(traceback.format_exception(caught.value))


async def test_a_proxy_that_does_not_answer(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Worth another try; the message tells that it is the proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://me:c4nary@127.0.0.1:1")
    async with opened(workers) as client:
        error = await failure(client, "http://host.example/a")
    assert error.code == "proxy_failed"
    assert SECRET not in "".join(traceback.format_exception(error))


# Secrets

KEYS = Keys(SECRET, (("X-Api-Key", SECRET),))


async def test_token_and_headers_go_to_the_configured_host_alone(
    server: SnapshotServer, site: Path, workers: Workers
) -> None:
    """From the first request on, through redirects within the host, and not one step beyond."""
    async with SnapshotServer(site) as other, opened(workers, KEYS) as client:
        server.script("moved", Redirect("index.json"))
        server.script("away", Redirect(other.url("back")))
        other.script("back", Redirect(server.url("index.json")))
        await read(client, server.url("moved"))
        await read(client, server.url("away"))
    sent = [(seen.headers.get("Authorization"), seen.headers.get("X-Api-Key")) for seen in server.requests]
    assert sent == [(f"Bearer {SECRET}", SECRET)] * 3 + [(None, None)]
    assert SECRET not in str([dict(seen.headers) for seen in other.requests])


ACTS: list[Act] = [
    Status(401),
    Status(503),
    Cut(10),
    Encode(),
    Raw(b"nonsense\r\n\r\n"),
    Redirect(f"http://user:{SECRET}@127.0.0.1:1/a?token={SECRET}"),
    Redirect(f"ftp://user:{SECRET}@127.0.0.1:1/a?token={SECRET}"),
    Stall(10),
    Honest(),
]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: type(act).__name__)
async def test_no_secret_shows(
    home: Path, server: SnapshotServer, workers: Workers, caplog: pytest.LogCaptureFixture, tmp_path: Path, *, act: Act
) -> None:
    """Userinfo, query, token, header, .netrc: in no log at DEBUG, message, traceback, or file that is left."""
    caplog.set_level(logging.DEBUG)
    (home / ".netrc").write_text(f"machine 127.0.0.1 login {SECRET} password {SECRET}")
    server.always("a.bin", act)
    url = server.url("a.bin", login=f"{SECRET}:{SECRET}", query=f"token={SECRET}")
    (tmp_path / "partial").mkdir()
    told: list[str] = []
    async with opened(workers, KEYS, read=0.1) as client:
        try:
            await client.download(Download("a", (url,), size=len(CONTENT)), tmp_path / "partial" / "a.part")
        except PyContextifyError as error:
            told = [str(error), repr(error), error.asset or "", *traceback.format_exception(error)]
    files = [path.read_bytes() for path in (tmp_path / "partial").iterdir() if path.suffix != ".part"]
    assert SECRET not in "".join(told) + caplog.text + repr(KEYS) + str(client)
    assert not any(SECRET.encode() in content for content in files)


@pytest.mark.parametrize(
    "value",
    [
        Ask(f"https://u:{SECRET}@host/a?t={SECRET}"),
        Download("a", (f"https://u:{SECRET}@host/a?t={SECRET}",)),
        LayoutSource((f"https://u:{SECRET}@host/a?t={SECRET}",)),
        ArchiveSource((f"https://u:{SECRET}@host/a?t={SECRET}",), "index"),
        PairSource((f"https://u:{SECRET}@host/a?t={SECRET}",), (f"https://u:{SECRET}@host/b",)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_representation_tells(value: object) -> None:
    """Tracebacks, debuggers and logs show values."""
    assert SECRET not in repr(value)
