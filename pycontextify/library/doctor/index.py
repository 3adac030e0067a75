"""Looking an index directory over, and setting aside what is rotten so that it is fetched again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pycontextify.errors import PyContextifyError, StoreError
from pycontextify.library.doctor.finding import Finding
from pycontextify.library.source import configured_source
from pycontextify.library.workspace import LOCK_SECONDS, Workspace
from pycontextify.snapshot.history import CURRENT, RECOVERED
from pycontextify.snapshot.manifest import RefTable
from pycontextify.store.check import Damage, damaged_blobs, kind_of_damage, needed_blobs, quarantine, rotten_files
from pycontextify.store.layout import Layout

__all__ = ["examine", "set_aside"]


def examine(workspace: Workspace, *, deep: bool) -> tuple[Finding, ...]:
    """Look at refs and blobs, ``deep`` by reading every byte, and open what is current. Blocks; changes nothing."""
    return tuple(_findings(workspace, deep=deep))


def _findings(workspace: Workspace, *, deep: bool) -> Iterator[Finding]:
    layout = workspace.layout
    try:
        table = layout.refs()
    except StoreError as error:
        yield Finding(error.code, str(error), "start a server on it, which serves the newest generation that is whole")
        return
    current = table.get(CURRENT)
    if current is None:
        yield _empty(workspace)
        return
    if why := current.annotations.get(RECOVERED):
        yield Finding("index_recovered", why, "hydrate again: what is served is only what was left")
    damaged = _damaged(layout, table, deep=deep)
    yield from map(_about, damaged)
    if not damaged:
        try:
            workspace.open(current.digest).close()
        except PyContextifyError as error:
            yield Finding(error.code, str(error), "hydrate again, or go back: `pycontextify rollback`")


def _empty(workspace: Workspace) -> Finding:
    what = f"there is no index in {workspace.layout.root}"
    if configured_source(workspace.settings) is None:
        return Finding("index_empty", what, "index something into it, or name a source to fetch one from")
    hint = "a server fetches it when it starts, and `pycontextify hydrate` now"
    return Finding("index_empty", f"{what} yet", hint, level="note")


def _damaged(layout: Layout, table: RefTable, *, deep: bool) -> list[Damage]:
    """Return what is wrong with the blobs that some ref needs, and if ``deep`` with all others."""
    targets = table.refs.values()
    needed = damaged_blobs(layout, targets, deep=deep)
    return [*needed, *(rotten_files(layout, besides=needed_blobs(layout, targets)) if deep else ())]


def _about(damage: Damage) -> Finding:
    said = {
        "missing": "is not there",
        "size": "has another size than it should",
        "rotten": "has other bytes than it should",
        "unreadable": "can't be read",
    }[damage.kind]
    what = f"the blob {damage.blob.digest.short}… ({damage.blob.title}) {said}"
    return Finding(f"blob_{damage.kind}", what, "hydrate again: it is fetched alone", damage.blob)


def set_aside(workspace: Workspace, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Move the blobs with wrong bytes that were found out of the way, so that they alone are fetched again. Blocks.

    Returns those that were moved: of what was found, what is still so. Raises StoreError.
    """
    layout = workspace.layout
    suspects = [(finding, finding.blob) for finding in findings if finding.blob is not None]
    if not suspects:
        return ()
    moved = []
    with layout.lock(timeout=LOCK_SECONDS):
        for finding, blob in suspects:
            if kind_of_damage(layout, blob, deep=True) in ("rotten", "size"):
                quarantine(layout, blob)
                moved.append(finding)
    return tuple(moved)
