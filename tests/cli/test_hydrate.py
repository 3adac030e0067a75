"""The verb ``hydrate``, against real sources."""

from __future__ import annotations

import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest

from pycontextify.cli.demo.host import static_host
from pycontextify.store.layout import Layout
from pycontextify.store.signed import add_signature, signature_of
from tests.cli.conftest import Cli, Site
from tests.fakes.signers import OTHER


def test_a_published_directory_arrives_and_answers(cli: Cli, site: Site, tmp_path: Path) -> None:
    """From a plain web server into an empty directory; the second time there is nothing to do."""
    with static_host(site.public) as host:
        hydrate = ("hydrate", "--index-bootstrap-url", host.url, "--index-path", tmp_path / "index")
        first = cli(*hydrate, "--json").result()
        assert first["result"] == "installed"
        assert first["bytes_fetched"] > 0
        assert first["seconds"] > 0
        assert "fetching" in first["phases"]
        second = cli(*hydrate)
    assert second.out.startswith("Up to date: the source has what is here, generation ")
    found = cli("search", "pause", "--json", "--index-path", tmp_path / "index").json()
    assert found["generation"] == first["generation"]
    assert found["results"]


def test_an_archive_arrives_too(cli: Cli, site: Site, tmp_path: Path) -> None:
    """With the digest beside it checked."""
    settings = {"INDEX_BOOTSTRAP_ARCHIVE": site.archive.as_uri(), "INDEX_DIR": str(tmp_path / "index")}
    done = cli("hydrate", "--index-name", "small", **settings)
    assert done.code == 0, done.err
    assert done.out.startswith("Installed generation ")


def test_a_wrong_digest_is_rejected(cli: Cli, site: Site, tmp_path: Path) -> None:
    """Exit code 3, and nothing is installed."""
    pin = ("--index-bootstrap-sha256", "0" * 64)
    where = ("--index-path", tmp_path / "index", "--index-name", "small")
    failed = cli("hydrate", "--index-bootstrap-archive", site.archive.as_uri(), *pin, *where)
    assert (failed.code, failed.out) == (3, "")
    assert failed.err.startswith("error: ")
    assert cli("status", "--json", *where).json()["index"]["generation"] is None


