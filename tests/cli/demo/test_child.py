"""The demo's server process."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from pycontextify.cli.demo.checks import DemoFailed
from pycontextify.cli.demo.child import server_child
from pycontextify.cli.demo.watch import read_status


def test_a_server_comes_up_and_tells_its_status(tmp_path: Path) -> None:
    """At a port of its own, with the source it was given, and it is gone afterwards."""
    config = tmp_path / "none.toml"
    config.touch()
    with server_child(tmp_path / "index", "file:///nowhere", config) as server:
        assert "--index-bootstrap-url file:///nowhere" in server.command
        status = anyio.run(read_status, server.url)
        assert status["hydration"]["source"] == "file:///nowhere"
    with pytest.raises(ConnectionError):
        anyio.run(read_status, server.url)


def test_a_server_that_does_not_come_up_is_told_with_its_last_words(tmp_path: Path) -> None:
    """A wrong setting, say."""
    config = tmp_path / "wrong.toml"
    config.write_text("nonsense = 1\n", encoding="utf-8")
    with (
        pytest.raises(DemoFailed, match="it ended; its log ends: error: nonsense in file"),
        server_child(tmp_path / "index", "file:///nowhere", config),
    ):
        pass
