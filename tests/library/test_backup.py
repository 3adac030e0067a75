"""Backup and restore: every generation, linked where that can be done, verified both ways."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from pycontextify.errors import NotReadyError, StoreError, VerifyError
from pycontextify.library.backup import back_up, restore
from pycontextify.library.hydrating import hydrate
from pycontextify.publish.directory import publish_directory
from pycontextify.publish.issue import Issue
from pycontextify.publish.signing import SecretKey
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.history import gone_back_from
from pycontextify.snapshot.origin import SEEN, SIGNED
from pycontextify.store.layout import Layout
from pycontextify.store.signed import add_signature, signature_of
from tests.fakes.signers import OTHER, SIGNER, signs, vouched_by
from tests.fakes.signers import signature_of as signature_file
from tests.library.conftest import Library
from tests.store.oci import check_image_layout


def test_a_backup_holds_every_generation_and_takes_no_room(library: Library) -> None:
    """The same refs, the same blobs, and one copy of each on the disk; nothing stays leased."""
    layout = library.workspace().layout
    for version in (1, 2):
        library.make(layout, version)
    report = back_up(layout, library.home / "backup")
    backup = Layout(library.home / "backup")
    assert report.refs == ("current", "previous")
    assert report.size == report.size_added == layout.disk_use()
    assert backup.refs() == layout.refs()
    for path in layout.blob_files():
        assert path.samefile(backup.root / "blobs" / "sha256" / path.name)
    assert layout.leased() == frozenset()


def test_a_backup_is_brought_up_to_date(library: Library) -> None:
    """Only what is new is added, and what no generation needs any more goes."""
    layout = library.workspace(keep_generations=1).layout
    first = library.make(layout, 1)
    back_up(layout, library.home / "backup")
    library.make(layout, 2)
    report = back_up(layout, library.home / "backup")
    assert 0 < report.size_added < report.size
    backup = Layout(library.home / "backup")
    assert backup.refs() == layout.refs()
    assert not backup.blob_path(first).exists()
    assert back_up(layout, library.home / "backup").size_added == 0


@pytest.mark.parametrize("which", ["another", "itself", "published"])
def test_what_is_no_backup_is_not_overwritten(library: Library, which: str) -> None:
    """An index that somebody works with, say: its generations would be gone."""
    layout = library.workspace().layout
    library.make(layout, 1)
    target = layout
    if which == "another":
        target = library.workspace("another").layout
        library.make(target, 2)
    elif which == "published":
        library.publish(2)
        target = Layout(library.public)
    before = {path: path.read_bytes() for path in target.root.rglob("*") if path.is_file()}
    with pytest.raises(StoreError) as caught:
        back_up(layout, target.root)
    assert caught.value.code == "not_a_backup"
    assert {path: path.read_bytes() for path in target.root.rglob("*") if path.is_file()} == before


def test_an_index_that_was_lost_is_restored(library: Library) -> None:
    """Into an empty directory; the backup's refs that are not asked for stay there."""
    layout = library.workspace().layout
    first, second = (library.make(layout, version) for version in (1, 2))
    back_up(layout, library.home / "backup")
    for wanted, generation in ((None, second), ("previous", first), (second.hex[:12], second)):
        workspace = library.workspace("restored")
        view = restore(workspace, library.home / "backup", wanted)
        assert view.generation == workspace.layout.current() == generation
        view.close()
    assert set(workspace.layout.refs().refs) == {"current", "previous"}


def test_what_is_restored_is_not_undone_by_a_refresh(library: Library) -> None:
    """It is a way of going back: the source has to move on first."""
    library.publish(1)
    workspace = library.following(index_bootstrap_mode="follow")
    first = anyio.run(hydrate, workspace)[0].generation
    back_up(workspace.layout, library.home / "backup")
    second = library.publish(2)
    anyio.run(hydrate, workspace)
    restore(workspace, library.home / "backup").close()
    assert workspace.layout.current() == first
    assert gone_back_from(workspace.layout.refs()) == {second}


def test_a_damaged_index_json_does_not_keep_one_from_restoring(library: Library) -> None:
    """Restoring is for just such days."""
    workspace = library.workspace()
    first = library.make(workspace.layout, 1)
    back_up(workspace.layout, library.home / "backup")
    library.make(workspace.layout, 2)
    (workspace.layout.root / "index.json").write_bytes(b"{")
    restore(workspace, library.home / "backup").close()
    assert workspace.layout.current() == first


def test_what_was_published_can_be_restored(library: Library) -> None:
    """Any layout is a backup: its ``latest`` is taken."""
    generation = library.publish(1)
    view = restore(library.workspace(), library.public)
    assert view.generation == generation
    view.close()


def signed(library: Library, version: int) -> tuple[Digest, bytes]:
    """Make a generation current that came with a signature; return both."""
    layout = library.workspace().layout
    generation = library.make(layout, version)
    signature = signature_file(layout.read(generation))
    layout.activate(generation, {SIGNED: str(SIGNER.public)}, add_signature(layout, generation, signature))
    return generation, signature


