"""Noticing what other processes have made current."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pycontextify.index.live import LiveIndex
from pycontextify.index.view import View
from pycontextify.library.watch import CurrentWatch
from pycontextify.library.workspace import Workspace
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.manifest import RefTable
from pycontextify.store.layout import Layout
from tests.library.conftest import Library


@pytest.fixture
def live() -> Iterator[LiveIndex[View]]:
    """What is served: nothing yet."""
    live: LiveIndex[View] = LiveIndex()
    yield live
    live.swap(None)


@pytest.fixture
def other(library: Library) -> Layout:
    """The index directory, as another process sees it."""
    layout = Layout(library.home / "index")
    layout.create()
    return layout


def served(live: LiveIndex[View]) -> Digest | None:
    """Tell what is served."""
    with live.lease() as view:
        return None if view is None else view.generation


def serve(workspace: Workspace, live: LiveIndex[View], generation: Digest) -> None:
    """Serve a generation, as this process does of its own accord."""
    live.swap(workspace.open(generation))


def test_what_becomes_current_is_served(library: Library, other: Layout, live: LiveIndex[View]) -> None:
    """Once; a look at what has not changed does nothing."""
    watch = CurrentWatch(library.workspace(), live)
    assert not watch.look()
    for version in (1, 2):
        generation = library.make(other, version)
        assert (watch.look(), watch.look()) == (True, False)
        assert served(live) == generation


def test_what_became_current_before_the_watch_is_served(library: Library, other: Layout, live: LiveIndex[View]) -> None:
    """Another process has hydrated while this one was still starting, and saw no index: nothing else would serve it."""
    generation = library.make(other, 1)
    assert CurrentWatch(library.workspace(), live).look()
    assert served(live) == generation


def test_what_this_process_activates_is_not_opened_twice(
    library: Library, other: Layout, live: LiveIndex[View]
) -> None:
    """It serves it already; the view stays the same."""
    workspace = library.workspace()
    watch = CurrentWatch(workspace, live)
    serve(workspace, live, library.make(other, 1))
    with live.lease() as before:
        assert not watch.look()
        with live.lease() as after:
            assert after is before


def test_what_is_served_without_being_current_stays_until_current_moves(
    library: Library, other: Layout, live: LiveIndex[View]
) -> None:
    """With auto_persist off: other refs may come and go."""
    workspace = library.workspace()
    first = library.make(other, 1)
    serve(workspace, live, first)
    watch = CurrentWatch(workspace, live)
    own = library.make(Layout(library.home / "index"), 2)
    other.activate(first)
    other.write_refs(other.refs().point("unsaved", own, other.size_of(own)))
    assert not watch.look()
    serve(workspace, live, own)
    other.write_refs(other.refs().without(["unsaved"]))
    assert not watch.look()
    assert served(live) == own
    third = library.make(other, 3)
    assert watch.look()
    assert served(live) == third


def test_what_can_not_be_opened_here_is_not_served(
    library: Library, other: Layout, live: LiveIndex[View], caplog: pytest.LogCaptureFixture
) -> None:
    """What was served goes on, the log says so once, and the next one is served."""
    watch = CurrentWatch(library.workspace(), live)
    first = library.make(other, 1)
    watch.look()
    second = library.make(other, 2)
    other.blob_path(other.config(second).segments[1].chunks).unlink()
    assert (watch.look(), watch.look()) == (False, False)
    assert served(live) == first
    assert caplog.text.count("can't be opened here") == 1
    third = library.make(other, 3)
    assert watch.look()
    assert served(live) == third


def test_a_damaged_index_json_changes_nothing(library: Library, other: Layout, live: LiveIndex[View]) -> None:
    """What was served goes on."""
    watch = CurrentWatch(library.workspace(), live)
    first = library.make(other, 1)
    watch.look()
    (other.root / "index.json").write_bytes(b"{")
    assert not watch.look()
    assert served(live) == first


def test_an_index_that_another_process_has_reset_is_served_no_more(
    library: Library, other: Layout, live: LiveIndex[View]
) -> None:
    """Its blobs are leased until then, and free to go afterwards."""
    watch = CurrentWatch(library.workspace(), live)
    first = library.make(other, 1)
    watch.look()
    assert first in other.leased()
    other.write_refs(RefTable())
    assert watch.look()
    assert served(live) is None
    assert other.leased() == frozenset()
