"""The attempts that have ended, as a chart and as a table. Pure; from the status document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pycontextify.server.page.moments import Moment, moment, seconds_between
from pycontextify.server.page.work import seconds_said
from pycontextify.server.words import count, size

__all__ = ["Attempt", "Past", "past"]

_WIDTH, _HEIGHT, _MOST = 360, 64, 10
_GAP, _LEAST = 14, 3


@dataclass(frozen=True, slots=True)
class Attempt:
    """A row of the table; and its bar, in the chart's units, from the top left corner."""

    number: int
    trigger: str
    result: str
    code: str
    finished: Moment | None
    took: str
    fetched: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Past:
    """The attempts, the oldest first, how long the longest took, and what they come to in a sentence."""

    attempts: tuple[Attempt, ...]
    width: int
    height: int
    longest: str
    described: str


def past(history: Sequence[Mapping[str, Any]], now: datetime) -> Past:
    """Return what the page shows of a hydration's ``history``, which has the newest first."""
    records = history[:_MOST][::-1]
    seconds = [seconds_between(record["started_at"], record["finished_at"]) for record in records]
    longest = max(seconds, default=0.0)
    rows = zip(records, seconds, strict=True)
    return Past(
        attempts=tuple(_attempt(place, record, took, longest, now) for place, (record, took) in enumerate(rows)),
        width=_WIDTH,
        height=_HEIGHT,
        longest=seconds_said(longest),
        described=_described(records, longest),
    )


def _attempt(place: int, record: Mapping[str, Any], took: float, longest: float, now: datetime) -> Attempt:
    slot = _WIDTH // _MOST
    height = max(_LEAST, round((_HEIGHT - 2) * took / longest)) if longest else _LEAST
    return Attempt(
        number=record["attempt"],
        trigger=record["trigger"],
        result=record["result"],
        code=record["error_code"] or "",
        finished=moment(record["finished_at"], now),
        took=seconds_said(took),
        fetched=size(record["bytes_fetched"]),
        x=place * slot + _GAP // 2,
        y=_HEIGHT - 1 - height,
        width=slot - _GAP,
        height=height,
    )


def _described(records: Sequence[Mapping[str, Any]], longest: float) -> str:
    results = [record["result"] for record in records]
    told = ", ".join(f"{results.count(each)} {each}" for each in dict.fromkeys(results))
    return f"{count(len(records), 'attempt')}, the oldest first: {told}. The longest took {seconds_said(longest)}."
