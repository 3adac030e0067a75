"""The verbs ``backup`` and ``restore``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Site


@pytest.fixture
def index(site: Site, tmp_path: Path) -> Path:
    """An index directory of one's own."""
    shutil.copytree(site.index, tmp_path / "index")
    return tmp_path / "index"


def test_what_was_backed_up_is_restored(cli: Cli, index: Path, tmp_path: Path) -> None:
    """Even after all of the index is gone; the blobs were linked, so they took no room and are not lost with it."""
    before = cli("status", "--json", "--index-path", index).json()["index"]
    told = cli("backup", tmp_path / "backup", "--index-path", index)
    assert told.code == 0
    assert told.out.startswith("Backed up current: ")
    blob = next((index / "blobs" / "sha256").iterdir())
    assert blob.samefile(tmp_path / "backup" / "blobs" / "sha256" / blob.name)
    shutil.rmtree(index)
    restored = cli("restore", tmp_path / "backup", "--index-path", index)
    assert restored.code == 0
    assert restored.out == f"Current is generation {before['generation'][7:19]}, version {before['version']}.\n"
    assert cli("status", "--json", "--index-path", index).json()["index"]["generation"] == before["generation"]
    assert "guide/retry.md" in cli("search", "send a request again", "--index-path", index).out


def test_reports_for_programs(cli: Cli, index: Path, tmp_path: Path) -> None:
    """Doing it again adds nothing."""
    first = cli("backup", tmp_path / "backup", "--json", "--index-path", index).json()
    again = cli("backup", tmp_path / "backup", "--json", "--index-path", index).json()
    assert first["refs"] == again["refs"] == ["current"]
    assert (first["size_added"], again["size_added"]) == (first["size"], 0)
    told = cli("restore", tmp_path / "backup", "--json", "--index-path", tmp_path / "other").json()
    assert set(told) == {"generation", "version"}


def test_a_published_index_can_be_restored(cli: Cli, site: Site, tmp_path: Path) -> None:
    """It is a layout like any other."""
    assert cli("restore", site.public, "--index-path", tmp_path / "other").code == 0
    assert cli("status", "--json", "--index-path", tmp_path / "other").json()["health"]["status"] == "ok"


def test_what_is_not_there_is_a_failure(cli: Cli, site: Site, tmp_path: Path) -> None:
    """No backup, no such ref, nothing to back up: one line each, and nothing is made."""
    for arguments in (
        ("restore", tmp_path / "none", "--index-path", tmp_path / "other"),
        ("restore", site.public, "--ref", "nightly", "--index-path", tmp_path / "other"),
        ("backup", tmp_path / "backup", "--index-path", tmp_path / "other"),
    ):
        failed = cli(*arguments)
        assert (failed.code, failed.out) == (1, "")
        assert failed.err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]
