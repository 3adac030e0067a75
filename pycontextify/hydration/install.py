"""Putting a candidate in place: validate → commit → open → activate → swap → probe.

1. What is staged is opened and validated: nothing has changed yet.
2. Its blobs get their names. A crash leaves blobs that nothing refers to.
3. It is opened from its final place. Still nothing has changed for anybody.
4. ``current`` moves on the disk, and right after it the live index: neither is cancelled between the two.
5. The live index is asked a probe. Should it fail where a moment ago it passed, everything goes back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import anyio

from pycontextify.errors import PyContextifyError, ValidateError
from pycontextify.hydration.candidate import Candidate
from pycontextify.hydration.workers import Workers
from pycontextify.index.validate import passes, validate
from pycontextify.index.view import View
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.history import CURRENT, gives_way
from pycontextify.snapshot.manifest import MANIFEST_TYPE, Descriptor
from pycontextify.snapshot.origin import SIGNED
from pycontextify.store.layout import Layout
from pycontextify.store.prune import prune
from pycontextify.store.reclaim import drop_partials
from pycontextify.store.signed import add_signature

__all__ = ["Installation", "Installed", "OpenView", "Served"]

_LOG = logging.getLogger(__name__)

OpenView = Callable[[Digest, SnapshotConfig, Callable[[Digest], Path]], View]
"""Opens a generation: its digest, its config, and where each blob lies. Blocks."""


class Generational(Protocol):
    """What can tell which generation it is."""

    @property
    def generation(self) -> Digest:
        """The digest of its manifest."""


class Served(Protocol):
    """Where a new view goes; `LiveIndex` is one."""

    def swap(self, view: View | None, /) -> None:
        """Put a view in place; cannot fail."""

    def lease(self) -> AbstractContextManager[Generational | None]:
        """Hold what is served now."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What is served now: how much it is, and whether it took the place of what was indexed here."""

    chunks: int
    documents: int
    kept_local: bool


@dataclass(frozen=True, slots=True)
class Installation:
    """Puts candidates in place in one layout and one live index. The writers' lock is the caller's to hold."""

    layout: Layout
    live: Served
    workers: Workers
    open_view: OpenView

    async def validate(self, candidate: Candidate) -> None:
        """Look at a candidate where it is staged; needs no lock. Raises SnapshotRejected.

        What somebody trusted has signed was looked through by whoever built it: its contents are not read again.
        """
        await self.workers.run(self._validate, candidate)

    async def install(self, candidate: Candidate) -> Installed:
        """Commit, open, activate and swap in a validated candidate; return what is served then.

        Raises StoreError or SnapshotRejected; what was served before is then still served.
        """
        await self.workers.run(self._commit, candidate)
        view = await self.open(candidate.generation, candidate.config)
        with anyio.CancelScope(shield=True):
            try:
                before = await self.workers.run(self._activate, candidate)
            except BaseException:
                await self.workers.run(view.close)
                raise
            await self._swap(view)
            await self._make_sure(view, candidate.config, before)
            await self.workers.run(self._prune)
        target = Descriptor(MANIFEST_TYPE, candidate.generation, 0, candidate.annotations)
        return Installed(view.chunks, view.documents, before is not None and gives_way(before, target))

    async def serve(self, generation: Digest, *, replacing: bool) -> None:
        """See to it that a stored generation is served; without ``replacing``, only where nothing is."""
        with self.live.lease() as view:
            served = None if view is None else view.generation
        if served is None or (replacing and served != generation):
            config = await self.workers.run(self.layout.config, generation)
            view = await self.open(generation, config)
            with anyio.CancelScope(shield=True):
                await self._swap(view)

    async def _swap(self, view: View) -> None:
        """Serve a view; in a thread, for the one before may have to be closed."""
        await self.workers.run(self.live.swap, view)

    async def open(self, generation: Digest, config: SnapshotConfig) -> View:
        """Open a stored generation and ask it a probe. Raises StoreError or SnapshotRejected."""
        return await self.workers.run(self._open, generation, config)

    def _validate(self, candidate: Candidate) -> None:
        def staged(digest: Digest) -> Path:
            return candidate.staged.get(digest, self.layout.blob_path(digest))

        view = self.open_view(candidate.generation, candidate.config, staged)
        try:
            validate(view, candidate.config if SIGNED in candidate.annotations else self._passed())
        finally:
            view.close()

    def _passed(self) -> SnapshotConfig | None:
        """Return the config of what is current, whose contents have passed; None where there is none to be read."""
        with suppress(PyContextifyError):
            current = self.layout.current()
            return None if current is None else self.layout.config(current)
        return None

    def _commit(self, candidate: Candidate) -> None:
        for digest, path in candidate.staged.items():
            self.layout.add_file(path, digest)
        for document in candidate.documents:
            self.layout.add_bytes(document)

    def _open(self, generation: Digest, config: SnapshotConfig) -> View:
        view = self.open_view(generation, config, self.layout.blob_path)
        if not _answers(view, config):
            view.close()
            raise ValidateError("the stored generation no longer answers its probe query", code="probe_failed")
        return view

    def _activate(self, candidate: Candidate) -> Descriptor | None:
        """Move ``current``; return what it pointed to."""
        before = self.layout.refs().get(CURRENT)
        signature = candidate.signature
        listed = None if signature is None else add_signature(self.layout, candidate.generation, signature)
        self.layout.activate(candidate.generation, candidate.annotations, listed)
        return before

    async def _make_sure(self, view: View, config: SnapshotConfig, before: Descriptor | None) -> None:
        """Go back when the index does not answer now that it is live; without anything sound before it, it stays."""
        if await self.workers.run(_answers, view, config):
            return
        if before is None or before.digest == view.generation:
            _LOG.warning("the generation failed its probe once it was live, and there is none before it")
            return
        try:
            old = await self.open(before.digest, await self.workers.run(self.layout.config, before.digest))
        except PyContextifyError as error:
            _LOG.warning("the generation failed its probe once it was live, and so does the one before: %s", error)
            return
        await self.workers.run(self.layout.roll_back, before)
        await self._swap(old)
        raise ValidateError(
            "the new generation failed its probe once it was live; the one before is served again",
            code="probe_failed",
            asset=view.generation,
            hint="publish the index again",
        )

    def _prune(self) -> None:
        try:
            freed = prune(self.layout)
            drop_partials(self.layout)
        except PyContextifyError as error:
            _LOG.warning("old blobs stay for now: %s", error)
        else:
            if freed.blobs:
                _LOG.info("removed %d blobs no longer referred to, %.1f MB", freed.blobs, freed.size / 1e6)


def _answers(view: View, config: SnapshotConfig) -> bool:
    probe = next(iter(config.probes), None)
    return probe is None or view.degraded is not None or passes(view, probe)
