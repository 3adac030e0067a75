"""Hydration put together from settings."""

from __future__ import annotations

import anyio
import anyio.to_thread
import pytest

from pycontextify.errors import NotReadyError
from pycontextify.hydration.workers import Workers
from pycontextify.index.live import LiveIndex
from pycontextify.index.view import View
from pycontextify.library.hydrating import hydrate, hydration_service, wants_index
from pycontextify.snapshot.history import RECOVERED, generations
from tests.library.conftest import Library


def test_hydrating_once_leaves_nothing_open(library: Library) -> None:
    """Nor leased; the status tells of it as long as it runs, and afterwards how it ended."""
    generation = library.publish(1)
    workspace = library.following()
    states: list[str] = []
    outcome, status = anyio.run(hydrate, workspace, lambda look: states.append(look().state))
    assert (outcome.result, outcome.generation) == ("installed", generation)
    assert states == ["idle"]
    assert (status.state, status.history[0].trigger) == ("idle", "manual")
    assert workspace.layout.leased() == frozenset()


def test_a_damaged_index_json_is_repaired_on_the_way(library: Library) -> None:
    """A server that runs already need not start again; what was served before is not forgotten."""
    first = library.publish(1)
    workspace = library.following()
    anyio.run(hydrate, workspace)
    (workspace.layout.root / "index.json").write_bytes(b"{")
    assert anyio.run(hydrate, workspace)[0].result == "unchanged"
    (workspace.layout.root / "index.json").write_bytes(b"{")
    second = library.publish(2)
    assert anyio.run(hydrate, workspace)[0].generation == second
    assert [each.digest for each in generations(workspace.layout.refs())] == [second, first]


def test_without_a_source_there_is_nothing_to_hydrate_from(library: Library) -> None:
    """It says what to configure, and makes no directory."""
    with pytest.raises(NotReadyError) as caught:
        anyio.run(hydrate, library.workspace())
    assert caught.value.code == "no_source"
    assert not library.workspace().layout.root.exists()


async def test_a_service_swaps_while_the_loop_goes_on(library: Library) -> None:
    """Closing the view before, which lets go of its leases on the disk, does not happen on the event loop."""
    live: LiveIndex[View] = LiveIndex()
    await anyio.to_thread.run_sync(library.publish, 1)
    workspace = library.following(index_bootstrap_mode="follow")
    workers = Workers()
    service = hydration_service(workspace, live, workers)
    with workers:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(service.run)
            await service.rehydrate(wait=True)
            second = await anyio.to_thread.run_sync(library.publish, 2)
            status = await service.rehydrate(wait=True)
            assert status.history[0].result == "installed", status.last_error
            with live.lease() as view:
                assert view is not None
                assert view.generation == second
            assert second in await anyio.to_thread.run_sync(workspace.layout.leased)
            tasks.cancel_scope.cancel()
    await anyio.to_thread.run_sync(live.swap, None)


@pytest.mark.parametrize(
    ("state", "wanted"),
    [("empty", True), ("whole", False), ("recovered", True), ("lacking", True), ("damaged", True), ("rotten", True)],
)
def test_an_index_is_wanted_until_there_is_a_sound_one(library: Library, state: str, *, wanted: bool) -> None:
    """In mode if-missing; following always wants the latest."""
    workspace = library.following()
    layout = workspace.layout
    if state != "empty":
        generation = library.make(layout, 1)
    match state:
        case "recovered":
            layout.activate(generation, {RECOVERED: "why"})
        case "lacking":
            layout.blob_path(layout.config(generation).segments[0].chunks).unlink()
        case "damaged":
            (layout.root / "index.json").write_bytes(b"{")
        case "rotten":
            layout.blob_path(generation).write_bytes(b"x" * layout.size_of(generation))
    assert wants_index(workspace) == wanted
    assert wants_index(library.following(index_bootstrap_mode="follow"))
