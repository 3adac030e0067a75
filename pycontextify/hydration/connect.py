"""The transport that hydration uses: HTTP, HTTPS and files, tried again by one policy."""

from __future__ import annotations

import random as _random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import anyio

from pycontextify.errors import PermanentFetchError
from pycontextify.hydration.fetch import DEFAULT_TIMEOUTS, Fetcher, Timeouts
from pycontextify.hydration.local import LocalFiles
from pycontextify.hydration.retry import DEFAULT_POLICY, OnRetry, Retrying, RetryPolicy
from pycontextify.hydration.transport import Download, Fetched, OnBytes, Received, Transport, ignore_size
from pycontextify.hydration.workers import Workers
from pycontextify.redact import redact_url

__all__ = ["ByScheme", "open_transport"]


class ByScheme:
    """A transport that leaves every address to the transport for its scheme."""

    def __init__(self, transports: Mapping[str, Transport]) -> None:
        self._transports = transports

    async def read(self, url: str, *, limit: int) -> Fetched:
        """Return a document of at most ``limit`` bytes; see `Transport`."""
        return await self._transport(url).read(url, limit=limit)

    async def download(
        self, request: Download, destination: Path, on_bytes: OnBytes, on_size: OnBytes = ignore_size
    ) -> Received:
        """Write an asset to ``destination``; see `Transport`."""
        return await self._transport(request.url).download(request, destination, on_bytes, on_size)

    def _transport(self, url: str) -> Transport:
        transport = self._transports.get(_scheme(url))
        if transport is None:
            raise PermanentFetchError(
                "nothing here reads this kind of address",
                code="url_invalid",
                asset=redact_url(url),
                hint=f"write one that begins with {' or '.join(f'{scheme}://' for scheme in sorted(self._transports))}",
            )
        return transport


@asynccontextmanager
async def open_transport(
    workers: Workers,
    *,
    on_retry: OnRetry,
    policy: RetryPolicy = DEFAULT_POLICY,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    random: Callable[[], float] = _random.random,
) -> AsyncIterator[Transport]:
    """Lend a transport for ``http://``, ``https://`` and ``file://`` that tries again by ``policy``."""
    async with Fetcher(workers, timeouts=timeouts, clock=clock) as http:
        by_scheme = ByScheme({"http": http, "https": http, "file": LocalFiles(workers)})
        yield Retrying(by_scheme, policy, on_retry=on_retry, sleep=sleep, random=random)


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme.lower()
    except ValueError:
        return ""
