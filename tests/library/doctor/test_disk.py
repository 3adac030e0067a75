"""The doctor's look at the disk."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pycontextify.config import Places, load_settings
from pycontextify.library.doctor.disk import examine_disk
from tests.fakes.child import settings


def codes(directory: Path, needed: int | None = None) -> dict[str, str]:
    """The levels of what is found, by code."""
    return {each.code: each.level for each in examine_disk(settings({"index_dir": str(directory)}), needed)}


def test_a_good_disk_has_nothing_wrong(tmp_path: Path) -> None:
    """It is tried out, and nothing is left of that."""
    found = codes(tmp_path)
    assert set(found.values()) == {"ok"}
    assert {"disk", "directory", "disk_able"} <= set(found)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Where it would be, is looked at."""
    assert codes(tmp_path / "a" / "b")["directory"] == "ok"
    assert list(tmp_path.iterdir()) == []


def test_too_little_room_is_told(tmp_path: Path) -> None:
    """Before it is found out with the last byte."""
    assert codes(tmp_path, 1 << 60)["disk_full"] == "problem"
    assert codes(tmp_path, 1)["disk"] == "ok"


@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_secrets_that_others_can_read_are_told(tmp_path: Path, mode: int) -> None:
    """The configuration file's, and a key's."""
    config, key = tmp_path / "config.toml", tmp_path / "client.pem"
    config.write_text('index_bootstrap_token = "x"\n')
    key.touch()
    for path in (config, key):
        path.chmod(mode)
    flags = {"index_dir": str(tmp_path), "index_bootstrap_client_cert": str(key)}
    found = list(examine_disk(load_settings(flags, {}, places=Places(config, tmp_path)), None))
    code = "secret_exposed" if mode == 0o644 and sys.platform != "win32" else "secret_kept"
    assert [each.code for each in found].count(code) == 2
    assert "x" not in [each.what for each in found]
