"""Which of several mirrors to ask first. Remembered for as long as the process lives.

A mirror that failed is not struck off: it is asked last for a while, longer at each further failure, and first again,
where it was listed first, once that while is over. One that asked to be left alone is, as long as there is another.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pycontextify.errors import FetchError, PermanentFetchError, SnapshotRejected, TransientFetchError
from pycontextify.hydration.transfer.address import host_of
from pycontextify.hydration.transfer.transport import is_absent

__all__ = ["Mirrors"]

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)
_FIRST_REST_SECONDS = 15.0
_LONGEST_REST_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class _Rest:
    """How often in a row a mirror has failed; until when it is asked last, and left alone (monotonic seconds)."""

    failures: int
    until: float
    alone: float


class Mirrors:
    """The health of mirrors, by scheme, host and port. ``monotonic`` tells seconds that only grow."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._resting: dict[tuple[str, str], _Rest] = {}

    def order(self, urls: Sequence[str]) -> list[str]:
        """Return the addresses to ask, in order: as listed, then those that rest, whose rest ends first.

        Those that want to be left alone are left out, unless all of them do.
        """
        now = self._monotonic()
        rests = {url: rest for url in urls if (rest := self._resting.get(host_of(url))) is not None}
        asked = [url for url in urls if url not in rests or rests[url].alone <= now] or list(urls)
        return sorted(asked, key=lambda url: max(rests[url].until, now) if url in rests else now)

    def failed(self, url: str, retry_after: float | None = None) -> None:
        """Note that a mirror did not give what it should; ``retry_after`` is how long it wants to be left alone."""
        host, now = host_of(url), self._monotonic()
        failures = self._resting[host].failures + 1 if host in self._resting else 1
        rest = min(_LONGEST_REST_SECONDS, _FIRST_REST_SECONDS * 2.0 ** min(failures - 1, 30))
        alone = now + (retry_after or 0.0)
        self._resting[host] = _Rest(failures, max(now + rest, alone), alone)

    def worked(self, url: str) -> None:
        """Note that a mirror did what it should."""
        self._resting.pop(host_of(url), None)

    async def first(self, urls: Sequence[str], ask: Callable[[str], Awaitable[_T]]) -> _T:
        """Return what the first mirror gives that gives anything.

        Raises when none does: TransientFetchError if one of them may later, else what says most about why not.
        """
        errors: list[FetchError | SnapshotRejected] = []
        for url in self.order(urls):
            try:
                result = await ask(url)
            except (FetchError, SnapshotRejected) as error:
                if not _is_answer(error):
                    self.failed(url, getattr(error, "retry_after", None))
                if len(urls) > 1:
                    _LOG.info("a mirror failed (code: %s): %s", error.code, error)
                errors.append(error)
            else:
                self.worked(url)
                return result
        raise _verdict(errors)


def _is_answer(error: FetchError | SnapshotRejected) -> bool:
    """Tell whether an error says something about what was asked for, and nothing about the host: most 4xx do."""
    return isinstance(error, PermanentFetchError) and (is_absent(error) or error.code.startswith("http_4"))


def _verdict(errors: Sequence[FetchError | SnapshotRejected]) -> FetchError | SnapshotRejected:
    """Choose the error that tells what to do next; of several waits, the shortest."""
    passing = [error for error in errors if isinstance(error, TransientFetchError)]
    if passing:
        return min(passing, key=lambda error: error.retry_after or 0.0)
    telling = [error for error in errors if not (isinstance(error, FetchError) and is_absent(error))]
    return (telling or errors)[-1]
