"""Opening an index directory in any state: the newest whole generation is served, and hydration mends the rest."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from pycontextify.errors import ValidateError
from pycontextify.hydration.attempt import Outcome
from pycontextify.hydration.status import HydrationStatus
from pycontextify.index.view import View
from pycontextify.library.hydrating import hydrate, wants_index
from pycontextify.library.recovery import open_best
from pycontextify.library.workspace import Workspace
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.history import CURRENT, generations
from pycontextify.snapshot.origin import BASE
from pycontextify.store.layout import Layout
from tests.library.conftest import Library


def chunks_of(layout: Layout, generation: Digest) -> Path:
    """The file with the chunks that a generation shares with no other."""
    return layout.blob_path(layout.config(generation).segments[1].chunks)


def rot(path: Path) -> None:
    """Change a file's bytes, but not its size."""
    path.write_bytes(b"\0" * path.stat().st_size)


def damage(layout: Layout, how: str) -> None:
    """Damage the current generation, or what tells which that is."""
    current = layout.current()
    assert current is not None
    match how:
        case "index.json":
            (layout.root / "index.json").write_bytes(b'{"manifests": [')
        case "missing blob":
            chunks_of(layout, current).unlink()
        case "wrong size":
            chunks_of(layout, current).write_bytes(b"short")
        case "rotten blob":
            rot(chunks_of(layout, current))
        case "rotten manifest":
            rot(layout.blob_path(current))
        case _:
            layout.blob_path(current).unlink()


def fetch(workspace: Workspace) -> tuple[Outcome, HydrationStatus]:
    """Hydrate once."""
    return anyio.run(hydrate, workspace)


KINDS = ["missing blob", "wrong size", "rotten blob", "rotten manifest", "missing manifest"]


def opened(workspace: Workspace) -> tuple[Digest | None, str | None]:
    """Open what is best; return its generation and the damage that is told."""
    found = open_best(workspace)
    generation = None if found.view is None else found.view.generation
    if found.view is not None:
        found.view.close()
    return generation, found.damage


