"""Metrics for Prometheus: what is counted where it happens, and what is looked up when somebody asks.

A registry for each server, never the library's own; docs/reference/metrics.md tells what each metric means.
prometheus_client is known here and in `gauges`, and both are imported where HTTP is served alone.
"""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, get_args

import anyio.to_thread
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.responses import Response

from pycontextify.hydration.status import AttemptResult, State, Trigger
from pycontextify.server.gauges import Bytes, state_of
from pycontextify.server.searches import ANSWERED, SearchResult

if TYPE_CHECKING:
    from prometheus_client import Metric
    from starlette.requests import Request

    from pycontextify.hydration.status import AttemptRecord, HydrationStatus
    from pycontextify.server.desk import Desk
    from pycontextify.server.document import Situation
    from pycontextify.server.searches import SearchNote

__all__ = ["Metrics", "Scrape"]

_MODES = ("hybrid", "dense", "keyword")
_PHASES = tuple(state for state in get_args(State) if state not in ("disabled", "idle", "failed"))
_SEARCH_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LAG_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_PHASE_SECONDS = (0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)


class Metrics:
    """One per server; used on the event loop."""

    def __init__(self) -> None:
        self._counted = CollectorRegistry()
        ProcessCollector(registry=self._counted)
        self._fetched = self._reused = 0
        self._hydrations = Counter(
            *("pycontextify_hydrations", "Attempts to hydrate that have ended.", ("result", "trigger")),
            registry=self._counted,
        )
        self._phases = Histogram(
            *("pycontextify_hydration_phase_duration_seconds", "Time that attempts spent in a phase.", ("phase",)),
            buckets=_PHASE_SECONDS,
            registry=self._counted,
        )
        self._searches = Counter(
            *("pycontextify_searches", "Searches that have ended.", ("mode", "result")), registry=self._counted
        )
        self._search_seconds = Histogram(
            *(
                "pycontextify_search_duration_seconds",
                "From question to answer, where an index was searched.",
                ("mode",),
            ),
            buckets=_SEARCH_SECONDS,
            registry=self._counted,
        )
        self._lag = Histogram(
            *("pycontextify_event_loop_lag_seconds", "How late the event loop wakes who sleeps."),
            buckets=_LAG_SECONDS,
            registry=self._counted,
        )
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Have every series from the start: an increase that comes with the series itself is not seen as one."""
        for result in get_args(AttemptResult):
            for trigger in get_args(Trigger):
                self._hydrations.labels(result, trigger)
        for phase in _PHASES:
            self._phases.labels(phase)
        for mode in _MODES:
            self._search_seconds.labels(mode)
            for result in get_args(SearchResult):
                self._searches.labels(mode, result)

    def searched(self, note: SearchNote) -> None:
        """A search has ended."""
        self._searches.labels(note.mode, note.result).inc()
        if note.result in ANSWERED:
            self._search_seconds.labels(note.mode).observe(note.seconds)

    def attempted(self, record: AttemptRecord) -> None:
        """An attempt to hydrate has ended."""
        self._hydrations.labels(record.result, record.trigger).inc()
        self._fetched += record.bytes_fetched
        self._reused += record.bytes_reused
        for phase, seconds in record.phases.items():
            self._phases.labels(phase).observe(seconds)

    def lagged(self, seconds: float) -> None:
        """The event loop was so late."""
        self._lag.observe(seconds)

    def scrape(self, situation: Situation, now: datetime) -> Scrape:
        """Return what there is to tell now. To be called before the event loop goes on from finding the situation:

        what the running attempt has moved is added to the sums of those that have ended, which must not be both.
        """
        return Scrape(self._counted, situation, self._moved(situation.hydration), now)

    def route(self, desk: Desk) -> Callable[[Request], Awaitable[Response]]:
        """Return what answers at /metrics."""

        async def answer(request: Request) -> Response:
            scrape = self.scrape(await desk.situation(), desk.now())
            zipped = "gzip" in request.headers.get("accept-encoding", "")
            render = partial(scrape.to_response, request.headers.get("accept", ""), zipped=zipped)
            return await anyio.to_thread.run_sync(render)

        return answer

    def _moved(self, status: HydrationStatus) -> Bytes:
        if not status.active:
            return self._fetched, self._reused
        return self._fetched + status.bytes_fetched, self._reused + status.bytes_reused


@dataclass(frozen=True, slots=True, eq=False)  # a registry files it by its identity
class Scrape(Collector):
    """What is told at one moment."""

    counted: CollectorRegistry
    situation: Situation
    moved: Bytes
    now: datetime

    def collect(self) -> Iterable[Metric]:
        """Give all metrics."""
        yield from state_of(self.situation, self.moved, self.now)
        for metric in self.counted.collect():
            # When each series began is of no use to anybody here, and doubles what there is to read.
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric

    def to_response(self, accept: str, *, zipped: bool) -> Response:
        """Return it in the form that ``accept`` asks for: Prometheus's text, or OpenMetrics.

        Takes a millisecond or two, in which the event loop need not wait.
        """
        registry = CollectorRegistry()
        registry.register(self)
        encode, media_type = choose_encoder(accept)
        body, headers = encode(registry), {"Cache-Control": "no-store", "Vary": "Accept, Accept-Encoding"}
        if zipped:
            body, headers = gzip.compress(body, compresslevel=1), {**headers, "Content-Encoding": "gzip"}
        return Response(body, headers={**headers, "Content-Type": media_type})
