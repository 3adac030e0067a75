"""What all requests share: how they go out, to which mirror first, how many at once, and how often again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import anyio

from pycontextify.errors import TransientFetchError
from pycontextify.hydration.transfer.mirrors import Mirrors
from pycontextify.hydration.transfer.ranges import Span
from pycontextify.hydration.transfer.retry import OnRetry, RetryPolicy, retry
from pycontextify.hydration.transfer.slots import Slots
from pycontextify.hydration.transfer.transport import Ask, RangeRefused, Reply, Transport, Validators
from pycontextify.hydration.workers import Workers

__all__ = ["Wire"]

_T = TypeVar("_T")
_PIECE = 16 << 20
_TURNED_AWAY = frozenset({"http_429", "http_503"})


@dataclass(frozen=True, slots=True)
class Wire:
    """What all requests share.

    ``slots`` bounds how many are under way, all downloads together, and ``downloads`` how many of those. ``piece`` is
    how many bytes of a large asset one of them fetches: enough for the round trip that asking costs not to matter, few
    enough to share out.
    """

    transport: Transport
    mirrors: Mirrors
    policy: RetryPolicy
    slots: Slots
    downloads: anyio.CapacityLimiter
    workers: Workers
    on_retry: OnRetry
    sleep: Callable[[float], Awaitable[None]]
    random: Callable[[], float]
    monotonic: Callable[[], float]
    piece: int = _PIECE

    @asynccontextmanager
    async def open(self, ask: Ask) -> AsyncIterator[Reply]:
        """Lend the reply to a request, when it is its turn; raises what the transport raises.

        A host that turns a request away because there are others takes only so many at once: that is no failure. The
        request waits for its turn again, of which there are fewer now.
        """
        while True:
            async with AsyncExitStack() as stack:
                beside = await stack.enter_async_context(self.slots.take(ask.url))
                try:
                    reply = await stack.enter_async_context(self.transport.open(ask))
                except TransientFetchError as error:
                    if error.code not in _TURNED_AWAY or not self.slots.turned_away(ask.url, beside):
                        raise
                    if error.retry_after is not None:
                        raise  # it says itself when to come back
                    continue
                yield reply
                return

    async def is_unmodified(self, url: str, known: Validators | None) -> bool:
        """Ask whether an asset is still the version that is ``known``, for one byte of it at most.

        Raises FetchError.
        """
        try:
            async with self.open(Ask(url, Span(0, 1), unless=known)) as reply:
                return reply.unmodified
        except RangeRefused:  # it may be anything, then
            return False

    async def ask(
        self, urls: Sequence[str], ask: Callable[[str], Awaitable[_T]], progress: Callable[[], int] = lambda: 0
    ) -> _T:
        """Ask mirror after mirror, and all of them again as the policy has it.

        Raises FetchError or SnapshotRejected.
        """
        return await retry(
            self.policy,
            lambda: self.mirrors.first(urls, ask),
            sleep=self.sleep,
            random=self.random,
            on_retry=self.on_retry,
            progress=progress,
            monotonic=self.monotonic,
        )
