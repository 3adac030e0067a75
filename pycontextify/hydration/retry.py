"""Trying again: the one place where it happens, and the pure rules it follows.

Backoff is exponential with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
"""

from __future__ import annotations

import itertools
import random as _random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar

import anyio

from pycontextify.errors import TransientFetchError
from pycontextify.hydration.transport import Download, Fetched, OnBytes, Received, Transport, ignore_size

__all__ = [
    "DEFAULT_POLICY",
    "OnRetry",
    "RetryNote",
    "RetryPolicy",
    "Retrying",
    "is_transient_status",
    "parse_retry_after",
    "retry",
]

_T = TypeVar("_T")
_TRANSIENT = frozenset({408, 425, 429})
_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and how long after a failure, to try again. Times are in seconds.

    ``attempts`` counts the first one. ``base`` is the bound of the first wait, doubled at every further one up to
    ``cap``; ``retry_after_cap`` bounds what a server may ask for.
    """

    attempts: int = 3
    base: float = 0.5
    cap: float = 30.0
    retry_after_cap: float = 120.0

    def delay(self, attempt: int, retry_after: float | None, random: Callable[[], float]) -> float:
        """Return how long to wait after failed attempt number ``attempt`` (from 1).

        ``random`` gives numbers in [0, 1). What the server asked for is waited out in full, up to the cap, and the
        jitter comes on top, so that those turned away together do not come back together.
        """
        bound = min(self.cap, self.base * 2.0 ** min(attempt - 1, 60))
        asked = 0.0 if retry_after is None else min(max(retry_after, 0.0), self.retry_after_cap)
        return asked + bound * random()


DEFAULT_POLICY = RetryPolicy()


@dataclass(frozen=True, slots=True)
class RetryNote:
    """The facts of a failure that is about to be tried again: after ``delay`` seconds, as attempt ``attempt + 1``."""

    attempt: int
    attempts: int
    delay: float
    error: TransientFetchError


OnRetry = Callable[[RetryNote], None]
"""Told of every failure that is about to be tried again."""


async def retry(
    policy: RetryPolicy,
    operation: Callable[[], Awaitable[_T]],
    *,
    sleep: Callable[[float], Awaitable[None]],
    random: Callable[[], float],
    on_retry: OnRetry,
) -> _T:
    """Return what ``operation`` returns, trying again on TransientFetchError and on nothing else.

    Raises the last TransientFetchError when the attempts are spent, any other error at once.
    """
    for attempt in itertools.count(1):
        try:
            return await operation()
        except TransientFetchError as error:
            if attempt >= policy.attempts:
                raise
            delay = policy.delay(attempt, error.retry_after, random)
            on_retry(RetryNote(attempt, policy.attempts, delay, error))
        await sleep(delay)
    raise AssertionError("unreachable: the count has no end")


class Retrying:
    """A transport that tries again what its inner transport found transient."""

    def __init__(
        self,
        inner: Transport,
        policy: RetryPolicy,
        *,
        on_retry: OnRetry,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        random: Callable[[], float] = _random.random,
    ) -> None:
        self._inner = inner
        self._policy = policy
        self._on_retry = on_retry
        self._sleep = sleep
        self._random = random

    async def read(self, url: str, *, limit: int) -> Fetched:
        """Return a document of at most ``limit`` bytes; see `Transport`."""
        return await self._retry(lambda: self._inner.read(url, limit=limit))

    async def download(
        self, request: Download, destination: Path, on_bytes: OnBytes, on_size: OnBytes = ignore_size
    ) -> Received:
        """Write an asset to ``destination``; see `Transport`."""
        return await self._retry(lambda: self._inner.download(request, destination, on_bytes, on_size))

    async def _retry(self, operation: Callable[[], Awaitable[_T]]) -> _T:
        return await retry(self._policy, operation, sleep=self._sleep, random=self._random, on_retry=self._on_retry)


def is_transient_status(status: int) -> bool:
    """Tell whether the same request may get another answer than this HTTP status later.

    408 Request Timeout, 425 Too Early, 429 Too Many Requests and the server's own failures (5xx) may; everything else
    is final.
    """
    return status in _TRANSIENT or 500 <= status <= 599


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Read a Retry-After header (RFC 9110, 10.2.3), a number of seconds or an HTTP date, as seconds from ``now``.

    ``now`` is in seconds since the epoch. Returns None when there is no such header or it can't be read.
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError):
        return None
    return max(0.0, _as_utc(moment).timestamp() - now)


def _as_utc(moment: datetime) -> datetime:
    """Take a date without a zone as UTC, the only zone that HTTP dates have."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
