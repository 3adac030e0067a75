"""One hydration, a straight line: acquire → validate → commit → activate → swap.

What holds at every step: the layout and the live index are as before until the new generation has been validated where
it is staged. Then its blobs get their names, it is opened from there, and only when that has succeeded does ``current``
move and the live index with it. A crash in between leaves unreferenced blobs and the old generation.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import anyio

from pycontextify.errors import PyContextifyError, StoreError, ValidateError
from pycontextify.hydration.acquire import Acquisition, acquire
from pycontextify.hydration.candidate import Candidate
from pycontextify.hydration.sources import Source
from pycontextify.hydration.status import StatusBoard
from pycontextify.hydration.transport import Transport
from pycontextify.hydration.workers import Workers
from pycontextify.index.validate import passes, validate
from pycontextify.index.view import View
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest
from pycontextify.store.layout import Layout
from pycontextify.store.prune import prune

__all__ = ["Attempt", "OpenView", "Outcome", "Served"]

_LOG = logging.getLogger(__name__)
_LOCK_PAUSE_SECONDS = 0.25

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
class Outcome:
    """What an attempt did. ``unchanged``: the source has what is served already."""

    result: Literal["installed", "unchanged"]
    generation: Digest


@dataclass(frozen=True, slots=True)
class Attempt:
    """Everything one hydration needs; `run` may be called again and again, one at a time."""

    source: Source
    layout: Layout
    live: Served
    board: StatusBoard
    workers: Workers
    open_view: OpenView
    open_transport: Callable[[], AbstractAsyncContextManager[Transport]]
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep

    async def run(self) -> Outcome:
        """Hydrate once.

        Raises FetchError, SnapshotRejected or StoreError; what was served before is then still served.
        """
        await self.workers.run(self.layout.create)
        async with self._writing(), self._staging() as staging, self.open_transport() as transport:
            work = Acquisition(self.layout, transport, self.workers, self.board, staging)
            _LOG.info("hydrating from %s", self.source.label)
            candidate = await acquire(self.source, work)
            if candidate is None:
                return await self._keep()
            self._log_fetched()
            return await self._install(candidate)

    async def _keep(self) -> Outcome:
        """The source has what ``current`` is; make sure that it is also what is served."""
        generation = await self.workers.run(self.layout.current)
        if generation is None:
            raise StoreError("the current generation disappeared", code="generation_missing", hint="rehydrate")
        with self.live.lease() as view:
            served = view is not None and view.generation == generation
        if not served:
            config = await self.workers.run(self.layout.config, generation)
            self.live.swap(await self._open(generation, config))
        _LOG.info("up to date: generation %s", generation.short)
        return Outcome("unchanged", generation)

    async def _install(self, candidate: Candidate) -> Outcome:
        self.board.enter("validating")
        await self.workers.run(self._validate, candidate)
        spent = self.board.enter("activating")
        _LOG.info("validated in %.2f s", spent)
        await self.workers.run(self._commit, candidate)
        view = await self._open(candidate.generation, candidate.config)
        # From here on nothing is cancelled: the ref on disk and the live index move together.
        with anyio.CancelScope(shield=True):
            try:
                await self.workers.run(self.layout.activate, candidate.generation, candidate.annotations)
            except BaseException:
                view.close()
                raise
            self.live.swap(view)
            await self.workers.run(self._prune)
        _LOG.info(
            "activated generation %s: version %d, %d chunks of %d documents",
            candidate.generation.short,
            candidate.config.version,
            view.chunks,
            view.documents,
        )
        return Outcome("installed", candidate.generation)

    def _validate(self, candidate: Candidate) -> None:
        def staged(digest: Digest) -> Path:
            return candidate.staged.get(digest, self.layout.blob_path(digest))

        view = self.open_view(candidate.generation, candidate.config, staged)
        try:
            validate(view)
        finally:
            view.close()

    def _commit(self, candidate: Candidate) -> None:
        for digest, path in candidate.staged.items():
            self.layout.add_file(path, digest)
        for document in candidate.documents:
            self.layout.add_bytes(document)

    async def _open(self, generation: Digest, config: SnapshotConfig) -> View:
        return await self.workers.run(self._open_final, generation, config)

    def _open_final(self, generation: Digest, config: SnapshotConfig) -> View:
        view = self.open_view(generation, config, self.layout.blob_path)
        probe = next(iter(config.probes), None)
        if probe is not None and view.degraded is None and not passes(view, probe):
            view.close()
            raise ValidateError("the stored generation no longer answers its probe query", code="probe_failed")
        return view

    def _prune(self) -> None:
        try:
            freed = prune(self.layout)
        except PyContextifyError as error:
            _LOG.warning("old blobs stay for now: %s", error)
        else:
            if freed.blobs:
                _LOG.info("removed %d blobs no longer referred to, %.1f MB", freed.blobs, freed.size / 1e6)

    def _log_fetched(self) -> None:
        status = self.board.status
        _LOG.info(
            "fetched and verified %.1f MB (%.1f MB/s), %.1f MB were here already",
            status.bytes_done / 1e6,
            status.rate_bytes_per_second / 1e6,
            status.bytes_reused / 1e6,
        )

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[None]:
        """Hold the writers' lock, waiting as long as it takes for another process to finish."""
        while True:
            lock = self.layout.lock(timeout=0)
            try:
                # Shielded, for a lock that is obtained while we are cancelled would never be let go.
                with anyio.CancelScope(shield=True):
                    await self.workers.run(lock.__enter__)
                break
            except StoreError as error:
                if error.code != "store_locked":
                    raise
            if self.board.status.state != "waiting":
                self.board.enter("waiting")
                _LOG.info("another process is writing to %s: waiting for it", self.layout.root)
            await self.sleep(_LOCK_PAUSE_SECONDS)
        try:
            self.board.enter("resolving")
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await self.workers.run(lock.__exit__, None, None, None)

    @asynccontextmanager
    async def _staging(self) -> AsyncIterator[Path]:
        """Lend an empty directory in the layout, gone afterwards."""
        lent = self.layout.staging()
        path = await self.workers.run(lent.__enter__)
        try:
            yield path
        finally:
            with anyio.CancelScope(shield=True):
                await self.workers.run(lent.__exit__, None, None, None)
