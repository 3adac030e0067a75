"""One hydration, a straight line: resolve → acquire → validate → commit → activate → swap.

To resolve writes nothing and takes no lock (unless index.json is damaged, which is repaired first): looking at a source
that has nothing new costs one small request. What holds at every later step: the layout and the live index are as
before until the new generation has been validated where it is staged. A crash in between leaves what was fetched,
unreferenced blobs, and the old generation.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import anyio

from pycontextify.errors import (
    ExtractError,
    FetchError,
    SnapshotRejected,
    StoreError,
    TransientFetchError,
    UntrustedError,
    ValidateError,
)
from pycontextify.hydration.acquire import Acquisition, Lease, acquire
from pycontextify.hydration.board import StatusBoard
from pycontextify.hydration.candidate import Candidate
from pycontextify.hydration.install import Installation, Installed
from pycontextify.hydration.resolve import Offer, is_made_of, resolve
from pycontextify.hydration.sources import Source, each_telling
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.transport import DEFAULT_LIMIT
from pycontextify.hydration.trust import Trust
from pycontextify.hydration.turns import Turns
from pycontextify.hydration.workers import Workers, beside
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.history import CURRENT, LOCAL, RECOVERED, gone_back_from
from pycontextify.snapshot.manifest import Descriptor
from pycontextify.snapshot.origin import offers_of
from pycontextify.store.layout import Layout
from pycontextify.store.recover import repair_refs

__all__ = ["Attempt", "Bounds", "Outcome"]

_LOG = logging.getLogger(__name__)
_KEPT_LOCAL = (
    "What was indexed here gave way to what the source has. It is kept: "
    f"`pycontextify rollback --to {LOCAL}` (or the tool rollback) brings it back."
)


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

    ``trust`` judges what is offered. ``wanted`` (it blocks) is asked before an attempt that nobody asked for fetches
    anything, and before it puts anything in place: whether an index is still wanted. ``refused`` remembers what was
    offered and had to be rejected.
    """

    source: Source
    layout: Layout
    board: StatusBoard
    workers: Workers
    turns: Turns
    installation: Installation
    open_client: Callable[[], AbstractAsyncContextManager[Client]]
    trust: Trust
    bounds: Bounds = Bounds()
    wanted: Callable[[], bool] = lambda: True
    refused: dict[tuple[Digest | None, ...], SnapshotRejected] = field(default_factory=dict)

    async def run(self) -> Outcome:
        """Hydrate once.

        Raises FetchError, SnapshotRejected or StoreError; what was served before is then still served.
        """
        _LOG.info("looking at %s", self.source.label)
        async with self.open_client() as client:
            await self._mend_refs()
            try:
                return await self._hydrate(self.source, client)
            except UntrustedError as error:
                for alone in each_telling(self.source):
                    with suppress(FetchError, SnapshotRejected):
                        outcome = await self._hydrate(alone, client)
                        self.board.note(f"A mirror was passed over for what it offered: {error}")
                        return outcome
                raise

    async def _hydrate(self, source: Source, client: Client) -> Outcome:
        current = await self.workers.run(self.layout.whole_current)
        offer = await self._look(source, client, current)
        if offer is None:
            return await self._keep()
        await self.workers.run(self.layout.create)
        async with self.turns.downloading():
            meanwhile = await self.workers.run(self.layout.whole_current)
            if meanwhile != current:  # another process was faster: what it left may be what is offered
                offer = await self._look(source, client, meanwhile)
            if offer is not None and not await self.workers.run(self._is_settled, offer):
                return await beside(partial(self._bring_in, source, offer, client), self.turns.tell)
        return await self._keep(came=True)

    async def _mend_refs(self) -> None:
        """Repair a damaged index.json: nothing can be looked up in it, and nothing activated."""
        try:
            await self.workers.run(self.layout.refs)
        except StoreError as error:
            _LOG.warning("index.json is repaired from what is whole: %s", error)
            await self.workers.run(self.layout.create)
            async with self.turns.writing():
                await self.workers.run(repair_refs, self.layout)

    async def _look(self, source: Source, client: Client, current: Descriptor | None) -> Offer | None:
        """Return what the source has, unless that is what is current, or nothing to be taken by itself.

        What is current and would not be taken now, for want of a signature, is no reason not to.
        """
        known = current if current is not None and self.trust.vouches_for(current) else None
        async with self._in_time():
            offer = await resolve(source, client, known)
            if offer is None or (current is not None and await self._went_back_from(source, offer, client)):
                return None
        self._check_refused(offer)
        return offer

    async def _bring_in(self, source: Source, offer: Offer, client: Client) -> Outcome:
        """Take an offer; remember one that has to be rejected for what it is, and not for a host that garbles it."""
        try:
            return await self._take(source, offer, client)
        except (ValidateError, ExtractError) as error:
            if offer.parts[0] is not None:
                self.refused[offer.parts] = error
            raise

    async def _take(self, source: Source, offer: Offer, client: Client) -> Outcome:
        async with self._staging() as staging, self._leasing() as lease:
            limit = self.bounds.asset
            work = Acquisition(self.layout, client, self.workers, self.board, staging, limit, lease, self.trust)
            candidate = await self._acquire(source, offer, work)
            await lease(candidate.blobs)
            self.board.enter("validating")
            await self.installation.validate(candidate)
            _LOG.info("validated in %.2f s", self.board.enter("activating"))
            async with self.turns.writing():
                settled = await self.workers.run(self._is_settled, offer)
                installed = None if settled else await self._put_in_place(candidate)
        if installed is None:
            return await self._keep(came=True)
        _LOG.info(
            "activated generation %s: version %d, %d chunks of %d documents",
            candidate.generation.short,
            candidate.config.version,
            installed.chunks,
            installed.documents,
        )
        if installed.kept_local:
            self.board.note(_KEPT_LOCAL)
            _LOG.warning("%s", _KEPT_LOCAL)
        return Outcome("installed", candidate.generation)

    async def _put_in_place(self, candidate: Candidate) -> Installed:
        """Remember a candidate as seen, then install it: where nothing can be remembered, nothing changes either."""
        await self.workers.run(self.trust.accept, candidate.config, candidate.generation, candidate.annotations)
        return await self.installation.install(candidate)

    async def _acquire(self, source: Source, offer: Offer, work: Acquisition) -> Candidate:
        async with self._in_time():
            return await acquire(source, offer, work)

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        """Cut short what takes too long."""
        with anyio.move_on_after(self.bounds.seconds) as scope:
            yield
        if scope.cancelled_caught:
            raise TransientFetchError(
                f"it has taken more than {self.bounds.seconds:,.0f} s",
                code="deadline_exceeded",
                asset=self.source.label,
                hint="what has come is kept, and the next attempt goes on from there",
            )

    async def _went_back_from(self, source: Source, offer: Offer, client: Client) -> bool:
        """Tell whether somebody went back from what is offered: it is taken again only when somebody asks for it."""
        if self._asked_for:
            return False
        table = await self.workers.run(self.layout.refs)
        left = gone_back_from(table)
        if offer.parts[0] is not None:
            return offer.parts[0] in left
        for each in {each.digest: each for each in table.refs.values() if offers_of(each) & left}.values():
            if await resolve(source, client, each) is None:
                return True
        return False

    def _check_refused(self, offer: Offer) -> None:
        """Do not fetch again what was rejected, unless somebody asks for it."""
        error = self.refused.get(offer.parts)
        if error is not None and not self._asked_for:
            raise error.with_traceback(None)

    @property
    def _asked_for(self) -> bool:
        return self.board.status.trigger == "manual"

    def _is_settled(self, offer: Offer) -> bool:
        """Tell whether another process has left an index meanwhile that makes ours needless."""
        current = self.layout.whole_current()
        if current is None:
            return False
        if is_made_of(current, offer):
            return self.trust.vouches_for(current)
        return not (self._asked_for or self.wanted())

    async def _keep(self, *, came: bool = False) -> Outcome:
        """There is nothing to fetch; make sure that something is served, and what ``came`` from elsewhere at once."""
        current = (await self.workers.run(self.layout.refs)).get(CURRENT)
        if current is None:
            raise StoreError("the current generation disappeared", code="generation_missing", hint="rehydrate")
        await self.installation.serve(current.digest, replacing=came)
        if RECOVERED in current.annotations:  # what was left is what the source has: all is well
            notes = {name: text for name, text in current.annotations.items() if name != RECOVERED}
            async with self.turns.writing():
                await self.workers.run(self.layout.activate, current.digest, notes)
        _LOG.info("up to date: generation %s", current.digest.short)
        return Outcome("unchanged", current.digest)

    @asynccontextmanager
    async def _leasing(self) -> AsyncIterator[Lease]:
        """Lend a function that holds blobs, so that no other process prunes them, until the end of the block."""
        held: list[Digest] = []

        async def lease(blobs: Collection[Digest]) -> None:
            held.extend(blobs)
            await self.workers.run(self.layout.leases.take, blobs)

        try:
            yield lease
        finally:
            with anyio.CancelScope(shield=True):
                await self.workers.run(self.layout.leases.drop, held)

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
