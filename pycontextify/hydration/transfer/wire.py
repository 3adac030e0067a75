"""What all requests share: how they go out, to which mirror first, how many at once, and how often again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import anyio

from pycontextify.hydration.transfer.mirrors import Mirrors
from pycontextify.hydration.transfer.retry import OnRetry, RetryPolicy, retry
from pycontextify.hydration.transfer.transport import Transport
from pycontextify.hydration.workers import Workers

__all__ = ["Wire"]

_T = TypeVar("_T")
_PIECE = 16 << 20


@dataclass(frozen=True, slots=True)
class Wire:
    """What all requests share.

    ``limiter`` bounds how many are under way, all downloads together, and ``downloads`` how many of those. ``piece`` is
    how many bytes of a large asset one of them fetches: enough for the round trip that asking costs not to matter, few
    enough to share out.
    """

    transport: Transport
    mirrors: Mirrors
    policy: RetryPolicy
    limiter: anyio.CapacityLimiter
    downloads: anyio.CapacityLimiter
    workers: Workers
    on_retry: OnRetry
    sleep: Callable[[float], Awaitable[None]]
    random: Callable[[], float]
    monotonic: Callable[[], float]
    piece: int = _PIECE

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
