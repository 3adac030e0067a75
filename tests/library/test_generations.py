"""Listing generations and going back."""

from __future__ import annotations

import pytest

from pycontextify.errors import NotReadyError, StoreError
from pycontextify.index.model import Query
from pycontextify.library.generations import list_generations, roll_back
from pycontextify.snapshot.origin import SEEN
from tests.library.conftest import Library


def test_generations_are_listed_by_use(library: Library) -> None:
    """With what is to be known of each."""
    workspace = library.workspace()
    first, second = (library.make(workspace.layout, version) for version in (1, 2))
    found = list_generations(workspace.layout)
    assert [(each.digest, each.refs, each.version) for each in found] == [
        (second, ("current",), 2),
        (first, ("previous",), 1),
    ]
    assert {(each.local, each.rolled_back, each.whole, each.documents) for each in found} == {(True, False, True, 4)}
    assert found[0].size == sum(blob.size for blob in workspace.layout.manifest(second).blobs)
    assert list_generations(library.workspace("nowhere").layout) == ()


def test_a_damaged_generation_is_listed_as_such(library: Library) -> None:
    """One that lacks a blob with what its manifest tells, one without a manifest as a name."""
    workspace = library.workspace()
    layout = workspace.layout
    first, second, third = (library.make(layout, version) for version in (1, 2, 3))
    layout.blob_path(first).unlink()
    layout.blob_path(layout.config(second).segments[1].chunks).unlink()
    found = {each.digest: each for each in list_generations(layout)}
    assert [found[each].whole for each in (first, second, third)] == [False, False, True]
    assert (found[first].version, found[first].size) == (None, None)
    assert found[second].version == 2


def test_the_one_before_is_current_again(library: Library) -> None:
    """Open, and doing it again goes forth again."""
    workspace = library.workspace()
    first, second = (library.make(workspace.layout, version) for version in (1, 2))
    for expected in (first, second):
        view = roll_back(workspace)
        assert view.generation == workspace.layout.current() == expected
        assert view.search(Query("teapots", mode="keyword")).hits[0].snippet == "teapots brew tea"
        view.close()


@pytest.mark.parametrize("wanted", ["previous-2", "digest", "beginning"])
def test_any_generation_can_be_named(library: Library, wanted: str) -> None:
    """What was gone back from is told in the list when it has a source."""
    workspace = library.workspace()
    first, *_, last = (library.make(workspace.layout, version) for version in (1, 2, 3))
    workspace.layout.activate(last, {SEEN: "[]"})
    names = {"digest": str(first), "beginning": first.hex[:10]}
    roll_back(workspace, names.get(wanted, wanted)).close()
    assert workspace.layout.current() == first
    listed = {each.digest: each.rolled_back for each in list_generations(workspace.layout)}
    assert [each for each, rolled_back in listed.items() if rolled_back] == [last]


@pytest.mark.parametrize(
    ("versions", "wanted", "message", "hint"),
    [
        ((1,), None, "there is no generation before this one", "from its second on"),
        ((), None, "there is no generation before this one", "from its second on"),
        ((1, 2), "nightly", "no generation is called 'nightly'", "(previous)"),
    ],
)
def test_what_is_not_there_can_not_be_gone_back_to(
    library: Library, versions: tuple[int, ...], wanted: str | None, message: str, hint: str
) -> None:
    """It says what there is; nothing changes, and no directory is made."""
    workspace = library.workspace()
    for version in versions:
        library.make(workspace.layout, version)
    before = workspace.layout.refs()
    with pytest.raises(NotReadyError, match=message) as caught:
        roll_back(workspace, wanted)
    assert caught.value.code == "no_generation"
    assert hint in (caught.value.hint or "")
    assert workspace.layout.refs() == before
    assert workspace.layout.root.exists() == bool(versions)


def test_what_is_damaged_can_not_be_gone_back_to(library: Library) -> None:
    """The current one stays, and nothing stays leased."""
    workspace = library.workspace()
    layout = workspace.layout
    first, second = (library.make(layout, version) for version in (1, 2))
    layout.blob_path(layout.config(first).segments[1].chunks).unlink()
    with pytest.raises(StoreError):
        roll_back(workspace)
    assert layout.current() == second
    assert layout.leased() == frozenset()
