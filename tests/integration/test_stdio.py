"""The installed console script, driven over stdio by the SDK's own client, in both eras of the protocol."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client, StdioServerParameters, stdio_client

TOOLS = {"search", "index_filebase", "discover", "status", "rehydrate", "rollback", "reset_index"}
Era = Literal["auto", "legacy"]


@pytest.fixture
def script() -> Path:
    """The command that installing the package gives."""
    name = "pycontextify.exe" if sys.platform == "win32" else "pycontextify"
    return Path(sysconfig.get_path("scripts"), name)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tiny tree."""
    root = tmp_path / "handbook"
    root.mkdir()
    (root / "tides.md").write_text("# Tides\n\nThe moon lifts the sea twice a day.\n", encoding="utf-8")
    (root / "clock.py").write_text('def chime():\n    """Strike the hour."""\n', encoding="utf-8")
    return root


@asynccontextmanager
async def _connected(script: Path, home: Path, era: Era, *arguments: object) -> AsyncIterator[Client]:
    """Start the script as clients do, and talk to it; its log goes to ``home/log``."""
    places = {name: str(home) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "LOCALAPPDATA")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYCONTEXTIFY_")}
    server = StdioServerParameters(
        command=str(script),
        args=["--index-path", str(home / "index"), "--allowed-roots", str(home.parent), *map(str, arguments)],
        env={**kept, **places},
    )
    with (home / "log").open("w", encoding="utf-8") as log:
        async with Client(stdio_client(server, errlog=log), mode=era, read_timeout_seconds=60) as client:
            yield client


async def _call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


def _log(home: Path) -> Sequence[str]:
    return (home / "log").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_index_and_search_over_stdio(script: Path, tree: Path, tmp_path: Path, era: Era) -> None:
    """From an empty server to an answer with path and lines, and out again cleanly."""
    async with _connected(script, tmp_path, era) as client:
        assert client.server_info is not None
        assert client.server_info.name == "pycontextify"
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
        empty = await _call(client, "search", query="what lifts the sea")
        assert empty["results"] == []
        assert empty["index_state"] in ("warming", "empty")
        done = await _call(client, "index_filebase", path=str(tree), tags=["v1"])
        assert done["report"]["added"] == 2
        found = await _call(client, "search", query="what lifts the sea")
        assert found["index_state"] == "ready"
        best = found["results"][0]
        assert (best["path"], best["start_line"], best["tags"]) == ("tides.md", 1, ["v1"])
        status = await _call(client, "status")
        assert status["index"]["generation"] == done["report"]["generation"]
    assert "the client has left" in _log(tmp_path)[-1]


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_the_next_start_serves_what_was_indexed(script: Path, tree: Path, tmp_path: Path, era: Era) -> None:
    """An index outlives its server, and a directory that has not changed is not embedded again."""
    async with _connected(script, tmp_path, era) as client:
        first = (await _call(client, "index_filebase", path=str(tree)))["report"]
    async with _connected(script, tmp_path, era) as client:
        found = await _call(client, "search", query="strike the hour", language="python")
        assert found["generation"] == first["generation"]
        assert [result["symbol"] for result in found["results"]] == ["chime"]
        again = (await _call(client, "index_filebase", path=str(tree)))["report"]
        assert (again["unchanged"], again["changed"]) == (2, False)


async def test_a_configured_server_fills_itself(script: Path, tree: Path, tmp_path: Path) -> None:
    """What one server's index was published as is what another one hydrates from, over stdio as elsewhere."""
    public, builder, reader = tmp_path / "public", tmp_path / "builder", tmp_path / "reader"
    for home in (builder, reader):
        home.mkdir()
    async with _connected(script, builder, "auto") as client:
        first = (await _call(client, "index_filebase", path=str(tree)))["report"]
    (builder / "index").rename(public)
    source = ("--index-bootstrap-url", f"{public.as_uri()}#current")
    async with _connected(script, reader, "auto", *source) as client:
        hydrated = await _call(client, "rehydrate", wait=True)
        assert hydrated["generation"] == first["generation"]
        found = await _call(client, "search", query="what lifts the sea")
        assert found["results"][0]["path"] == "tides.md"
