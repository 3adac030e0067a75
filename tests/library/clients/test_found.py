"""Which clients are on this machine, and what is configured there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pycontextify.library.clients.found import is_ours, look_around
from pycontextify.library.clients.table import CLIENTS, Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Somebody's machine, with an empty home and an empty project."""
    for name in ("home", "project"):
        (tmp_path / name).mkdir()
    return Machine("linux", {}, tmp_path / "home", tmp_path / "project")


def test_an_empty_machine_has_none(machine: Machine) -> None:
    """The files of the user's scope are told all the same."""
    found = list(look_around(machine, lambda _: None))
    assert [place.client for place in found] == list(CLIENTS)
    assert not any(place.installed or place.entries or place.fault for place in found)


def test_traces_are_a_file_a_directory_and_a_command(machine: Machine) -> None:
    """Any of them will do."""
    (machine.home / ".cursor").mkdir()
    (machine.home / ".claude.json").write_text("{}")
    found = look_around(machine, lambda name: "/bin/zed" if name == "zed" else None)
    assert {place.client.name for place in found if place.installed} == {"claude-code", "cursor", "zed"}


def test_entries_of_ours_are_found(machine: Machine) -> None:
    """In the user's scope and in the project's; what others have is no business of ours."""
    ours, other = {"command": "/opt/bin/pycontextify", "args": []}, {"command": "other"}
    (machine.home / ".claude.json").write_text(json.dumps({"mcpServers": {"docs": ours, "other": other}}))
    (machine.project / ".mcp.json").write_text(json.dumps({"mcpServers": {"pycontextify": ours}}))
    found = [place for place in look_around(machine, lambda _: None) if place.entries]
    assert [(place.scope, dict(place.entries)) for place in found] == [
        ("user", {"docs": ours}),
        ("project", {"pycontextify": ours}),
    ]
    assert found[0].to_json()["servers"] == ["docs"]


@pytest.mark.parametrize("text", ["{", '{"mcpServers": []}', '{"mcpServers": {"pycontextify": 7}}'])
def test_a_file_that_can_not_be_read_is_told(machine: Machine, text: str) -> None:
    """And what else there is, is looked at."""
    (machine.project / ".mcp.json").write_text(text)
    (fault,) = [place for place in look_around(machine, lambda _: None) if place.fault]
    assert fault.file == machine.project / ".mcp.json"


@pytest.mark.parametrize(
    ("entry", "ours"),
    [
        ({"command": "C:\\tools\\pycontextify.exe"}, True),
        ({"command": "python", "args": ["-m", "pycontextify"]}, True),
        ({"command": "uvx", "args": ["pycontextify", "--port", "1"]}, True),
        ({"command": "other", "args": 7}, False),
        ("text", False),
        ({"url": "https://example.com"}, False),
    ],
)
def test_what_starts_this_server_is_ours(entry: object, ours: bool) -> None:
    """Whatever it is called, and however it is started."""
    assert is_ours("a name", entry) is ours
    assert is_ours("pycontextify", entry)


def test_the_home_directory_is_no_project(machine: Machine) -> None:
    """Its file is the user's, and told once."""
    at_home = replace(machine, project=machine.home)
    (machine.home / ".cursor").mkdir()
    (machine.home / ".cursor" / "mcp.json").write_text("{}", encoding="utf-8")
    scopes = [place.scope for place in look_around(at_home, lambda _: None) if place.client.name == "cursor"]
    assert scopes == ["user"]
