"""The page on verifying by hand, with the tools that it names."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from pycontextify.store.layout import Layout
from tests.fakes.serving import SCRIPT, environment

pytestmark = pytest.mark.system

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "guide" / "verify.md"
_MADE = """
mkdir tree
printf '# The moon\\n\\nIt has no air.\\n' > tree/moon.md
pycontextify index tree --index-path index
pycontextify keygen team.key --no-password
pycontextify publish public --sign team.key --index-path index
pycontextify publish --archive index.tar.zst --sign team.key --index-path index
"""


def block(name: str) -> str:
    """Return a marked block of the page."""
    found = re.findall(rf"<!-- verify: {name} -->\n```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 1
    return str(found[0])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory with a signed index in both forms."""
    run(tmp_path, _MADE)
    return tmp_path


def run(home: Path, commands: str, *, well: bool = True) -> str:
    """Run commands where the index lies; return what they say."""
    own = environment(home)
    own["PATH"] = f"{SCRIPT.parent}:{own['PATH']}"
    shell = ["bash", "-euo", "pipefail", "-c", commands]
    done = subprocess.run(shell, cwd=home, env=own, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is well, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_digests(home: Path) -> None:
    """Silent when all is well; a changed byte is found."""
    assert run(home, block("sha256sum")) == ""
    layout = Layout(home / "public")
    latest = layout.refs().refs["latest"].digest
    path = layout.blob_path(layout.manifest(latest).config.digest)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    assert "FAILED" in run(home, block("sha256sum"), well=False)


def test_signatures(home: Path) -> None:
    """minisign finds the manifest signed, and tells version and channel; another key has not signed it."""
    said = run(home, block("minisign"))
    assert "Signature and comment signature verified" in said
    assert re.search(r"Trusted comment: .*version:\d+\tchannel:default", said)
    run(home, "pycontextify keygen other.key --no-password && mv other.pub team.pub")
    run(home, block("minisign"), well=False)


def test_archives(home: Path) -> None:
    """What lies beside an archive vouches for it."""
    said = run(home, block("archive"))
    assert "index.tar.zst: OK" in said
    assert "verified" in said


def test_a_signature_made_elsewhere(home: Path) -> None:
    """Published, signed by minisign, and attached; then it is found as any other."""
    run(home, "rm -r public")
    run(home, block("attach"))
    assert "verified" in run(home, block("minisign"))
