"""The board on which the attempt and the service tell what they do: it replaces the status, whole, at each step."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pycontextify.hydration.status import (
    AssetProgress,
    AttemptRecord,
    AttemptResult,
    Failure,
    HydrationStatus,
    OnEnd,
    State,
    Trigger,
    unheard,
)
from pycontextify.hydration.transfer.retry import RetryNote

__all__ = ["StatusBoard"]

_LOG = logging.getLogger(__name__)
_HISTORY = 10
_RATE_MEMORY_SECONDS = 3.0
_SILENCE_SECONDS = 2.0


@dataclass(slots=True)
class _Pace:
    """The running attempt's clocks: when each phase began, and a smoothed rate."""

    began: float
    phase_began: float
    phases: dict[str, float] = field(default_factory=dict)
    rate: float = 0.0
    rated_at: float = 0.0
    rated_bytes: int = 0


class StatusBoard:
    """Where the attempt and the service tell what they do. Used on the event loop only; reading is safe anywhere.

    ``now`` gives the wall clock in UTC, ``monotonic`` seconds that only grow. ``on_end`` is told of every attempt that
    has ended, when the status says so too: the history forgets.
    """

    def __init__(
        self,
        source: str | None,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        on_end: OnEnd = unheard,
    ) -> None:
        self._on_end = on_end
        self._now = now
        self._monotonic = monotonic
        self._pace = _Pace(0.0, 0.0)
        self._status = HydrationStatus(state="disabled" if source is None else "idle", source=source)

    @property
    def status(self) -> HydrationStatus:
        """The latest status; while nothing arrives, its rate goes down and its ETA up."""
        status, silent = self._status, self._monotonic() - self._pace.rated_at
        if status.state != "fetching" or silent < _SILENCE_SECONDS or not status.rate_bytes_per_second:
            return status
        return self._rated(status, self._pace.rate * _kept(silent))

    def begin(self, trigger: Trigger) -> None:
        """An attempt starts."""
        began = self._monotonic()
        self._pace = _Pace(began, began, rated_at=began)
        self._status = replace(
            HydrationStatus(state="resolving", trigger=trigger, source=self._status.source),
            attempt=self._status.attempt + 1,
            started_at=_stamp(self._now()),
            last_error=self._status.last_error,
            notice=self._status.notice,
            history=self._status.history,
        )

    def enter(self, state: State) -> float:
        """The attempt enters a phase; return the seconds that the one before took."""
        now, pace = self._monotonic(), self._pace
        spent = now - pace.phase_began
        pace.phases[self._status.state] = pace.phases.get(self._status.state, 0.0) + spent
        pace.phase_began = now
        if state == "fetching":
            pace.rated_at, pace.rated_bytes = now, self._status.bytes_fetched
        self._status = replace(self._status, state=state, eta_seconds=None, waiting_for=None)
        return spent

    def waiting_for(self, facts: Mapping[str, Any]) -> None:
        """Another process is at work, and tells this of itself."""
        known = {name: facts[name] for name in self._status.progress if isinstance(facts.get(name), str | int)}
        self._status = replace(self._status, waiting_for=known or None)

    def plan(self, assets: tuple[AssetProgress, ...]) -> None:
        """What the attempt will fetch and what it has already."""
        self._status = replace(
            self._status,
            assets=assets,
            bytes_total=sum(asset.size or 0 for asset in assets if asset.state != "reused"),
            bytes_reused=sum(asset.size or 0 for asset in assets if asset.state == "reused"),
        )

    def landed(self, name: str, done: int, fetched: int) -> None:
        """``done`` bytes of an asset are there, ``fetched`` more of which have just come over the wire."""
        self._update(name, lambda asset: replace(asset, state="fetching", done=done), fetched)

    def sized(self, name: str, size: int) -> None:
        """The size of an asset has become known."""
        self._update(name, lambda asset: replace(asset, size=size))

    def asking(self, mirror: str) -> None:
        """A mirror, redacted, is being asked."""
        if self._status.mirror != mirror:
            self._status = replace(self._status, mirror=mirror)

    def retrying(self, note: RetryNote) -> None:
        """A request failed in a way that may pass and is about to be sent again."""
        _LOG.info("attempt %d of %d failed, next in %.1f s: %s", note.attempt, note.attempts, note.delay, note.error)

    def verified(self, name: str, size: int) -> None:
        """An asset is there whole and matches its digest."""
        self._update(name, lambda asset: replace(asset, state="verified", done=size, size=size))

    def rest(self) -> None:
        """No further attempt is due by itself."""
        self._status = replace(self._status, state="idle", next_check_at=None)

    def note(self, notice: str) -> None:
        """Something has been done that people should know."""
        self._status = replace(self._status, notice=notice)

    def finish(self, result: Literal["installed", "unchanged", "cancelled"]) -> None:
        """The attempt ended well, or was told to stop."""
        self.enter("idle")
        self._close(result, None if result != "cancelled" else self._status.last_error)

    def fail(self, code: str, message: str, retry_in: float | None, *, rejected: bool = False) -> None:
        """The attempt failed; the next one comes in ``retry_in`` seconds, or not by itself. See `Failure`."""
        self.enter("failed")
        now = self._now()
        retry_at = None if retry_in is None else _stamp(now + timedelta(seconds=retry_in))
        self._close("failed", Failure(code, message, _stamp(now), retry_at, rejected))
        self._status = replace(self._status, next_check_at=retry_at)

    def schedule(self, seconds: float | None) -> None:
        """The next look at the source comes in so many seconds, or not by itself."""
        at = None if seconds is None else _stamp(self._now() + timedelta(seconds=seconds))
        self._status = replace(self._status, next_check_at=at)

    def _update(self, name: str, change: Callable[[AssetProgress], AssetProgress], fetched: int = 0) -> None:
        status = self._status
        assets = tuple(change(asset) if asset.name == name else asset for asset in status.assets)
        wanted = [asset for asset in assets if asset.state != "reused"]
        changed = replace(
            status,
            assets=assets,
            bytes_total=max(status.bytes_total, sum(max(asset.size or 0, asset.done) for asset in wanted)),
            bytes_done=max(status.bytes_done, sum(asset.done for asset in wanted)),
            bytes_fetched=status.bytes_fetched + fetched,
        )
        self._status = self._rated(changed, self._smoothed(changed.bytes_fetched))

    def _rated(self, status: HydrationStatus, rate: float) -> HydrationStatus:
        left = status.bytes_total - status.bytes_done
        eta = round(left / rate, 1) if rate > 0 else None
        return replace(status, rate_bytes_per_second=round(rate), eta_seconds=eta)

    def _smoothed(self, fetched: int) -> float:
        """An exponentially weighted rate that forgets with a time constant of three seconds."""
        pace, now = self._pace, self._monotonic()
        elapsed = now - pace.rated_at
        if elapsed < 0.1:
            return pace.rate
        latest, kept = (fetched - pace.rated_bytes) / elapsed, _kept(elapsed)
        pace.rate = latest if pace.rate == 0.0 else kept * pace.rate + (1 - kept) * latest
        pace.rated_at, pace.rated_bytes = now, fetched
        return pace.rate

    def _close(self, result: AttemptResult, error: Failure | None) -> None:
        status, finished = self._status, _stamp(self._now())
        record = AttemptRecord(
            attempt=status.attempt,
            trigger=status.trigger or "manual",
            result=result,
            started_at=status.started_at or finished,
            finished_at=finished,
            bytes_fetched=status.bytes_fetched,
            bytes_reused=status.bytes_reused,
            phases={state: round(seconds, 3) for state, seconds in self._pace.phases.items()},
            error_code=error.code if error is not None and result == "failed" else None,
        )
        self._status = replace(
            status,
            finished_at=finished,
            eta_seconds=None,
            last_error=error,
            history=(record, *status.history)[:_HISTORY],
        )
        self._on_end(record)


def _kept(elapsed: float) -> float:
    """Return how much of a rate still counts after so many seconds."""
    return _RATE_MEMORY_SECONDS / (_RATE_MEMORY_SECONDS + elapsed)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
