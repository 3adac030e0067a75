"""The verb ``status``."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.conftest import Cli, Site
from tests.encoder.service import running_service


def test_an_index_is_described(cli: Cli, site: Site) -> None:
    """In words, and as the server's document."""
    words = cli("status", "--index-path", site.index).out
    assert words.startswith(f"directory: {site.index}\nok: Searching ")
    document = cli("status", "--json", "--index-path", site.index).json()
    assert document["health"]["status"] == "ok"
    assert document["index"]["documents"] == 3
    assert document["hydration"]["state"] == "disabled"


def test_an_empty_directory_is_no_failure(cli: Cli, tmp_path: Path) -> None:
    """There may be an index tomorrow; the source is named when there is one."""
    where = ("--index-path", tmp_path, "--index-bootstrap-url", "https://me:hunter2@host/a")
    shown = cli("status", *where)
    assert shown.code == 0
    assert "empty: Nothing is indexed." in shown.out
    assert "idle from https://host/a" in shown.out
    assert "hunter2" not in shown.out


def test_a_damaged_index_is_a_failure(cli: Cli, site: Site, tmp_path: Path) -> None:
    """The document is printed all the same, and says what is wrong."""
    copy = tmp_path / "index"
    shutil.copytree(site.index, copy)
    for blob in (copy / "blobs" / "sha256").iterdir():
        blob.chmod(0o644)
        if blob.stat().st_size < 100_000:
            blob.write_bytes(b"")
    shown = cli("status", "--json", "--index-path", copy)
    assert shown.code in (1, 3)
    assert shown.json()["health"]["status"] == "degraded"
    assert "can't be opened" in shown.json()["health"]["message"]


def test_an_embedding_service_is_asked_whether_it_answers(cli: Cli, site: Site, tmp_path: Path) -> None:
    """An index that was built with a service needs it: without, words alone are found, and status says so."""
    service_settings = ("--embedding-provider", "http", "--embedding-model", "tiny", "--index-path", tmp_path / "index")
    with running_service() as service:
        asked = (*service_settings, "--embedding-url", service.url)
        assert cli("index", site.corpus, *asked).code == 0
        assert cli("status", "--json", *asked).json()["health"]["status"] == "ok"
    document = cli("status", "--json", *asked).json()
    assert document["health"]["status"] == "degraded"
    assert "the embedding endpoint did not answer" in document["health"]["message"]
