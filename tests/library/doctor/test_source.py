"""The doctor's look at the source: every mirror, in whatever way it misbehaves."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from pycontextify.library.doctor.finding import Finding
from pycontextify.library.doctor.source import SourceReport, examine_source
from pycontextify.publish.directory import publish_directory
from pycontextify.publish.issue import Issue
from pycontextify.publish.pair import publish_archive, publish_pair
from pycontextify.snapshot.digest import Digest
from pycontextify.store.layout import Layout
from tests.fakes.acts import Garble, Honest, Redirect, Status
from tests.fakes.certificate import Authority, self_signed
from tests.fakes.server import SnapshotServer
from tests.fakes.signers import OTHER, SIGNER, signs
from tests.library.conftest import Library

CANARY = "canary-7f3a"


@pytest.fixture
def published(library: Library) -> Digest:
    """Something to be hydrated."""
    return library.publish(1)


@pytest.fixture
async def server(library: Library, published: Digest) -> AsyncIterator[SnapshotServer]:
    """A host that serves it."""
    async with SnapshotServer(library.public) as server:
        yield server


async def look(library: Library, *urls: str, **flags: object) -> SourceReport:
    """Examine a layout with these mirrors."""
    return await examine_source(library.workspace("index", index_bootstrap_url=",".join(urls), **flags))


def by_code(report: SourceReport) -> dict[str, Finding]:
    """The findings by their codes."""
    return {finding.code: finding for finding in report.findings}


def bad(report: SourceReport) -> dict[str, str]:
    """The levels of what is not as it should be, by code."""
    return {finding.code: finding.level for finding in report.findings if finding.level != "ok"}


async def test_nothing_is_wrong_with_a_good_host(library: Library, server: SnapshotServer) -> None:
    """Every step is told, and how much there is to fetch; nothing of it is kept."""
    report = await look(library, server.url())
    assert bad(report) == {}
    assert set(by_code(report)) == {
        *("source_reached", "source_answers", "clock", "source_validators"),
        *("unsigned", "offer", "source_ranges"),
    }
    blobs = Layout(library.public).manifest(Layout(library.public).refs().refs["latest"].digest).blobs
    assert report.needed == sum(blob.size for blob in blobs)
    assert not library.workspace().layout.root.exists()


async def test_without_a_source_there_is_nothing_to_ask(library: Library) -> None:
    """Which is worth a note."""
    assert bad(await examine_source(library.workspace())) == {"no_source": "note"}


async def test_a_directory_is_a_source(library: Library, published: Digest) -> None:
    """Nothing stands between; what only servers have is not asked for."""
    assert set(by_code(await look(library, library.public.as_uri()))) == {"source_answers", "unsigned", "offer"}


@pytest.mark.parametrize(
    ("act", "code", "level"),
    [
        (Status(404), "http_404", "problem"),
        (Status(401), "http_401", "problem"),
        (Status(503), "http_503", "problem"),
        (Honest(etag=None), "source_no_304", "note"),
        (Honest(etag='W/"1"'), "source_weak_etag", "note"),
        (Status(200, {"ETag": '"1"'}, b"<html>"), "index_json_invalid", "problem"),
        (Redirect(None), "redirect_invalid", "problem"),
    ],
)
async def test_what_a_host_does_wrong_is_told(
    library: Library, server: SnapshotServer, act: Status | Honest | Redirect, code: str, level: str
) -> None:
    """With what to do about it."""
    server.always("index.json", act)
    found = by_code(await look(library, server.url()))
    assert found[code].level == level
    assert found[code].hint


@pytest.mark.parametrize("act", [Honest(ranges=False), Garble(None)])
async def test_a_host_without_ranges_is_told(library: Library, server: SnapshotServer, act: Honest | Garble) -> None:
    """Downloads from it begin anew; it works all the same."""
    for blob in Layout(library.public).blob_files():
        if blob.name not in _documents(library):
            server.always(f"blobs/sha256/{blob.name}", act)
    assert bad(await look(library, server.url())) == {"source_no_ranges": "warning"}


def _documents(library: Library) -> set[str]:
    layout = Layout(library.public)
    latest = layout.refs().refs["latest"].digest
    return {latest.hex, layout.manifest(latest).config.digest.hex}


@pytest.mark.parametrize(("seconds", "expected"), [(-300, "behind"), (300, "ahead of"), (30, None)])
async def test_a_clock_that_is_wrong_is_told(
    library: Library, server: SnapshotServer, seconds: int, expected: str | None
) -> None:
    """By more than a minute: what expires is judged by it."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    content = (library.public / "index.json").read_bytes()
    server.always("index.json", Status(200, {"Date": date, "ETag": '"1"'}, content))
    skew = by_code(await look(library, server.url())).get("clock_skew")
    assert (skew is None) is (expected is None)
    assert skew is None or f" {expected} " in skew.what


