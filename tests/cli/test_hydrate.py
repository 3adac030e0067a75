"""The verb ``hydrate``, against real sources."""

from __future__ import annotations

import socket
from pathlib import Path

from pycontextify.cli.demo.host import static_host
from tests.cli.conftest import Cli, Site


def test_a_published_directory_arrives_and_answers(cli: Cli, site: Site, tmp_path: Path) -> None:
    """From a plain web server into an empty directory; the second time there is nothing to do."""
    with static_host(site.public) as host:
        hydrate = ("hydrate", "--index-bootstrap-url", host.url, "--index-path", tmp_path / "index")
        first = cli(*hydrate, "--json").json()
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
