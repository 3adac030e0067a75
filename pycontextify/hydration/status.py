"""What hydration is doing, as one frozen value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pycontextify.snapshot.digest import Digest

__all__ = [
    "AssetProgress",
    "AssetState",
    "AttemptRecord",
    "AttemptResult",
    "Failure",
    "HydrationStatus",
    "OnEnd",
    "State",
    "Trigger",
    "unheard",
]

State = Literal[
    "disabled",
    "idle",
    "resolving",
    "fetching",
    "verifying",
    "extracting",
    "validating",
    "activating",
    "waiting",
    "failed",
]
"""``waiting`` is for another writer of the same directory; ``failed`` lasts until the next attempt."""

Trigger = Literal["startup", "manual", "refresh"]
AttemptResult = Literal["installed", "unchanged", "failed", "cancelled"]
AssetState = Literal["pending", "fetching", "verified", "reused"]

_AT_REST: tuple[State, ...] = ("disabled", "idle", "failed")


@dataclass(frozen=True, slots=True)
class AssetProgress:
    """One blob or file of an attempt; ``size`` and ``done`` in bytes, ``size`` None while unknown."""

    name: str
    digest: Digest | None
    size: int | None
    done: int = 0
    state: AssetState = "pending"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the last attempt failed, and when the next one comes (RFC 3339; None: not by itself).

    ``rejected``: the source gave something, and it must not be used.
    """

    code: str
    message: str
    at: str
    retry_at: str | None = None
    rejected: bool = False


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """An attempt that has ended. ``phases`` gives the seconds spent in each state."""

    attempt: int
    trigger: Trigger
    result: AttemptResult
    started_at: str
    finished_at: str
    bytes_fetched: int
    bytes_reused: int
    phases: Mapping[str, float]
    error_code: str | None = None


OnEnd = Callable[[AttemptRecord], None]
"""Told of every attempt that has ended, once; on the event loop, and must not raise."""


def unheard(_record: AttemptRecord) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class HydrationStatus:
    """The ``hydration`` member of the status document. Byte counts never shrink within an attempt.

    ``bytes_done`` of ``bytes_total`` are there, what an interrupted attempt left among them; ``bytes_reused`` are in
    blobs that did not have to be fetched at all. ``bytes_fetched`` of files came over the wire in this attempt, what
    had to be fetched twice included, and the few kB of documents that tell which files there are left out. ``mirror``
    is the address that was asked last. ``waiting_for``, in state ``waiting``, is how far the other process has come, as
    it tells itself: its ``state``, ``bytes_done`` and ``bytes_total``. ``notice`` is something that the last
    installation did and that people should know.
    """

    state: State = "disabled"
    trigger: Trigger | None = None
    source: str | None = None
    mirror: str | None = None
    attempt: int = 0
    started_at: str | None = None
    finished_at: str | None = None
    bytes_total: int = 0
    bytes_done: int = 0
    bytes_reused: int = 0
    bytes_fetched: int = 0
    rate_bytes_per_second: int = 0
    eta_seconds: float | None = None
    assets: tuple[AssetProgress, ...] = ()
    waiting_for: Mapping[str, Any] | None = None
    last_error: Failure | None = None
    next_check_at: str | None = None
    notice: str | None = None
    history: tuple[AttemptRecord, ...] = ()

    @property
    def active(self) -> bool:
        """Whether an attempt is running."""
        return self.state not in _AT_REST

    @property
    def percent(self) -> float | None:
        """How much of what must be fetched is there, 0 to 100; None while the amount is unknown."""
        return round(100 * self.bytes_done / self.bytes_total, 1) if self.bytes_total else None

    @property
    def progress(self) -> dict[str, Any]:
        """What a process that waits for this hydration is told of it."""
        return {"state": self.state, "bytes_done": self.bytes_done, "bytes_total": self.bytes_total}

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)