async def test_where_it_leads_is_told(library: Library, server: SnapshotServer) -> None:
    """The host alone, for the rest may be secret."""
    server.always(
        "moved/index.json", Redirect(server.url("index.json", query=f"sig={CANARY}").replace("127.0.0.1", "localhost"))
    )
    for blob in Layout(library.public).blob_files():
        server.always(f"moved/blobs/sha256/{blob.name}", Redirect(f"/blobs/sha256/{blob.name}"))
    found = by_code(await look(library, server.url("moved")))
    assert found["source_redirects"].what.endswith(server.url().rstrip("/").replace("127.0.0.1", "localhost"))
    assert CANARY not in str(found)


async def test_a_closed_port_and_a_missing_name_are_told_apart(library: Library) -> None:
    """By the step that fails, and nothing after it is tried."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        report = await look(library, f"http://127.0.0.1:{closed.getsockname()[1]}/i")
    assert bad(report) == {"connect_failed": "problem"}
    assert bad(await look(library, "http://nowhere.invalid/i")) == {"dns_failed": "problem"}


async def test_one_mirror_that_works_will_do(library: Library, server: SnapshotServer) -> None:
    """What fails with another is a warning then."""
    report = await look(library, "http://127.0.0.1:1/i", server.url())
    assert bad(report) == {"connect_failed": "warning"}


async def test_mirrors_that_differ_are_told(library: Library, server: SnapshotServer, tmp_path: Path) -> None:
    """Somebody has published to one of them alone."""
    built = Layout(tmp_path / "other built")
    publish_directory(built, library.make(built, 2), tmp_path / "other")
    report = await look(library, server.url(), (tmp_path / "other").as_uri())
    assert bad(report) == {"mirrors_differ": "warning"}


async def test_a_certificate_that_nobody_trusts_is_told(library: Library, published: Digest, tmp_path: Path) -> None:
    """With the setting that would have it trusted."""
    async with SnapshotServer(library.public, tls=self_signed(tmp_path)) as server:
        found = by_code(await look(library, server.url()))
    assert set(found) == {"tls_untrusted"}
    assert "index_bootstrap_ca_file" in found["tls_untrusted"].hint


@pytest.mark.parametrize(
    ("days", "code", "level"), [(-2, "tls_untrusted", "problem"), (3, "tls_expires_soon", "warning"), (99, "tls", "ok")]
)
async def test_when_a_certificate_ends_is_told(
    library: Library, published: Digest, tmp_path: Path, *, days: float, code: str, level: str
) -> None:
    """Before it does, and when it has."""
    authority = Authority(tmp_path)
    async with SnapshotServer(library.public, tls=authority.server(days=days)) as server:
        found = by_code(await look(library, server.url(), index_bootstrap_ca_file=str(authority.certificate)))
    assert found[code].level == level
    assert code != "tls_untrusted" or "expired" in found[code].what


async def test_plain_http_where_tls_is_expected_is_told(library: Library, server: SnapshotServer) -> None:
    """The port is right, what it speaks is not."""
    found = by_code(await look(library, server.url().replace("http:", "https:")))
    assert set(found) == {"tls_failed"}


async def test_files_of_certificates_that_are_none_are_told(
    library: Library, server: SnapshotServer, tmp_path: Path
) -> None:
    """Nothing is asked then."""
    (tmp_path / "no.pem").write_text("no")
    report = await look(library, server.url(), index_bootstrap_ca_file=str(tmp_path / "no.pem"))
    assert bad(report) == {"tls_files": "problem"}
    assert server.requests == []


async def test_a_ref_that_is_not_there_is_told(library: Library, server: SnapshotServer) -> None:
    """With those that are."""
    found = by_code(await look(library, f"{server.url()}#nightly"))
    assert found["ref_missing"].level == "problem"
    assert "it has: latest" in found["ref_missing"].what


@pytest.mark.parametrize(
    ("keys", "code", "level"),
    [
        (str(SIGNER.public), "signed", "ok"),
        (str(OTHER.public), "signature_untrusted", "problem"),
        ("", "signature_unchecked", "note"),
    ],
)
async def test_who_has_signed_is_told(library: Library, keys: str, code: str, level: str) -> None:
    """By the name of the key, trusted or not."""
    built = Layout(library.home / "built")
    publish_directory(built, library.make(built, 1), library.public, Issue(sign=signs()))
    flags = {"index_bootstrap_trusted_keys": keys} if keys else {}
    found = by_code(await look(library, library.public.as_uri(), **flags))
    assert found[code].level == level
    assert code == "signature_untrusted" or SIGNER.public.name in found[code].what


async def test_what_is_not_signed_is_told_where_that_counts(library: Library, published: Digest) -> None:
    """It would be refused."""
    flags = {"index_bootstrap_trusted_keys": str(SIGNER.public)}
    assert bad(await look(library, library.public.as_uri(), **flags)) == {"signature_missing": "problem"}


@pytest.mark.parametrize(
    ("issue", "code", "level"),
    [
        (Issue(channel="nightly"), "channel_differs", "problem"),
        (Issue(expires=datetime.now(UTC) - timedelta(days=1)), "snapshot_expired", "problem"),
        (Issue(expires=datetime.now(UTC) + timedelta(hours=3)), "expires_soon", "warning"),
        (Issue(expires=datetime.now(UTC) + timedelta(days=30)), "offer", "ok"),
    ],
)
async def test_whether_it_would_be_taken_is_told(library: Library, issue: Issue, code: str, level: str) -> None:
    """As hydration would judge it."""
    built = Layout(library.home / "built")
    publish_directory(built, library.make(built, 1), library.public, issue)
    assert by_code(await look(library, library.public.as_uri()))[code].level == level


async def test_a_pinned_manifest_is_looked_for(library: Library, server: SnapshotServer, published: Digest) -> None:
    """Without index.json."""
    assert bad(await look(library, server.url(), index_bootstrap_sha256=published.hex)) == {}
    assert server.hits("index.json") == 0
    assert "http_404" in bad(await look(library, server.url(), index_bootstrap_sha256="0" * 64))


async def test_archives_and_pairs_are_looked_at(library: Library, tmp_path: Path) -> None:
    """Each file and its digest; no more than a byte of them."""
    built = Layout(library.home / "built")
    generation = library.make(built, 1)
    publish_archive(built, generation, tmp_path / "site" / "i.zip", name="i", issue=Issue(sign=signs()))
    publish_pair(built, generation, tmp_path / "site", name="i", issue=Issue(sign=signs()))
    keys = {"index_bootstrap_trusted_keys": str(SIGNER.public)}
    async with SnapshotServer(tmp_path / "site") as server:
        archive = {"index_bootstrap_archive": server.url("i.zip"), **keys}
        pair = {
            "index_bootstrap_faiss_url": server.url("i.faiss"),
            "index_bootstrap_metadata_url": server.url("i.sqlite"),
        }
        for flags in (archive, {**pair, **keys}):
            report = await examine_source(library.workspace(**flags))
            assert bad(report) == {}
            assert {"digest_known", "signed", "source_ranges"} <= set(by_code(report))
            assert report.needed
        assert server.body_bytes("i.zip") <= 1
        (tmp_path / "site" / "i.zip.sha256").unlink()
        assert bad(await examine_source(library.workspace(**archive))) == {"digest_unknown": "note"}
        server.always("i.faiss", Status(404))
        assert bad(await examine_source(library.workspace(**pair)))["http_404"] == "problem"


async def test_secrets_are_never_told(library: Library, server: SnapshotServer) -> None:
    """Neither those of an address nor a token, whatever goes wrong."""
    server.always("index.json", Status(403))
    flags = {"index_bootstrap_url": server.url(login=f"me:{CANARY}", query=f"sig={CANARY}")}
    report = await examine_source(library.workspace(**flags))
    assert bad(report) == {"http_403": "problem"}
    assert server.requests[0].headers["Authorization"].startswith("Basic ")
    assert CANARY not in str([finding.to_json() for finding in report.findings])


async def test_a_page_in_place_of_an_index_is_told(library: Library, server: SnapshotServer) -> None:
    """A network's sign-in, say; publishing again would change nothing."""
    server.always("index.json", Status(200, {"ETag": '"1"'}, b"<!doctype html><title>Sign in</title>"))
    told = by_code(await look(library, server.url()))["index_json_invalid"]
    assert told.what.endswith("/index.json: the index.json is a web page")
    assert "in a browser" in told.hint


