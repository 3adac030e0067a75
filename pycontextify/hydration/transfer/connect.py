"""The client that hydration uses: HTTP, HTTPS and files, with whatever opens their doors."""

from __future__ import annotations

import random as _random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import anyio
from yarl import URL

from pycontextify.errors import PermanentFetchError
from pycontextify.hydration.transfer.address import Credentials
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.fetch import DEFAULT_TIMEOUTS, Access, Fetcher, Timeouts
from pycontextify.hydration.transfer.local import LocalFiles
from pycontextify.hydration.transfer.mirrors import Mirrors
from pycontextify.hydration.transfer.retry import DEFAULT_POLICY, OnRetry, RetryPolicy
from pycontextify.hydration.transfer.secure import Certificates, open_tls, proxy_for, read_logins
from pycontextify.hydration.transfer.slots import Slots
from pycontextify.hydration.transfer.transport import Ask, Reply, Transport
from pycontextify.hydration.transfer.wire import Wire
from pycontextify.hydration.workers import Workers
from pycontextify.redact import redact_url

__all__ = ["ByScheme", "Keys", "Patience", "open_access", "open_client", "over"]


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """What the settings give to open doors with; .netrc and proxies are the system's to tell."""

    token: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    certificates: Certificates = field(default_factory=Certificates)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often, how long and how much at a time to ask. ``connections`` bounds the requests under way together."""

    policy: RetryPolicy = DEFAULT_POLICY
    timeouts: Timeouts = DEFAULT_TIMEOUTS
    connections: int = 4


class ByScheme:
    """A transport that leaves every address to the transport for its scheme."""

    def __init__(self, transports: Mapping[str, Transport]) -> None:
        self._transports = transports

    def open(self, ask: Ask) -> AbstractAsyncContextManager[Reply]:
        """Lend the reply to a request; see `Transport`."""
        transport = self._transports.get(_scheme(ask.url))
        if transport is None:
            raise PermanentFetchError(
                "nothing here reads this kind of address",
                code="url_invalid",
                asset=redact_url(ask.url),
                hint=f"write one that begins with {' or '.join(f'{scheme}://' for scheme in sorted(self._transports))}",
            )
        return transport.open(ask)


@asynccontextmanager
async def open_client(
    workers: Workers,
    mirrors: Mirrors,
    *,
    on_retry: OnRetry,
    keys: Keys | None = None,
    patience: Patience | None = None,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    random: Callable[[], float] = _random.random,
) -> AsyncIterator[Client]:
    """Lend a client for ``http://``, ``https://`` and ``file://``. ``mirrors`` remembers them beyond this client.

    Raises PermanentFetchError when the certificates or the .netrc file can't be read.
    """
    patience = patience or Patience()
    access = await open_access(keys or Keys(), workers)
    async with over(access, workers, timeouts=patience.timeouts, clock=clock) as transport:
        wire = Wire(
            transport=transport,
            mirrors=mirrors,
            policy=patience.policy,
            slots=Slots(patience.connections),
            downloads=anyio.CapacityLimiter(2 * patience.connections),
            workers=workers,
            on_retry=on_retry,
            sleep=sleep,
            random=random,
            monotonic=monotonic,
        )
        yield Client(wire)


@asynccontextmanager
async def over(
    access: Access, workers: Workers, *, timeouts: Timeouts, clock: Callable[[], float] = time.time
) -> AsyncIterator[Transport]:
    """Lend the transport for all kinds of addresses."""
    async with Fetcher(access, timeouts=timeouts, clock=clock) as http:
        yield ByScheme({"http": http, "https": http, "file": LocalFiles(workers)})


async def open_access(keys: Keys, workers: Workers) -> Access:
    """Read what opens doors. Raises PermanentFetchError when the certificates or the .netrc file can't be read."""
    logins = await workers.run(read_logins)

    async def proxy(url: URL) -> URL | None:
        return await workers.run(proxy_for, url)

    return Access(Credentials(keys.token, keys.headers, logins), await workers.run(open_tls, keys.certificates), proxy)


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme.lower()
    except ValueError:
        return ""
