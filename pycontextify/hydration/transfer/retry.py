"""Trying again: the one place where it happens, and the pure rules it follows.

Backoff is exponential with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from pycontextify.errors import TransientFetchError

__all__ = [
    "DEFAULT_POLICY",
    "OnRetry",
    "RetryNote",
    "RetryPolicy",
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
    ``cap``; ``retry_after_cap`` bounds what a server may ask for. ``floor``, in bytes a second from one failure to the
    next, waits included, is what counts as progress.
    """

    attempts: int = 3
    base: float = 0.5
    cap: float = 30.0
    retry_after_cap: float = 120.0
    floor: float = 200.0

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
    progress: Callable[[], int] = lambda: 0,
    monotonic: Callable[[], float] = time.monotonic,
) -> _T:
    """Return what ``operation`` returns, trying again on TransientFetchError and on nothing else.

    ``progress`` tells how many bytes it has brought over all attempts: a failure after some progress counts as the
    first again. (A byte now and then is none: whoever sends no more would keep us for ever.)

    Raises the last TransientFetchError when the attempts are spent, any other error at once.
    """
    attempt, reached, since = 0, progress(), monotonic()
    while True:
        try:
            return await operation()
        except TransientFetchError as error:
            now, there = monotonic(), progress()
            advanced = there - reached > policy.floor * (now - since)
            attempt, reached, since = 1 if advanced else attempt + 1, there, now
            if attempt >= policy.attempts:
                raise
            delay = policy.delay(attempt, error.retry_after, random)
            on_retry(RetryNote(attempt, policy.attempts, delay, error))
        await sleep(delay)


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
