"""The verb ``doctor``: what is wrong is told, and what has rotted is fetched again, alone."""

from __future__ import annotations

import json
import shutil
import sys
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
    assert "problem" not in mended.out
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


def test_everything_is_told_as_json(cli: Cli, index: Path, tmp_path: Path) -> None:
    """Each finding with its area, level, code, and what to do."""
    asked = ("--index-path", index, "--index-bootstrap-url", (tmp_path / "public").as_uri())
    told = cli("doctor", "--json", *asked)
    assert told.code == 0
    document = told.json()
    assert set(document) == {"directory", "findings", "set_aside"}
    assert {tuple(each) for each in document["findings"]} == {("area", "level", "code", "what", "hint")}
    levels = {each["code"]: each["level"] for each in document["findings"]}
    assert {"encoder": "ok", "offer": "ok", "index_sound": "ok", "client_none": "note"}.items() <= levels.items()
    assert {each["area"] for each in document["findings"]} == {
        *("settings", "clients", "disk", "encoder", "source", "index")
    }


def test_what_is_as_it_should_be_is_told_on_request(cli: Cli, index: Path) -> None:
    """With what matters last."""
    short, long = (cli("doctor", *more, "--index-path", index).out for more in ((), ("--verbose",)))
    assert "  ok " not in short
    assert "  ok       encoder: " in long
    assert long.index("\nsettings:\n") < long.index("\nsource:\n") < long.index("\nindex:\n")


def test_a_warning_alone_is_no_failure(cli: Cli, index: Path) -> None:
    """A source that can't be reached is one; with --offline it is not asked."""
    warned = cli("doctor", "--index-path", index, "--index-bootstrap-refresh", "1h")
    assert (warned.code, warned.out.splitlines()[-1]) == (0, "1 warning")
    asked = ("doctor", "--index-path", index, "--index-bootstrap-url", "http://127.0.0.1:1/i")
    failed = cli(*asked)
    assert (failed.code, failed.out.splitlines()[-1]) == (1, "1 problem")
    assert "problem  connect_failed: " in failed.out
    assert cli(*asked, "--offline").code == 0


def test_a_source_that_fails_does_not_hide_the_rest(cli: Cli, index: Path) -> None:
    """What has rotted is set aside and told, though it can't be fetched again."""
    rot(index)
    told = cli("doctor", "--deep", "--index-path", index, "--index-bootstrap-url", "http://127.0.0.1:1/i")
    assert told.code == 1
    for code in ("set aside", "connect_failed", "blob_missing"):
        assert f"{code}: " in told.out


def test_clients_of_this_machine_are_looked_at(cli: Cli, index: Path) -> None:
    """With what would put them right."""
    file = cli.home / ".cursor" / "mcp.json"
    file.parent.mkdir()
    file.write_text('{"mcpServers": {"docs": {"command": "/nowhere/pycontextify"}}}')
    told = cli("doctor", "--offline", "--index-path", index)
    assert told.code == 0
    assert "warning  client_command: Cursor: 'docs' in " in told.out


def test_no_secret_is_told(cli: Cli, index: Path) -> None:
    """Whatever fails."""
    canary = "canary-7f3a"
    secrets = {"INDEX_BOOTSTRAP_TOKEN": canary, "INDEX_BOOTSTRAP_URL": f"http://me:{canary}@127.0.0.1:1/i?sig={canary}"}
    for form in ("--verbose", "--json"):
        told = cli("doctor", form, "--index-path", index, **secrets)
        assert canary not in told.out + told.err


def test_the_settings_of_a_client_can_be_looked_at(cli: Cli, index: Path, tmp_path: Path) -> None:
    """Those that it starts the server with: its flags and its variables, but not a variable that it puts in."""
    file = cli.home / ".cursor" / "mcp.json"
    file.parent.mkdir()
    env = {"PYCONTEXTIFY_INDEX_BOOTSTRAP_URL": "http://127.0.0.1:1/i", "PYCONTEXTIFY_INDEX_BOOTSTRAP_TOKEN": "${env:T}"}
    entry = {"command": sys.executable, "args": ["-m", "pycontextify", "--index-path", str(index)], "env": env}
    file.write_text(json.dumps({"mcpServers": {"docs": entry}}))
    plain = cli("doctor", "--index-path", tmp_path / "none").out
    assert "has settings of its own: --index-path, PYCONTEXTIFY_INDEX_BOOTSTRAP_URL; " in plain
    assert "`pycontextify doctor cursor` looks with them" in plain
    told = cli("doctor", "cursor")
    assert told.code == 1
    assert told.out.startswith(f"directory: {index}\n")
    assert "problem  connect_failed: http://127.0.0.1:1/i" in told.out
    assert "index_empty" not in told.out
    assert "client_settings" in told.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["zed"], "no such client starts this server"),
        (["cursor", "--index-path", "x"], "a client has settings of its own"),
        (["cursor"], "starts something else than a server"),
    ],
)
def test_a_client_whose_settings_are_not_known_is_refused(cli: Cli, words: list[str], why: str) -> None:
    """A wrong command line."""
    file = cli.home / ".cursor" / "mcp.json"
    file.parent.mkdir()
    file.write_text('{"mcpServers": {"docs": {"command": "pycontextify", "args": ["demo"]}}}')
    told = cli("doctor", *words)
    assert told.code == 2
    assert why in told.err


def test_no_index_yet_is_no_problem_where_one_can_be_fetched(cli: Cli, index: Path, tmp_path: Path) -> None:
    """That is how a server starts."""
    told = cli("doctor", "--index-path", tmp_path / "new", "--index-bootstrap-url", (tmp_path / "public").as_uri())
    assert told.code == 0
    assert "note     index_empty: " in told.out
