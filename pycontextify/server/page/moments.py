"""Points in time, for people: how far away they are, and when exactly. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pycontextify.server.words import duration
from pycontextify.snapshot.config import moment_of

__all__ = ["Moment", "moment", "seconds_between"]


@dataclass(frozen=True, slots=True)
class Moment:
    """``iso`` is for machines, ``exact`` in UTC for people; ``away`` is ``3 min ago`` or ``in 12 s``."""

    iso: str
    exact: str
    away: str


def moment(stamp: object, now: datetime) -> Moment | None:
    """Return the moment that an RFC 3339 stamp tells; None where it tells none."""
    when = moment_of(str(stamp))
    if when is None:
        return None
    seconds = (when - now).total_seconds()
    away = f"in {duration(seconds)}" if seconds > 1 else f"{duration(-seconds)} ago" if seconds < -1 else "now"
    return Moment(when.isoformat().replace("+00:00", "Z"), f"{when:%d %b %Y, %H:%M:%S} UTC", away)


def seconds_between(start: object, end: object) -> float:
    """Return the seconds from one stamp to another, never negative; 0 where one of them tells no time."""
    first, last = moment_of(str(start)), moment_of(str(end))
    return 0.0 if first is None or last is None else max(0.0, (last - first).total_seconds())