def test_a_sound_index_is_opened_as_it_is(library: Library) -> None:
    """And so is an empty directory; neither is written to."""
    assert opened(library.workspace("nowhere")) == (None, None)
    assert not (library.home / "nowhere").exists()
    workspace = library.workspace()
    generation = library.make(workspace.layout, 1)
    before = (workspace.layout.root / "index.json").stat().st_mtime_ns
    assert opened(workspace) == (generation, None)
    assert (workspace.layout.root / "index.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(("how", "mode"), [*((kind, "if-missing") for kind in KINDS), ("missing blob", "follow")])
def test_what_is_damaged_falls_back_and_is_fetched_alone(library: Library, how: str, mode: str) -> None:
    """The one before is served, degraded; hydration fetches just what is missing, and the next start is sound."""
    library.publish(1)
    workspace = library.following(index_bootstrap_mode=mode)
    first = fetch(workspace)[0].generation
    second = library.publish(2)
    fetch(workspace)
    layout = workspace.layout
    lost = layout.size_of(second) if "manifest" in how else chunks_of(layout, second).stat().st_size
    damage(layout, how)

    generation, told = opened(library.workspace())
    assert generation == layout.current() == first
    assert told is not None
    assert told.startswith("The index was found damaged (")
    assert told.endswith("; the newest generation that is whole is served")
    assert opened(library.workspace()) == (first, told)  # and still at the next start
    assert wants_index(library.following(index_bootstrap_mode=mode))

    outcome, status = fetch(library.following(index_bootstrap_mode=mode))
    assert (outcome.result, outcome.generation) == ("installed", second)
    assert status.bytes_fetched == (0 if "manifest" in how else lost)
    assert opened(library.workspace()) == (second, None)
    assert not wants_index(library.following(index_bootstrap_mode="if-missing"))


def test_a_damaged_index_json_costs_nothing_but_a_look(library: Library) -> None:
    """The blobs tell what there is; the source confirms it, and the history is still there to go back in."""
    library.publish(1)
    workspace = library.following()
    first = fetch(workspace)[0].generation
    second = library.publish(2)
    fetch(workspace)
    damage(workspace.layout, "index.json")
    generation, told = opened(library.workspace())
    assert (generation, workspace.layout.current()) == (second, second)
    assert told is not None
    outcome, status = fetch(library.following())
    assert (outcome.result, status.bytes_fetched) == ("unchanged", 0)
    assert opened(library.workspace()) == (second, None)
    assert [each.digest for each in generations(workspace.layout.refs())] == [second, first]


@pytest.mark.parametrize("how", KINDS)
def test_without_anything_whole_there_is_nothing_to_serve(library: Library, how: str) -> None:
    """It says so, and the next hydration fetches just what is missing."""
    generation = library.publish(1)
    workspace = library.following()
    fetch(workspace)
    whole = sum(path.stat().st_size for path in workspace.layout.blob_files())
    damage(workspace.layout, how)
    found, told = opened(library.workspace())
    assert found is None
    assert told is not None
    assert told.endswith("no generation is whole")
    outcome, status = fetch(library.following())
    assert outcome.generation == generation
    assert status.bytes_fetched < whole / 2
    assert opened(library.workspace()) == (generation, None)


def test_a_rotten_blob_is_set_aside_with_its_bytes(library: Library) -> None:
    """For whoever wants to look."""
    workspace = library.workspace()
    current = library.make(workspace.layout, 1)
    path = chunks_of(workspace.layout, current)
    rot(path)
    opened(workspace)
    (aside,) = workspace.layout.quarantine.iterdir()
    assert aside.name.startswith(path.name)
    assert not path.exists()


def test_rot_in_what_index_json_no_longer_tells_of_is_set_aside_too(library: Library) -> None:
    """Both damaged at once: the rotten generation is tried, found wanting, and its blob is free to be fetched."""
    workspace = library.workspace()
    layout = workspace.layout
    first, second = (library.make(layout, version) for version in (1, 2))
    path = chunks_of(layout, second)
    rot(path)
    damage(layout, "index.json")
    assert opened(workspace)[0] == first
    assert not path.exists()
    assert [each.digest for each in generations(layout.refs())] == [first]


def test_what_only_this_process_can_not_open_is_not_taken_from_others(library: Library) -> None:
    """The bytes are all right (an index of a newer version, say): the one before is served here, and stays as it is."""
    workspace = library.workspace()
    layout = workspace.layout
    first, second = (library.make(layout, version) for version in (1, 2))

    class Old(Workspace):
        """A workspace that knows no second version."""

        def open(self, generation: Digest) -> View:
            if generation == second:
                raise ValidateError("a newer schema", code="schema_unknown")
            return super().open(generation)

    before = layout.refs()
    generation, told = opened(Old(library.settings()))
    assert (generation, told is None) == (first, False)
    assert layout.refs() == before
    assert not layout.quarantine.exists()


def test_local_work_is_known_as_such_without_index_json(library: Library) -> None:
    """Its manifest tells what it was laid over."""
    workspace = library.workspace()
    layout = workspace.layout
    base = library.make(layout, 1)
    manifest = layout.manifest(base)
    own = layout.add_bytes(replace(manifest, annotations={BASE: str(base)}).to_bytes())
    layout.activate(own, {BASE: str(base)})
    layout.blob_path(base).unlink()
    damage(layout, "index.json")
    assert opened(workspace)[0] == own
    assert layout.refs().refs[CURRENT].annotations[BASE] == base


def test_a_directory_that_can_not_be_written_to_is_served(library: Library) -> None:
    """No lock, no lease, no mending: only reading; damaged or not."""
    workspace = library.workspace()
    first, second = (library.make(workspace.layout, version) for version in (1, 2))
    private = workspace.layout.root / ".pycontextify"
    shutil.rmtree(private)
    private.write_bytes(b"in the way")
    assert opened(library.workspace()) == (second, None)
    chunks_of(workspace.layout, second).unlink()
    generation, told = opened(library.workspace())
    assert (generation, workspace.layout.current()) == (first, second)
    assert told is not None
    assert private.read_bytes() == b"in the way"


def test_leftovers_of_the_dead_go_at_the_start(library: Library) -> None:
    """But not while somebody is at work: then they may be in use."""
    workspace = library.workspace()
    generation = library.make(workspace.layout, 1)
    left = workspace.layout.root / ".index.json.0123.tmp"
    left.write_bytes(b"half")
    for lock in (workspace.layout.hydration_lock(), workspace.layout.lock(timeout=0)):
        with lock:
            assert opened(library.workspace()) == (generation, None)
        assert left.exists()
    assert opened(library.workspace()) == (generation, None)
    assert not left.exists()
