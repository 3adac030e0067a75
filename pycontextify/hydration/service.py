"""When to hydrate: at the start, on request, when a refresh is due, and again after a failure.

Attempts never overlap: whoever asks while one is running joins it. One loop runs them all.
"""

from __future__ import annotations

import logging
import random as _random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import anyio

from pycontextify.errors import FetchError, NotReadyError, PyContextifyError, SnapshotRejected
from pycontextify.hydration.attempt import Outcome
from pycontextify.hydration.board import StatusBoard
from pycontextify.hydration.status import HydrationStatus, Trigger

__all__ = ["HydrationService", "Hydrator", "Schedule"]

_LOG = logging.getLogger(__name__)


class Hydrator(Protocol):
    """What can hydrate once; see `Attempt`."""

    async def run(self) -> Outcome:
        """Hydrate, or raise PyContextifyError."""
        ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the source is looked at again by itself, in seconds; every wait is jittered by up to a fifth either way.

    ``refresh`` after a success (None: never), ``first_retry`` after a failure, doubled at each further one up to
    ``longest_retry``. What must not be used (rejected) or can't be had (a 404) won't be better in a moment: that waits
    the longest time at once.
    """

    refresh: float | None = None
    first_retry: float = 30.0
    longest_retry: float = 900.0

    def after_failure(self, failures: int, error: PyContextifyError, random: Callable[[], float]) -> float:
        """Return how long to wait after the ``failures``-th failure in a row (from 1)."""
        passing = isinstance(error, FetchError) and error.code not in ("http_404", "http_410", "ref_missing")
        wait = self.first_retry * 2.0 ** min(failures - 1, 30) if passing else self.longest_retry
        asked = getattr(error, "retry_after", None) or 0.0
        return _jittered(min(wait, self.longest_retry), random) + min(asked, self.longest_retry)

    def after_success(self, random: Callable[[], float]) -> float | None:
        """Return how long to wait after a success; None: until somebody asks."""
        return None if self.refresh is None else _jittered(self.refresh, random)


def _jittered(seconds: float, random: Callable[[], float]) -> float:
    return seconds * (0.8 + 0.4 * random())


@dataclass(slots=True)
class _Flight:
    """One attempt, asked for or running; those who joined it wait for ``landed``."""

    trigger: Trigger
    landed: anyio.Event = field(default_factory=anyio.Event)


class HydrationService:
    """Runs attempts, one at a time, for as long as the server lives. All of it on the event loop.

    ``hydrator`` is None when no source is configured. ``needed`` tells, whenever it matters, whether to hydrate without
    being told to: an index may have come by other ways meanwhile.
    """

    def __init__(
        self,
        hydrator: Hydrator | None,
        board: StatusBoard,
        schedule: Schedule,
        *,
        needed: Callable[[], Awaitable[bool]],
        random: Callable[[], float] = _random.random,
    ) -> None:
        self._hydrator = hydrator
        self._board = board
        self._schedule = schedule
        self._needed = needed
        self._random = random
        self._flight: _Flight | None = None
        self._called = anyio.Event()
        self.deciding = hydrator is not None
        """Whether it is not known yet if there is anything to do: the status says idle, and may mean "not yet"."""

    @property
    def status(self) -> HydrationStatus:
        """What hydration is doing now."""
        return self._board.status

    async def run(self) -> None:
        """Hydrate when it is time to, until cancelled. Returns at once when no source is configured."""
        if self._hydrator is None:
            return
        failures = 0
        wait: float | None = 0.0 if await self._is_needed() else self._schedule.after_success(self._random)
        trigger: Trigger = "startup" if wait == 0.0 else "refresh"
        while True:
            if wait != 0.0:
                self._board.schedule(wait)
                self.deciding = False
            asked = await self._pause(wait)
            if wait != 0.0 and not asked and not await self._is_needed():
                self._board.rest()
                wait = None
                continue
            failures, wait = await self._fly(self._hydrator, _Flight("manual" if asked else trigger), failures)
            trigger = trigger if failures else "refresh"

    async def rehydrate(self, *, wait: bool) -> HydrationStatus:
        """Start an attempt now, or join the one that is running or about to; with ``wait``, return when it has ended.

        Raises NotReadyError when no source is configured.
        """
        if self._hydrator is None:
            raise NotReadyError(
                "no source to hydrate from is configured",
                code="no_source",
                hint="set PYCONTEXTIFY_INDEX_BOOTSTRAP_URL (or _ARCHIVE) and start again",
            )
        flight = self._flight
        if flight is None:
            flight = self._flight = _Flight("manual")
            self._called.set()
        if wait:
            await flight.landed.wait()
        return self.status

    async def _is_needed(self) -> bool:
        try:
            return await self._needed()
        except PyContextifyError as error:  # what can't be looked at can't be relied on
            _LOG.info("whether an index is needed can't be told, so it is: %s", error)
            return True

    async def _pause(self, seconds: float | None) -> bool:
        """Wait until it is time or somebody asks; tell whether somebody asked."""
        with anyio.move_on_after(seconds):
            await self._called.wait()
        return self._called.is_set()

    async def _fly(self, hydrator: Hydrator, due: _Flight, failures: int) -> tuple[int, float | None]:
        """Run one attempt; return how many have failed in a row now, and how long to wait before the next."""
        flight = self._flight = self._flight or due
        self._called = anyio.Event()
        self._board.begin(flight.trigger)
        self.deciding = False
        try:
            outcome = await hydrator.run()
        except PyContextifyError as error:
            wait = self._schedule.after_failure(failures + 1, error, self._random)
            rejected = isinstance(error, SnapshotRejected)
            return failures + 1, await self._failed(error.code, str(error), wait, rejected=rejected)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not take the server, and the old index, down
            _LOG.exception("hydration failed in a way that nobody thought of")
            what = f"an unexpected {type(error).__name__}; see the log"
            return failures + 1, await self._failed("internal_error", what, self._schedule.longest_retry)
        except BaseException:
            self._board.finish("cancelled")
            raise
        else:
            self._board.finish(outcome.result)
            return 0, self._schedule.after_success(self._random)
        finally:
            self._flight = None
            flight.landed.set()

    async def _failed(self, code: str, what: str, wait: float, *, rejected: bool = False) -> float | None:
        """Tell of a failure, and when the next attempt comes; return that wait."""
        if not await self._is_needed():
            self._board.fail(code, what, None, rejected=rejected)
            _LOG.warning("hydration failed [%s] %s; the index stays as it is", code, what)
            return None
        self._board.fail(code, what, wait, rejected=rejected)
        _LOG.warning("hydration failed [%s] %s; trying again in %.0f s", code, what, wait)
        return wait
