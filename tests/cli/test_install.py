"""The verb ``install``: shown first, written when somebody agrees, and never by halves."""

from __future__ import annotations

import json
import os
import signal
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pycontextify.library.clients.table import CLIENTS
from tests.cli.conftest import Cli, Finished
from tests.cli.terminal import open_terminal, read_to_the_end

CANARY = "canary-7f3a"
URL = ("--index-bootstrap-url", "https://example.com/index")
FILES = {
    "claude-desktop": "Claude/claude_desktop_config.json",
    "cursor": ".cursor/mcp.json",
    "vscode": "Code/User/mcp.json",
    "codex": ".codex/config.toml",
    "windsurf": ".codeium/windsurf/mcp_config.json",
    "zed": "zed/settings.json",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a project of one's own, with no client's variables set."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.delenv("CODEX_HOME", raising=False)


def read(path: Path) -> Any:
    """Read a client's file."""
    text = path.read_text(encoding="utf-8")
    return tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)


@pytest.mark.parametrize("client", FILES)
def test_it_is_written_and_taken_out(cli: Cli, client: str) -> None:
    """Without asking where that was said; what starts the server is an absolute path and the settings given."""
    file = cli.home / FILES[client]
    done = cli("install", client, *URL, "--yes")
    assert done.code == 0, done.err
    (entry,) = next(value for name, value in read(file).items() if name != "inputs").values()
    assert Path(entry["command"]).is_absolute()
    assert entry["args"][-2:] == list(URL)
    again = cli("install", client, *URL, "--yes")
    assert "is as it should be; nothing was changed" in again.out
    assert cli("install", client, "--remove", "--yes").code == 0
    assert "pycontextify" not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("client", [client.name for client in CLIENTS if client.project is not None])
def test_a_project_has_its_own(cli: Cli, client: str) -> None:
    """In the working directory; the user's files are not touched."""
    assert cli("install", client, "--project", *URL, "--yes").code == 0
    assert list(cli.home.iterdir()) == []
    written = [path for path in Path.cwd().rglob("*") if path.is_file()]
    assert len(written) == 1
    assert "https://example.com/index" in written[0].read_text(encoding="utf-8")


@pytest.mark.parametrize("asked", [("--print",), (), ("--yes", "--print")])
def test_without_a_terminal_it_is_only_shown(cli: Cli, asked: tuple[str, ...]) -> None:
    """As a diff; a script that means it says so."""
    shown = cli("install", "cursor", *URL, *asked)
    assert shown.code == 0
    assert '+    "pycontextify": {' in shown.out
    assert "nothing was changed" in shown.err
    assert list(cli.home.iterdir()) == []


def test_claude_code_is_asked_itself(cli: Cli) -> None:
    """Its file holds much else, and it writes it while it runs: the command to run is printed, alone on stdout."""
    shown = cli("install", "claude-code", *URL)
    assert shown.code == 0
    assert shown.out.startswith("claude mcp add --scope user pycontextify -- /")
    assert shown.out.endswith(" --index-bootstrap-url https://example.com/index\n")
    assert cli("install", "claude-code", "--remove", "--name", "x").out == "claude mcp remove --scope user x\n"
    assert cli("install", "claude-code", "--json").json()["command"][:3] == ["claude", "mcp", "add"]
    assert list(cli.home.iterdir()) == []


