"""How many requests may be under way at once: so many altogether, and of one host no more than it puts up with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from pycontextify.hydration.transfer.address import host_of

__all__ = ["Slots"]


class Slots:
    """Slots to ask in, at most ``connections`` at a time. Lives on the event loop, in one task group's tasks."""

    def __init__(self, connections: int) -> None:
        self.connections = connections
        self._all = anyio.CapacityLimiter(connections)
        self._hosts = defaultdict[tuple[str, str], anyio.CapacityLimiter](lambda: anyio.CapacityLimiter(connections))

    @asynccontextmanager
    async def take(self, url: str) -> AsyncIterator[int]:
        """Hold a slot to ask an address for the length of a block, once there is one.

        Lends how many others are held for the same host.
        """
        # The host's slot first: whoever waits for a busy host must not keep others from asking another one.
        host = self._hosts[host_of(url)]
        async with host, self._all:
            yield host.borrowed_tokens - 1

    def turned_away(self, url: str, beside: int) -> bool:
        """A host has turned away a request, made beside so many others; tell whether it was one too many.

        That host is then asked for no more at once than those others were, so that this is soon the last such verdict.
        Call it while the slot is held.
        """
        host = self._hosts[host_of(url)]
        others = beside or host.borrowed_tokens - 1  # who asks later may get in first
        if others:
            host.total_tokens = min(host.total_tokens, others)
        return others > 0
