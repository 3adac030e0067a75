"""Looking an index directory over, and setting aside what is rotten so that it is fetched again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from pycontextify.errors import PyContextifyError, StoreError
from pycontextify.library.workspace import LOCK_SECONDS, Workspace
from pycontextify.snapshot.history import CURRENT, RECOVERED
from pycontextify.snapshot.manifest import RefTable
from pycontextify.store.check import Damage, damaged_blobs, quarantine, rotten_files
from pycontextify.store.layout import Layout

__all__ = ["Finding", "examine", "set_aside"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be: its stable ``code``, what it is, and what to do about it."""

    code: str
    what: str
    hint: str

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


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
        yield Finding("index_empty", f"there is no index in {layout.root}", "index or hydrate something into it")
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


def _damaged(layout: Layout, table: RefTable, *, deep: bool) -> list[Damage]:
    """Return what is wrong with the blobs that some ref needs, and if ``deep`` with all others."""
    known = list(damaged_blobs(layout, table.refs.values(), deep=deep))
    seen = {damage.blob.digest for damage in known}
    return known + [damage for damage in (rotten_files(layout) if deep else ()) if damage.blob.digest not in seen]


def _about(damage: Damage) -> Finding:
    said = {
        "missing": "is not there",
        "size": "has another size than it should",
        "rotten": "has other bytes than it should",
        "unreadable": "can't be read",
    }[damage.kind]
    what = f"the blob {damage.blob.digest.short}… ({damage.blob.title}) {said}"
    return Finding(f"blob_{damage.kind}", what, "hydrate again: it is fetched alone")


def set_aside(workspace: Workspace) -> tuple[Finding, ...]:
    """Move every blob with wrong bytes out of the way, so that it alone is fetched again; tell which. Blocks.

    Raises StoreError.
    """
    layout = workspace.layout
    with layout.lock(timeout=LOCK_SECONDS):
        wrong = [damage for damage in _damaged(layout, layout.refs(), deep=True) if damage.kind in ("rotten", "size")]
        for damage in wrong:
            quarantine(layout, damage.blob)
    return tuple(map(_about, wrong))