def test_a_host_that_is_not_there_is_unreachable(cli: Cli, tmp_path: Path) -> None:
    """Exit code 4; the address is shown without what must not be."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    url = f"http://me:hunter2@127.0.0.1:{port}/index?token=hunter2"
    failed = cli("hydrate", "--index-bootstrap-url", url, "--index-path", tmp_path / "index")
    assert (failed.code, failed.out) == (4, "")
    assert f"http://127.0.0.1:{port}/index" in failed.err
    assert "hunter2" not in failed.err


def test_what_is_not_published_is_unreachable(cli: Cli, site: Site, tmp_path: Path) -> None:
    """A host that answers 404 has no index for us."""
    with static_host(site.public) as host:
        failed = cli("hydrate", "--index-bootstrap-url", f"{host.url}/nope", "--index-path", tmp_path / "index")
    assert failed.code == 4
    assert "404" in failed.err


def test_no_source_is_a_failure(cli: Cli, tmp_path: Path) -> None:
    """It says how to name one."""
    failed = cli("hydrate", "--index-path", tmp_path / "index")
    assert failed.code == 1
    assert "--index-bootstrap-url" in failed.err


def test_contradicting_settings_are_a_wrong_command_line(cli: Cli, tmp_path: Path) -> None:
    """Exit code 2, before anything is asked of anybody."""
    both = ("--index-bootstrap-url", "https://host/a", "--index-bootstrap-archive", "https://host/a.zip")
    refused = cli("hydrate", *both, "--index-path", tmp_path / "index")
    assert refused.code == 2
    assert refused.err.count("\n") == 1
    assert refused.err.endswith("[config_conflict]\n")


# Signed


@dataclass(frozen=True, slots=True)
class Signed:
    """An index published with a signature, and the public key that vouches for it."""

    url: str
    public: Path
    key: str
    publish: tuple[object, ...]


@pytest.fixture
def signed(cli: Cli, site: Site, tmp_path: Path) -> Signed:
    """A directory that was published with a key of its own."""
    key = cli("keygen", tmp_path / "index.key", "--no-password", "--json").json()["key"]
    public = tmp_path / "public"
    publish = ("publish", public, "--sign", tmp_path / "index.key", "--json", "--index-path", site.index)
    assert cli(*publish).code == 0
    return Signed(public.as_uri(), public, key, publish)


def test_a_signed_index_arrives(cli: Cli, signed: Signed, tmp_path: Path) -> None:
    """From the disk or a web server, the key given as its line or as its file; the second time nothing is done."""
    with static_host(signed.public) as host:
        for url, key in ((signed.url, tmp_path / "index.pub"), (host.url, signed.key)):
            index = tmp_path / f"index{len(str(key))}"
            hydrate = ("hydrate", "--index-bootstrap-url", url, "--index-bootstrap-trusted-keys", key, "--json")
            results = [cli(*hydrate, "--index-path", index).result()["result"] for _ in range(2)]
            assert results == ["installed", "unchanged"]
    assert "guide/retry.md" in cli("search", "send a request again", "--index-path", index).out


@pytest.mark.parametrize("kind", ["archive", "pair"])
def test_signed_files_arrive(cli: Cli, site: Site, signed: Signed, tmp_path: Path, kind: str) -> None:
    """Each is held against the signature beside it."""
    place = tmp_path / "out" / ("a.zip" if kind == "archive" else "")
    sign = ("--sign", tmp_path / "index.key", "--index-path", site.index)
    assert cli("publish", f"--{kind}", place, *sign).code == 0
    source: tuple[str, ...] = ("--index-bootstrap-archive", place.as_uri())
    if kind == "pair":
        files = [(place / f"small.{ending}").as_uri() for ending in ("faiss", "sqlite")]
        source = ("--index-bootstrap-faiss-url", files[0], "--index-bootstrap-metadata-url", files[1])
    hydrate = ("hydrate", *source, "--index-bootstrap-trusted-keys", signed.key)
    done = cli(*hydrate, "--index-path", tmp_path / "one")
    assert done.code == 0, done.err
    for path in (tmp_path / "out").glob("*.minisig"):
        path.unlink()
    refused = cli(*hydrate, "--index-path", tmp_path / "two")
    assert (refused.code, refused.out) == (3, "")
    assert refused.err.endswith("[signature_missing]\n")


@pytest.mark.parametrize(("which", "code"), [("unsigned", "signature_missing"), ("stranger's", "signature_untrusted")])
def test_what_nobody_trusted_has_signed_is_refused(
    cli: Cli, site: Site, signed: Signed, tmp_path: Path, *, which: str, code: str
) -> None:
    """Exit code 3, and nothing of it is installed; what is here already goes on being what is here."""
    trusted = ("--index-bootstrap-trusted-keys", signed.key if which == "unsigned" else OTHER.public)
    url = site.public.as_uri() if which == "unsigned" else signed.url
    where = ("--index-path", tmp_path / "index")
    refused = cli("hydrate", "--index-bootstrap-url", url, *trusted, *where)
    assert (refused.code, refused.out) == (3, "")
    assert refused.err.endswith(f"[{code}]\n")
    assert refused.err.count("\n") == 1
    assert cli("status", "--json", *where).json()["index"]["generation"] is None


def test_a_changed_signature_is_refused(cli: Cli, signed: Signed, tmp_path: Path) -> None:
    """One that says another thing of the snapshot than what was signed."""
    layout = Layout(signed.public)
    signature = signature_of(layout, layout.refs(), layout.refs().refs["latest"].digest)
    assert signature is not None
    changed = add_signature(layout, layout.refs().refs["latest"].digest, signature.replace(b"version:", b"version:9"))
    layout.write_refs(layout.refs().signed(layout.refs().refs["latest"].digest, changed))
    trusted = ("--index-bootstrap-trusted-keys", signed.key)
    refused = cli("hydrate", "--index-bootstrap-url", signed.url, *trusted, "--index-path", tmp_path / "index")
    assert refused.code == 3
    assert refused.err.endswith("[signature_invalid]\n")


def test_an_older_version_is_taken_when_somebody_says_so(cli: Cli, signed: Signed, tmp_path: Path) -> None:
    """Once something newer was seen it is refused, also after everything that was fetched is gone; or taken, once."""
    hydrate = ("hydrate", "--index-bootstrap-url", signed.url, "--index-bootstrap-trusted-keys", signed.key)
    here = ("--index-path", tmp_path / "index")
    older = tmp_path / "older.json"
    shutil.copy(signed.public / "index.json", older)
    assert cli(*signed.publish, "--supersede").code == 0
    newer = cli(*hydrate, *here, "--json").result()["generation"]
    shutil.copy(older, signed.public / "index.json")
    for _ in range(2):
        refused = cli(*hydrate, *here)
        assert (refused.code, refused.out) == (3, "")
        assert refused.err.endswith("[version_lower]\n")
        assert "--allow-older" in refused.err
        assert cli("status", "--json", *here).json()["index"]["generation"] in {newer, None}
        shutil.rmtree(tmp_path / "index" / "blobs", ignore_errors=True)
        (tmp_path / "index" / "index.json").unlink(missing_ok=True)
    done = cli(*hydrate, *here, "--allow-older", "--json")
    assert done.code == 0, done.err
    assert done.result()["generation"] != newer
    assert cli(*hydrate, *here).code == 0
    assert cli(*signed.publish, "--supersede").code == 0
    assert cli(*hydrate, *here).out.startswith("Installed generation ")


def test_another_channel_is_refused(cli: Cli, signed: Signed, tmp_path: Path) -> None:
    """Signed by the right key and meant for others; it is taken by whoever wants that channel."""
    assert cli(*signed.publish, "--channel", "beta").code == 0
    hydrate = ("hydrate", "--index-bootstrap-url", signed.url, "--index-path", tmp_path / "index")
    refused = cli(*hydrate, "--index-bootstrap-trusted-keys", signed.key)
    assert refused.code == 3
    assert refused.err.endswith("[channel_differs]\n")
    assert cli(*hydrate, "--index-bootstrap-trusted-keys", signed.key, "--index-bootstrap-channel", "beta").code == 0
