"""The verb ``doctor``: what is wrong is told, and what has rotted is fetched again, alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pycontextify.cli.demo.host import static_host
from pycontextify.store.layout import Layout
from tests.cli.conftest import Cli, Site


@pytest.fixture
def index(cli: Cli, site: Site, tmp_path: Path) -> Path:
    """A hydrated index directory of one's own."""
    shutil.copytree(site.public, tmp_path / "public")
    done = cli("hydrate", "--index-path", tmp_path / "index", "--index-bootstrap-url", (tmp_path / "public").as_uri())
    assert done.code == 0, done.err
    return tmp_path / "index"


def rot(index: Path) -> Path:
    """Let the vectors rot; return their file."""
    layout = Layout(index)
    current = layout.current()
    assert current is not None
    path = layout.blob_path(layout.config(current).segments[0].vectors)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    return path


def test_nothing_is_wrong(cli: Cli, index: Path) -> None:
    """At first sight, and after reading it all."""
    shallow, deep = cli("doctor", "--index-path", index), cli("doctor", "--deep", "--index-path", index)
    assert (shallow.code, deep.code) == (0, 0)
    assert shallow.out.endswith("nothing is wrong at first sight of the index; --deep reads it all\n")
    assert deep.out.startswith(f"directory: {index}\n")
    assert deep.out.endswith("\nnothing is wrong\n")


def test_a_rotten_blob_is_fetched_again_alone(cli: Cli, index: Path, tmp_path: Path) -> None:
    """One flipped bit: found by --deep, set aside, and one blob is asked for."""
    path = rot(index)
    sound = (tmp_path / "public" / "blobs" / "sha256" / path.name).read_bytes()
    assert cli("doctor", "--index-path", index).code == 0
    with static_host(tmp_path / "public") as host:
        mended = cli("doctor", "--deep", "--index-path", index, "--index-bootstrap-url", host.url)
        served = host.served()
    assert mended.code == 0, mended.out
    assert f"set aside: the blob {path.name[:12]}… (segment 1 vectors) has other bytes than it should" in mended.out
    assert mended.out.endswith("nothing is wrong\n")
    # index.json, the manifest, and the blob in a piece or two; then the doctor's own look at the source, which asks for
    # index.json twice, the manifest, the config and a byte of a blob.
    assert served.requests <= 4 + 6
    assert 0 < served.size - len(sound) < 12_000
    assert path.read_bytes() == sound
    assert len(list(Layout(index).quarantine.iterdir())) == 1


def test_without_a_source_it_stays_set_aside(cli: Cli, index: Path) -> None:
    """And the exit code says that something is still wrong; the next hydration mends it."""
    rot(index)
    document = cli("doctor", "--deep", "--json", "--index-path", index)
    assert document.code == 1
    told = document.json()
    assert [finding["code"] for finding in told["set_aside"]] == ["blob_rotten"]
    assert cli("doctor", "--index-path", index).code == 1


def test_an_empty_directory_is_told(cli: Cli, tmp_path: Path) -> None:
    """There is nothing to look over."""
    told = cli("doctor", "--index-path", tmp_path / "none")
    assert told.code == 1
    assert "problem  index_empty: there is no index in " in told.out
