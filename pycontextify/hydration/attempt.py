"""One hydration, a straight line: resolve → acquire → validate → commit → activate → swap.

To resolve writes nothing and takes no lock: looking at a source that has nothing new costs one small request.

What holds at every step: the layout and the live index are as before until the new generation has been validated where
it is staged. Then its blobs get their names, it is opened from there, and only when that has succeeded does ``current``
move and the live index with it. A crash in between leaves unreferenced blobs and the old generation.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import anyio

from pycontextify.errors import (
    ExtractError,
    PyContextifyError,
    SnapshotRejected,
    StoreError,
    TransientFetchError,
    ValidateError,
)
from pycontextify.hydration.acquire import Acquisition, acquire
from pycontextify.hydration.candidate import Candidate
from pycontextify.hydration.resolve import Offer, is_made_of, resolve
from pycontextify.hydration.sources import Source
from pycontextify.hydration.status import StatusBoard
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.transport import DEFAULT_LIMIT
from pycontextify.hydration.workers import Workers
from pycontextify.index.validate import passes, validate
from pycontextify.index.view import View
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest
from pycontextify.store.layout import Layout
from pycontextify.store.prune import prune

__all__ = ["Attempt", "Bounds", "OpenView", "Outcome", "Served"]

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
class Bounds:
    """How large, in bytes, one asset may be, and how long, in seconds, one attempt may go on fetching."""

    asset: int = DEFAULT_LIMIT
    seconds: float = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """Everything one hydration needs; `run` may be called again and again, one at a time.

    ``wanted`` (it blocks) is asked before an attempt that nobody asked for begins to fetch, when no other process
    writes any more: whether an index is still wanted. ``refused`` remembers what was offered and had to be rejected.
    """

    source: Source
    layout: Layout
    live: Served
    board: StatusBoard
    workers: Workers
    open_view: OpenView
    open_client: Callable[[], AbstractAsyncContextManager[Client]]
    bounds: Bounds = Bounds()
    wanted: Callable[[], bool] = lambda: True
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    refused: dict[tuple[Digest | None, ...], SnapshotRejected] = field(default_factory=dict)

    async def run(self) -> Outcome:
        """Hydrate once.

        Raises FetchError, SnapshotRejected or StoreError; what was served before is then still served.
        """
        _LOG.info("looking at %s", self.source.label)
        async with self.open_client() as client:
            current = await self.workers.run(self.layout.whole_current)
            offer = await resolve(self.source, client, current)
            if offer is None:
                return await self._keep()
            self._check_refused(offer)
            await self.workers.run(self.layout.create)
            async with self._writing(), self._staging() as staging:
                if await self.workers.run(self._is_settled, offer):
                    return await self._keep()
                work = Acquisition(self.layout, client, self.workers, self.board, staging, self.bounds.asset)
                candidate = await self._acquire(offer, work)
                return await self._install(offer, candidate)

    def _check_refused(self, offer: Offer) -> None:
        """Do not fetch again what was rejected, unless somebody asks for it."""
        error = self.refused.get(offer.parts)
        if error is not None and not self._asked_for:
            raise error

    @property
    def _asked_for(self) -> bool:
        return self.board.status.trigger == "manual"

    def _is_settled(self, offer: Offer) -> bool:
        """Tell whether another process has left an index, while we waited for it, that makes fetching needless."""
        current = self.layout.whole_current()
        if current is None:
            return False
        return is_made_of(current, offer) or not (self._asked_for or self.wanted())

    async def _acquire(self, offer: Offer, work: Acquisition) -> Candidate:
        with anyio.move_on_after(self.bounds.seconds) as scope, self._remembering(offer):
            candidate = await acquire(self.source, offer, work)
        if scope.cancelled_caught:
            raise TransientFetchError(
                f"it has taken more than {self.bounds.seconds:,.0f} s",
                code="deadline_exceeded",
                asset=self.source.label,
                hint="what has come is kept, and the next attempt goes on from there",
            )
        return candidate

    @contextmanager
    def _remembering(self, offer: Offer) -> Iterator[None]:
        """Remember an offer that has to be rejected for what it is, and not for a host that garbles it."""
        try:
            yield
        except (ValidateError, ExtractError) as error:
            if None not in offer.parts:
                self.refused[offer.parts] = error
            raise

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

    async def _install(self, offer: Offer, candidate: Candidate) -> Outcome:
        self.board.enter("validating")
        with self._remembering(offer):
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
            self.layout.drop_partials()
        except PyContextifyError as error:
            _LOG.warning("old blobs stay for now: %s", error)
        else:
            if freed.blobs:
                _LOG.info("removed %d blobs no longer referred to, %.1f MB", freed.blobs, freed.size / 1e6)

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
