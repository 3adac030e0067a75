"""Somebody new follows the README, in a clean environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parent.parent.parent

# What a machine needs so that pip and git work behind its proxies; nothing of ours, nothing of this environment.
_MACHINE = (
    "PIP_",
    "SSL_",
    "REQUESTS_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)


@pytest.mark.timeout(1000)
def test_a_newcomer_gets_an_answer(tmp_path: Path) -> None:
    """From the clone to a server that has filled itself, and a search through the configuration that is shown."""
    clean = {name: value for name, value in os.environ.items() if name.startswith(_MACHINE)}
    clean["PATH"] = "/usr/local/bin:/usr/bin:/bin"
    if (pip := pip_configuration()) is not None:
        clean.setdefault("PIP_CONFIG_FILE", str(pip))
    python = sys._base_executable  # type: ignore[attr-defined]  # there is no public name for it
    done = subprocess.run(
        [ROOT / "tests" / "system" / "newcomer.sh", snapshot(tmp_path), python],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["index_state"] == "ready"
    assert told["results"][0]["path"] == "retry.py"
    assert "search" in told["tools"]


def snapshot(place: Path) -> Path:
    """Return a repository with what is here now, committed or not: that is what the newcomer is to get."""
    repository = place / "published.git"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    git = ["git", f"--git-dir={repository}", f"--work-tree={ROOT}"]
    there = b"\0".join(name for name in listed.split(b"\0") if name and (ROOT / os.fsdecode(name)).exists())
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.com"]
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", repository], check=True)
    subprocess.run([*git, "add", "--pathspec-from-file=-", "--pathspec-file-nul"], input=there, cwd=ROOT, check=True)
    subprocess.run([*git, *who, "commit", "--quiet", "--message=As it is"], cwd=ROOT, check=True)
    return repository


def pip_configuration() -> Path | None:
    """Return where this user has told pip which index to ask; a newcomer's own home has no such file."""
    places = (Path.home() / ".config" / "pip" / "pip.conf", Path.home() / ".pip" / "pip.conf")
    return next((place for place in places if place.is_file()), None)