async def test_what_may_pass_is_told_as_such(library: Library, server: SnapshotServer) -> None:
    """The address is right: it answers."""
    server.always("index.json", Status(503))
    assert "check the address" not in by_code(await look(library, server.url()))["http_503"].hint


async def test_a_login_that_is_refused_is_told(library: Library, server: SnapshotServer) -> None:
    """It is there, so that to give one is not all there is to do."""
    server.always("index.json", Status(401))
    assert (
        "wrong or has expired" in by_code(await look(library, server.url(), index_bootstrap_token="x"))["http_401"].hint
    )


async def test_a_certificate_behind_a_redirect_is_told(
    library: Library, server: SnapshotServer, tmp_path: Path
) -> None:
    """As one at the address itself."""
    async with SnapshotServer(library.public, tls=self_signed(tmp_path)) as other:
        server.always("index.json", Redirect(f"{other.url()}/index.json"))
        told = by_code(await look(library, server.url()))["tls_untrusted"]
    assert "/index.json: the server's certificate is not trusted (" in told.what
    assert "_ssl.c" not in told.what
    assert "index_bootstrap_ca_file" in told.hint


async def test_an_index_that_is_left_alone_is_told(library: Library, published: Digest) -> None:
    """Which is how it is, unless it follows the source or somebody hydrates."""
    source = library.public.as_uri()
    assert "source_not_followed" not in by_code(await look(library, source))
    library.make(library.workspace("index").layout, 9)
    told = by_code(await look(library, source))["source_not_followed"]
    assert (told.level, "pycontextify hydrate" in told.hint) == ("note", True)
    assert "source_not_followed" not in by_code(await look(library, source, index_bootstrap_mode="follow"))