def test_signatures_are_backed_up_and_restored(library: Library) -> None:
    """Of every generation that has one, so that what is restored can be published again as what it was."""
    layout = library.workspace(keep_generations=2).layout
    made = [signed(library, version) for version in (1, 2)]
    unsigned = library.make(layout, 3)
    report = back_up(layout, library.home / "backup")
    backup = Layout(library.home / "backup")
    assert backup.refs() == layout.refs()
    assert report.size == backup.disk_use()
    assert [signature_of(backup, backup.refs(), generation) for generation, _ in made] == [None, made[1][1]]
    check_image_layout(backup.root)
    other = library.workspace("other")
    for wanted, signature in (("previous", made[1][1]), (unsigned.hex, None)):
        view = restore(other, library.home / "backup", wanted)
        assert signature_of(other.layout, other.layout.refs(), view.generation) == signature
        view.close()
    check_image_layout(other.layout.root)


def test_a_backup_drops_the_signatures_that_nothing_needs(library: Library) -> None:
    """As it does with all other blobs."""
    layout = library.workspace(keep_generations=1).layout
    generation, signature = signed(library, 1)
    back_up(layout, library.home / "backup")
    backup = Layout(library.home / "backup")
    assert signature_of(backup, backup.refs(), generation) == signature
    library.make(layout, 2)
    back_up(layout, library.home / "backup")
    assert backup.refs().signatures == ()
    assert not backup.blob_path(digest_of(signature)).exists()


def test_a_lost_signature_does_not_keep_one_from_backing_up(library: Library) -> None:
    """The index is there all the same, and restoring it brings no signature."""
    layout = library.workspace().layout
    generation, signature = signed(library, 1)
    layout.blob_path(digest_of(signature)).unlink()
    back_up(layout, library.home / "backup")
    other = library.workspace("other")
    restore(other, library.home / "backup").close()
    assert other.layout.current() == generation
    assert other.layout.refs().signatures == ()


def test_what_was_published_signed_is_restored_signed(library: Library) -> None:
    """From the very files that a static host serves."""
    built = Layout(library.home / "built")
    generation = library.make(built, 1)
    publish_directory(built, generation, library.public, Issue(sign=signs()))
    workspace = library.workspace()
    restore(workspace, library.public).close()
    restored = signature_of(workspace.layout, workspace.layout.refs(), generation)
    assert restored is not None
    assert vouched_by(SIGNER.public, workspace.layout.read(generation), restored)


@pytest.mark.parametrize("signed_by", [None, OTHER, SIGNER])
def test_who_vouches_for_what_is_restored_is_not_hearsay(library: Library, signed_by: SecretKey | None) -> None:
    """Any layout can say of itself that a trusted key has signed it: that counts where its signature shows it.

    Otherwise it would be served, from then on, as if it had come with the signature that is asked for.
    """
    built = Layout(library.home / "built")
    generation = library.make(built, 1)
    publish_directory(built, generation, library.public, Issue(sign=None if signed_by is None else signs(signed_by)))
    site = Layout(library.public)
    claims = {SIGNED: str(SIGNER.public), SEEN: "[]"}
    site.write_refs(site.refs().point("latest", generation, site.size_of(generation), claims))
    workspace = library.workspace()
    restore(workspace, library.public).close()
    restored = workspace.layout.refs().refs["current"].annotations
    assert restored.get(SIGNED) == (str(SIGNER.public) if signed_by is SIGNER else None)
    assert restored[SEEN] == "[]"


def rot(layout: Layout) -> Path:
    """Let the chunks of the current generation rot."""
    current = layout.current()
    assert current is not None
    path = layout.blob_path(layout.config(current).segments[1].chunks)
    path.write_bytes(b"\0" * path.stat().st_size)
    return path


def test_a_rotten_blob_is_not_backed_up(library: Library) -> None:
    """The backup keeps the refs that it had, and the error says what finds the rest."""
    layout = library.workspace().layout
    library.make(layout, 1)
    back_up(layout, library.home / "backup")
    library.make(layout, 2)
    before, path = Layout(library.home / "backup").refs(), rot(layout)
    with pytest.raises(VerifyError) as caught:
        back_up(layout, library.home / "backup")
    assert (caught.value.code, caught.value.asset) == ("blob_rotten", str(path))
    assert "doctor --deep" in (caught.value.hint or "")
    assert Layout(library.home / "backup").refs() == before


def test_a_rotten_backup_is_not_restored(library: Library) -> None:
    """What is current stays."""
    layout = library.workspace().layout
    library.make(layout, 1)
    back_up(layout, library.home / "backup")
    rot(Layout(library.home / "backup"))
    other = library.workspace("other")
    own = library.make(other.layout, 7)
    with pytest.raises(VerifyError):
        restore(other, library.home / "backup")
    assert other.layout.current() == own
    assert other.layout.leased() == frozenset()


def test_there_must_be_something_to_back_up_or_to_restore(library: Library) -> None:
    """And the message says what there is; no directory is made."""
    workspace = library.workspace()
    with pytest.raises(NotReadyError) as caught:
        back_up(workspace.layout, library.home / "backup")
    assert caught.value.code == "index_empty"
    with pytest.raises(NotReadyError, match="there is no index in it"):
        restore(workspace, library.home / "backup")
    library.make(Layout(library.home / "backup"), 1)
    with pytest.raises(NotReadyError, match="it has no generation 'nightly'") as caught:
        restore(workspace, library.home / "backup", "nightly")
    assert caught.value.hint == "it has: current"
    assert not workspace.layout.root.exists()
