"""The verb ``rollback``, and ``status --generations``: going back, as an operator does it."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from pycontextify.hydration.status import HydrationStatus
from pycontextify.index.live import LiveIndex
from pycontextify.server.engine import load_engine
from pycontextify.server.fill import Fill
from pycontextify.server.parts import Searchable
from pycontextify.snapshot.digest import parse_digest
from pycontextify.store.layout import Layout
from tests.cli.conftest import Cli
from tests.fakes.child import settings
from tests.fakes.generation import make_generation

TEXTS = ["zebras have stripes", "teapots brew tea"]


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """An index directory with two generations."""
    layout = Layout(tmp_path / "index")
    layout.create()
    for version in (1, 2):
        make_generation(layout, TEXTS[:version], version=version)
    return layout.root


def current(index: Path) -> str:
    """What is current."""
    found = Layout(index).current()
    assert found is not None
    return found


def test_going_back_and_forth(cli: Cli, index: Path) -> None:
    """In words and as JSON; twice is where one was."""
    second = current(index)
    words = cli("rollback", "--index-path", index)
    assert words.code == 0
    assert words.out.startswith("Current is generation ")
    assert ": version 1, built 2026-11-22T10:00:00Z." in words.out
    assert current(index) != second
    told = cli("rollback", "--json", "--index-path", index).json()
    assert told == {"generation": second, "version": 2, "created": "2026-11-22T10:00:00Z"}
    assert current(index) == second


def test_any_generation_can_be_named(cli: Cli, index: Path) -> None:
    """By the digits that the list shows."""
    listed = cli("status", "--generations", "--index-path", index).out.splitlines()
    digits = listed[1].split()[0]
    assert cli("rollback", "--to", digits, "--index-path", index).code == 0
    assert current(index).startswith(f"sha256:{digits}")


def test_what_is_not_there_is_a_failure(cli: Cli, index: Path, tmp_path: Path) -> None:
    """It says what there is; an index directory that is not there is not made."""
    refused = cli("rollback", "--to", "nightly", "--index-path", index)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.endswith("(previous) [no_generation]\n")
    assert cli("rollback", "--index-path", tmp_path / "none").code == 1
    assert not (tmp_path / "none").exists()


def test_generations_are_listed(cli: Cli, index: Path, tmp_path: Path) -> None:
    """A line each, those served last first; damaged ones are told."""
    first, second = cli("status", "--generations", "--index-path", index).out.splitlines()
    assert "  current: version 2, built 2026-11-22T10:00:00Z, 2 documents, " in first
    assert "  previous: version 1, " in second
    assert first.endswith(" kB, indexed here")
    listed = cli("status", "--generations", "--json", "--index-path", index).json()
    assert [(each["refs"], each["version"], each["whole"]) for each in listed] == [
        (["current"], 2, True),
        (["previous"], 1, True),
    ]
    Layout(index).blob_path(parse_digest(listed[1]["digest"])).unlink()
    damaged = cli("status", "--generations", "--index-path", index).out.splitlines()[1]
    assert "previous: what it is can't be read, " in damaged
    assert damaged.endswith(", damaged")
    assert cli("status", "--generations", "--index-path", tmp_path / "none").out == "There is no generation here yet.\n"


async def test_a_running_server_follows_within_two_seconds(cli: Cli, index: Path) -> None:
    """Another process goes back; the server swaps, and holds what it serves against pruning."""
    live: LiveIndex[Searchable] = LiveIndex()
    chosen = settings({"index_dir": str(index)})
    fill = Fill(live, lambda: load_engine(chosen), HydrationStatus(), local=True)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fill.run)
        await fill.engine()
        assert served(live) == 2
        done = await anyio.to_thread.run_sync(cli.spawn, "rollback", "--index-path", index)
        assert done.code == 0, done.err
        with anyio.fail_after(2):
            while served(live) != 1:
                await anyio.sleep(0.02)
        assert current(index) in await anyio.to_thread.run_sync(Layout(index).leased)
        tasks.cancel_scope.cancel()
    await anyio.to_thread.run_sync(live.swap, None)


def served(live: LiveIndex[Searchable]) -> int | None:
    """The version that is served."""
    with live.lease() as view:
        return None if view is None else view.config.version
