"""Whose turn it is: among the processes of one index directory, one downloads, and one writes.

Downloading takes long and has a lock of its own; the writers' lock is held only while a finished generation is put in
place. Who waits for a download sees how far it is, and then finds that there is nothing left to fetch.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import anyio

from pycontextify.errors import StoreError
from pycontextify.hydration.board import StatusBoard
from pycontextify.hydration.workers import Workers
from pycontextify.store.layout import Layout
from pycontextify.store.notice import post, posted, take_down

__all__ = ["Turns"]

_LOG = logging.getLogger(__name__)
_PAUSE_SECONDS = 0.25
_TELL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Turns:
    """Waits for the locks of one layout, and tells others what is done with them."""

    layout: Layout
    board: StatusBoard
    workers: Workers
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep

    @asynccontextmanager
    async def downloading(self) -> AsyncIterator[None]:
        """Be the one that downloads for the length of a block, waiting as long as it takes for another process."""
        async with self._holding(self.layout.hydration_lock, "another process is hydrating"):
            try:
                yield
            finally:
                with anyio.CancelScope(shield=True):
                    await self.workers.run(take_down, self.layout.notice)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Hold the writers' lock for the length of a block, waiting as long as it takes for another process."""
        async with self._holding(partial(self.layout.lock, timeout=0), "another process is writing"):
            yield

    async def tell(self) -> None:
        """Tell those who wait how far the download is, until cancelled."""
        while True:
            await self.workers.run(post, self.layout.notice, self.board.status.progress)
            await anyio.sleep(_TELL_SECONDS)

    @asynccontextmanager
    async def _holding(self, make: Callable[[], AbstractContextManager[None]], why: str) -> AsyncIterator[None]:
        """Hold a lock; one that is obtained is let go, whatever is cancelled when."""
        lock = make()
        before = self.board.status.state
        while not await self._enter(lock):
            if self.board.status.state != "waiting":
                self.board.enter("waiting")
                _LOG.info("%s in %s: waiting for it", why, self.layout.root)
            self.board.waiting_for(await self.workers.run(posted, self.layout.notice))
            await self.sleep(_PAUSE_SECONDS)
            lock = make()
        try:
            if self.board.status.state == "waiting":
                self.board.enter(before)
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await self.workers.run(lock.__exit__, None, None, None)

    async def _enter(self, lock: AbstractContextManager[None]) -> bool:
        try:
            # Shielded, for a lock that is obtained while we are cancelled would never be let go.
            with anyio.CancelScope(shield=True):
                await self.workers.run(lock.__enter__)
        except StoreError as error:
            if error.code != "store_locked":
                raise
            return False
        return True