def answering(cli: Cli, answer: str | None, *arguments: str) -> tuple[int, str]:
    """Run on a terminal and answer the question, with None by Ctrl-C; return the exit code and what came there."""
    ours, theirs = open_terminal()
    environment = {"TERM": "dumb", "COLUMNS": "200"}
    with cli.start(*arguments, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(ours, 1 << 16)
        if answer is None:
            time.sleep(0.3)  # Python does not notice a signal in the moment between asking and reading
            child.send_signal(signal.SIGINT)
        else:
            os.write(ours, f"{answer}\n".encode())
        shown += read_to_the_end(ours)
    return child.returncode, shown.decode()


@pytest.mark.terminal
def test_on_a_terminal_it_asks(cli: Cli) -> None:
    """After the diff; silence is no, and no changes nothing."""
    file = cli.home / FILES["cursor"]
    for answer in ("", "n"):
        code, shown = answering(cli, answer, "install", "cursor", *URL)
        assert code == 1
        assert shown.index("+++ ") < shown.index("[y/N]") < shown.index("nothing was changed")
        assert not file.exists()
    code, shown = answering(cli, None, "install", "cursor", *URL)
    assert (code, file.exists()) == (130, False)
    assert "interrupted: nothing was changed" in shown
    code, shown = answering(cli, "y", "install", "cursor", *URL)
    assert (code, file.is_file()) == (0, True)
    assert f"wrote {file}" in shown


def test_what_was_there_is_replaced_only_then(cli: Cli) -> None:
    """And kept beside it, once; comments and whatever else there is stay."""
    file = cli.home / FILES["zed"]
    file.parent.mkdir()
    before = '{\n  // mine\n  "context_servers": {\n    "pycontextify": {"command": "old"}, // ours\n  },\n}\n'
    file.write_text(before, encoding="utf-8")
    assert cli("install", "zed", *URL).code == 0
    assert file.read_text(encoding="utf-8") == before
    assert cli("install", "zed", *URL, "--yes").code == 0
    after = file.read_text(encoding="utf-8")
    assert "// mine" in after
    assert "}, // ours" in after
    assert '"old"' not in after
    assert file.with_name("settings.json.bak").read_text(encoding="utf-8") == before


@pytest.mark.parametrize(("client", "text"), [("cursor", '{"mcpServers": {'), ("codex", "a = [")])
def test_a_malformed_file_is_left_alone(cli: Cli, client: str, text: str) -> None:
    """What to put in by hand is on stdout, and that is a failure."""
    file = cli.home / FILES[client]
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    refused = cli("install", client, *URL, "--yes")
    assert refused.code == 1
    assert file.read_text(encoding="utf-8") == text
    assert "[client_file]" in refused.err
    assert "https://example.com/index" in refused.out
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    refused = cli("install", client, *URL, "--yes", "--json")
    assert (refused.code, refused.out) == (1, "")


@pytest.mark.parametrize("client", ["claude-code", *FILES])
def test_secrets_are_named_and_not_written(cli: Cli, client: str) -> None:
    """Neither to the file nor to any stream."""
    secrets = {"INDEX_BOOTSTRAP_TOKEN": CANARY, "INDEX_BOOTSTRAP_URL": f"https://me:{CANARY}@example.com/?s={CANARY}"}
    done = cli("install", client, "--yes", **secrets)
    assert done.code == 0, done.err
    assert "PYCONTEXTIFY_INDEX_BOOTSTRAP_TOKEN" in done.err
    written = [path.read_text(encoding="utf-8") for path in cli.home.rglob("*") if path.is_file()]
    assert CANARY not in "".join([done.out, done.err, *written])
    asked = cli("install", client, "--json", **secrets)
    assert CANARY not in asked.out + asked.err


def test_the_clients_are_listed(cli: Cli) -> None:
    """Which are here, and where this server is configured already."""
    assert cli("install", "cursor", *URL, "--name", "docs", "--yes").code == 0
    lines = cli("install").out.splitlines()
    assert len(lines) == len(CLIENTS)
    assert next(line for line in lines if "has docs" in line).startswith("cursor")
    told = {each["client"]: each for each in cli("install", "--json").json()["clients"]}
    assert told["cursor"]["servers"] == ["docs"]
    assert told["zed"]["servers"] == []


def test_as_json_nothing_is_asked(cli: Cli) -> None:
    """It says what would change, and whether it was written."""
    file = cli.home / FILES["cursor"]
    shown = cli("install", "cursor", *URL, "--json").json()
    assert (shown["changes"], shown["written"], file.exists()) == (True, False, False)
    written = cli("install", "cursor", *URL, "--json", "--yes").json()
    assert (written["changes"], written["written"], file.exists()) == (True, True, True)
    assert cli("install", "cursor", *URL, "--json", "--yes").json()["changes"] is False


@pytest.mark.parametrize(
    "arguments",
    [("notepad",), ("windsurf", "--project"), ("cursor", "--transport", "http"), ("cursor", "--name", " ")],
)
def test_what_makes_no_sense_is_refused(cli: Cli, arguments: tuple[str, ...]) -> None:
    """A wrong command line; nothing is written."""
    refused: Finished = cli("install", *arguments, "--yes")
    assert refused.code == 2
    assert list(cli.home.iterdir()) == []
