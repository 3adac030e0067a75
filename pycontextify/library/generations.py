"""The generations of an index directory: what there is, and going back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from pycontextify.errors import NotReadyError, PyContextifyError
from pycontextify.index.view import View
from pycontextify.library.workspace import LOCK_SECONDS, Workspace
from pycontextify.snapshot.history import find, generations, gone_back_from, names_of
from pycontextify.snapshot.manifest import Descriptor, RefTable
from pycontextify.snapshot.origin import SIGNED, is_local, offers_of
from pycontextify.snapshot.signature import parse_public_key
from pycontextify.store.layout import Layout

__all__ = ["Generation", "list_generations", "roll_back"]


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation in the index directory.

    ``version``, ``created``, ``documents`` and ``size`` (bytes of its blobs) are None where its manifest can't be
    read. ``local``: it was indexed here. ``signed_by``: the id of the trusted key that vouched for it.
    ``rolled_back``: somebody went back from what its source had then. ``whole``: all its blobs are there.
    """

    digest: str
    refs: tuple[str, ...]
    version: int | None
    created: str | None
    documents: int | None
    size: int | None
    local: bool
    signed_by: str | None
    rolled_back: bool
    whole: bool

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def list_generations(layout: Layout) -> tuple[Generation, ...]:
    """Return the generations that some ref points to, those served last first. Blocks.

    Raises StoreError when index.json can't be read.
    """
    table = layout.refs()
    ordered = {target.digest: target for target in (*generations(table), *table.refs.values())}
    return tuple(_described(layout, table, target) for target in ordered.values())


def roll_back(workspace: Workspace, wanted: str | None = None) -> View:
    """Make an earlier generation current again, and return it open; by default the one before. Blocks.

    ``wanted`` is a ref, a digest, or the beginning of one. What is gone back from is not taken again by itself.

    Raises NotReadyError when there is no such generation, StoreError or SnapshotRejected when it can't be opened; the
    current one then stays.
    """
    layout = workspace.layout
    _target(layout.refs(), wanted)  # before anything is made, the lock's file included
    with layout.lock(timeout=LOCK_SECONDS):
        target = _target(layout.refs(), wanted)
        view = workspace.open(target.digest)
        try:
            layout.roll_back(target)
        except BaseException:
            view.close()
            raise
        return view


def _target(table: RefTable, wanted: str | None) -> Descriptor:
    earlier = generations(table)[1:]
    target = next(iter(earlier), None) if wanted is None else find(table, wanted)
    if target is None:
        known = ", ".join(f"{each.digest.short} ({', '.join(names_of(table, each.digest))})" for each in earlier)
        raise NotReadyError(
            "there is no generation before this one" if wanted is None else f"no generation is called {wanted[:80]!r}",
            code="no_generation",
            hint=f"there are: {known}" if known else "an index keeps what it served before from its second on",
        )
    return target


def _described(layout: Layout, table: RefTable, target: Descriptor) -> Generation:
    version = created = documents = size = None
    whole = False
    with suppress(PyContextifyError):
        manifest = layout.manifest(target.digest)
        size = sum(blob.size for blob in manifest.blobs)
        whole = not layout.missing(manifest)
        config = layout.config(target.digest)
        version, created = config.version, config.created
        documents = sum(segment.documents for segment in config.segments)
    return Generation(
        digest=target.digest,
        refs=tuple(names_of(table, target.digest)),
        version=version,
        created=created,
        documents=documents,
        size=size,
        local=is_local(target),
        signed_by=_signer(target),
        rolled_back=bool(offers_of(target) & gone_back_from(table)),
        whole=whole,
    )


def _signer(target: Descriptor) -> str | None:
    with suppress(KeyError, ValueError):
        return parse_public_key(target.annotations[SIGNED]).name
    return None
