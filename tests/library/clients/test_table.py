"""Where each client keeps its configuration, on each system."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontextify.library.clients.table import CLIENTS, Machine, client_named

HOME = Path("/home/me")
USER = {
    "linux": {
        "claude-code": ".claude.json",
        "claude-desktop": ".config/Claude/claude_desktop_config.json",
        "cursor": ".cursor/mcp.json",
        "vscode": ".config/Code/User/mcp.json",
        "codex": ".codex/config.toml",
        "windsurf": ".codeium/windsurf/mcp_config.json",
        "zed": ".config/zed/settings.json",
    },
    "darwin": {
        "claude-code": ".claude.json",
        "claude-desktop": "Library/Application Support/Claude/claude_desktop_config.json",
        "cursor": ".cursor/mcp.json",
        "vscode": "Library/Application Support/Code/User/mcp.json",
        "codex": ".codex/config.toml",
        "windsurf": ".codeium/windsurf/mcp_config.json",
        "zed": ".config/zed/settings.json",
    },
    "win32": {
        "claude-code": ".claude.json",
        "claude-desktop": "AppData/Roaming/Claude/claude_desktop_config.json",
        "cursor": ".cursor/mcp.json",
        "vscode": "AppData/Roaming/Code/User/mcp.json",
        "codex": ".codex/config.toml",
        "windsurf": ".codeium/windsurf/mcp_config.json",
        "zed": "AppData/Roaming/Zed/settings.json",
    },
}
PROJECT = {
    "claude-code": ".mcp.json",
    "cursor": ".cursor/mcp.json",
    "vscode": ".vscode/mcp.json",
    "codex": ".codex/config.toml",
    "zed": ".zed/settings.json",
}


@pytest.mark.parametrize("platform", USER)
def test_the_user_has_a_file_of_each(platform: str) -> None:
    """Below the home directory, where nothing in the environment says otherwise."""
    machine = Machine(platform, {}, HOME, Path("/project"))
    found = {client.name: client.user(machine) for client in CLIENTS}
    assert found == {name: HOME / path for name, path in USER[platform].items()}


def test_some_have_a_file_of_the_project() -> None:
    """In the working directory, on every system."""
    machine = Machine("linux", {}, HOME, Path("/project"))
    found = {client.name: client.project(machine) for client in CLIENTS if client.project is not None}
    assert found == {name: Path("/project") / path for name, path in PROJECT.items()}


def test_the_environment_names_other_places() -> None:
    """CODEX_HOME, XDG_CONFIG_HOME and APPDATA; a relative one counts for nothing, as XDG has it."""
    named = {"CODEX_HOME": "/c", "XDG_CONFIG_HOME": "/x", "APPDATA": "/a"}
    linux, mac, windows = (Machine(platform, named, HOME, HOME) for platform in ("linux", "darwin", "win32"))
    codex, code, zed = (client_named(name) for name in ("codex", "vscode", "zed"))
    assert codex is not None
    assert code is not None
    assert zed is not None
    assert codex.user(linux) == Path("/c/config.toml")
    assert [code.user(each) for each in (linux, windows)] == [
        Path("/x/Code/User/mcp.json"),
        Path("/a/Code/User/mcp.json"),
    ]
    assert [zed.user(each) for each in (linux, mac)] == [
        Path("/x/zed/settings.json"),
        HOME / ".config/zed/settings.json",
    ]
    assert code.user(Machine("linux", {"XDG_CONFIG_HOME": "x"}, HOME, HOME)) == HOME / ".config/Code/User/mcp.json"


def test_nobody_knows_every_client() -> None:
    """A name that is none of these is none."""
    assert client_named("notepad") is None
