"""Trying again: the one place where it happens, and the pure rules it follows.

Backoff is exponential with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from pycontextify.errors import TransientFetchError

__all__ = [
    "DEFAULT_POLICY",
    "TOO_SLOW",
    "OnRetry",
    "RetryNote",
    "RetryPolicy",
    "is_transient_status",
    "parse_retry_after",
    "retry",
]

TOO_SLOW = "too_slow"
"""The code of the error that ends a drip."""

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
    progress: Callable[[], int] = lambda: 0,
) -> _T:
    """Return what ``operation`` returns, trying again on TransientFetchError and on nothing else.

    ``progress`` tells how far it has come over all attempts: a failure after some progress counts as the first again.
    (A drip does not make progress: what was too slow counts on.)

    Raises the last TransientFetchError when the attempts are spent, any other error at once.
    """
    attempt, reached = 0, progress()
    while True:
        try:
            return await operation()
        except TransientFetchError as error:
            advanced = progress() > reached and error.code != TOO_SLOW
            attempt, reached = 1 if advanced else attempt + 1, progress()
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
