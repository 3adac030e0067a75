"""The doctor's look at MCP clients."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pycontextify.library.clients.table import Machine
from pycontextify.library.doctor.clients import examine_clients

CANARY = "canary-7f3a"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Somebody's machine."""
    for name in ("home", "project"):
        (tmp_path / name).mkdir()
    return Machine("linux", {}, tmp_path / "home", tmp_path / "project")


def configure(machine: Machine, client: str, entry: object) -> None:
    """Write a client's file with an entry of ours."""
    file, container = {
        "zed": (machine.home / ".config" / "zed" / "settings.json", "context_servers"),
        "cursor": (machine.home / ".cursor" / "mcp.json", "mcpServers"),
        "claude-code": (machine.project / ".mcp.json", "mcpServers"),
    }[client]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({container: {"pycontextify": entry}}), encoding="utf-8")


def found(machine: Machine) -> dict[str, str]:
    """What is found, by code."""
    return {
        each.code: each.what for each in examine_clients(machine, lambda name: None if name == "none" else f"/{name}")
    }


def test_no_client_is_worth_a_note(machine: Machine) -> None:
    """With how to configure one."""
    (note,) = examine_clients(machine, lambda _: None)
    assert (note.code, note.level) == ("client_none", "note")
    assert "pycontextify install" in note.hint


@pytest.mark.parametrize("command", [sys.executable, "pycontextify"])
def test_an_entry_that_works_is_told(machine: Machine, command: str) -> None:
    """And where it is."""
    configure(machine, "zed", {"command": command, "args": []})
    told = found(machine)
    assert set(told) == {"client"}
    assert "settings.json" in told["client"]


def test_a_command_that_can_not_be_started_is_told(machine: Machine, tmp_path: Path) -> None:
    """Not there, not executable, not on the PATH, or none at all."""
    (tmp_path / "file").touch()
    for entry, why in (
        ({"command": str(tmp_path / "gone")}, "is not there"),
        ({"command": str(tmp_path / "file")}, "is not executable"),
        ({"command": "none"}, "is not on the PATH"),
        ({}, "names no command"),
    ):
        configure(machine, "zed", entry)
        assert why in found(machine)["client_command"]
    configure(machine, "zed", {"url": "http://127.0.0.1:8765/mcp"})
    assert set(found(machine)) == {"client"}


@pytest.mark.parametrize(
    ("client", "value", "literal"),
    [
        ("zed", "${TOKEN}", "${TOKEN}"),
        ("cursor", "${TOKEN}", "${TOKEN}"),
        ("cursor", "${env:TOKEN}", None),
        ("claude-code", "${TOKEN:-}", None),
    ],
)
def test_a_variable_that_nobody_expands_is_told(machine: Machine, client: str, value: str, literal: str | None) -> None:
    """Each client has its own way; nothing else of the entry is shown."""
    env: dict[str, Any] = {"PYCONTEXTIFY_INDEX_BOOTSTRAP_TOKEN": value, "OTHER": CANARY}
    configure(machine, client, {"command": "pycontextify", "args": [], "env": env})
    told = found(machine)
    assert (literal is None) is ("client_variable" not in told)
    assert literal is None or f"holds {literal}, which" in told["client_variable"]
    assert CANARY not in str(told)


def test_a_file_that_can_not_be_read_is_told(machine: Machine) -> None:
    """The client will not read it either."""
    (machine.project / ".mcp.json").write_text("{")
    assert "Claude Code (this project)" in found(machine)["client_file"]
