"""Backup and restore: an index directory is a layout, and so is its backup. Blobs are linked where the disk can."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pycontextify.errors import NotReadyError, StoreError, UntrustedError
from pycontextify.index.view import View
from pycontextify.library.workspace import LOCK_SECONDS, Workspace
from pycontextify.snapshot.history import CURRENT, find
from pycontextify.snapshot.manifest import Descriptor
from pycontextify.snapshot.origin import SIGNED
from pycontextify.snapshot.signature import check_document, parse_public_key, parse_signature
from pycontextify.store.copies import add_link, bring
from pycontextify.store.durable import write_bytes
from pycontextify.store.layout import Layout
from pycontextify.store.prune import prune
from pycontextify.store.recover import repair_refs
from pycontextify.store.signed import add_signature, signature_blobs, signature_of

__all__ = ["BackupReport", "back_up", "restore"]

_REFS = (CURRENT, "latest")


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup holds: refs, and bytes of blobs; ``size_added`` are those that were not there before."""

    refs: tuple[str, ...]
    size: int
    size_added: int

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def back_up(layout: Layout, target: Path) -> BackupReport:
    """Make ``target`` a layout with every generation of this one. Blocks; readers and writers here go on meanwhile.

    A backup that is there already is brought up to date: what is in none of these generations goes. An index that is no
    backup is left alone.

    Raises NotReadyError when there is nothing to back up, StoreError, or VerifyError for a rotten blob; the backup then
    has its old refs.
    """
    table = layout.refs()
    if not table.refs:
        raise NotReadyError("there is no index here to back up", code="index_empty", asset=str(layout.root))
    blobs = {blob.digest: blob for each in table.refs.values() for blob in _parts(layout, each)}
    blobs |= {blob.digest: blob for blob in signature_blobs(layout, table) if layout.has(blob.digest, blob.size)}
    backup = Layout(target)
    _check_backup(backup)
    backup.create()
    write_bytes(backup.backup_mark, b"")
    with layout.leases.holding(list(blobs)), backup.lock(timeout=LOCK_SECONDS):
        added = sum(bring(layout, blob, backup, add_link) for blob in blobs.values())
        backup.write_refs(table)
        prune(backup)
    return BackupReport(tuple(sorted(table.refs)), sum(blob.size for blob in blobs.values()), added)


def _check_backup(backup: Layout) -> None:
    if (backup.root / "index.json").exists() and not backup.backup_mark.exists():
        raise StoreError(
            "there is an index in it that is no backup, and backing up would replace it",
            code="not_a_backup",
            asset=str(backup.root),
            hint="name an empty directory, or one that `pycontextify backup` made",
        )


def restore(workspace: Workspace, source: Path, wanted: str | None = None) -> View:
    """Make a generation of a backup, or of any layout, current here, and return it open. Blocks.

    ``wanted`` is a ref of that layout, a digest, or the beginning of one; by default ``current``, else ``latest``.

    Raises NotReadyError when there is no such generation, StoreError, or VerifyError for a rotten blob; what is current
    here then stays. What was current is gone back from: it is not fetched again by itself. A damaged index.json here is
    mended.
    """
    layout, backup = workspace.layout, Layout(source)
    target = _wanted(backup, wanted)
    blobs = list(_parts(backup, target))
    signature = signature_of(backup, backup.refs(), target.digest)
    target = _as_shown(backup, target, signature)
    layout.create()
    with layout.leases.holding([blob.digest for blob in blobs]), layout.lock(timeout=LOCK_SECONDS):
        for blob in blobs:
            bring(backup, blob, layout, add_link)
        view = workspace.open(target.digest)
        try:
            repair_refs(layout)
            layout.roll_back(target)
            if signature is not None:
                listed = add_signature(layout, target.digest, signature)
                layout.write_refs(layout.refs().signed(target.digest, listed))
        except BaseException:
            view.close()
            raise
        return view


def _wanted(backup: Layout, wanted: str | None) -> Descriptor:
    table = backup.refs()
    found = [find(table, name) for name in (_REFS if wanted is None else (wanted,))]
    target = next((each for each in found if each is not None), None)
    if target is None:
        raise NotReadyError(
            "there is no index in it" if wanted is None else f"it has no generation {wanted[:80]!r}",
            code="no_generation",
            asset=str(backup.root),
            hint=f"it has: {', '.join(sorted(table.refs)) or 'none'}",
        )
    return target


def _as_shown(backup: Layout, target: Descriptor, signature: bytes | None) -> Descriptor:
    """Return a generation with its notes; who vouched for it is one of them only where its signature shows that.

    Anybody can write the note. Without it, what is restored is fetched again where a signature is asked for.
    """
    with suppress(ValueError, UntrustedError):
        key = parse_public_key(target.annotations.get(SIGNED, ""))
        check_document(
            parse_signature(signature or b"", asset=target.digest),
            [key],
            backup.read(target.digest),
            asset=target.digest,
        )
        return target
    return replace(target, annotations={name: text for name, text in target.annotations.items() if name != SIGNED})


def _parts(layout: Layout, target: Descriptor) -> Iterator[Descriptor]:
    """Yield a generation's blobs, its manifest last."""
    yield from layout.manifest(target.digest).blobs
    yield target
