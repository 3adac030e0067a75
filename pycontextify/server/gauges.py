"""The state of the server as metrics, made anew for each scrape. Pure.

At any time there is one series of what has no bounds: one generation, one encoder, one code of an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from pycontextify._version import __version__
from pycontextify.hydration.status import State
from pycontextify.server.document import HealthStatus, status_document
from pycontextify.snapshot.config import moment_of

if TYPE_CHECKING:
    from pycontextify.hydration.status import HydrationStatus
    from pycontextify.server.document import Facts, Situation

__all__ = ["Bytes", "state_of"]

Bytes = tuple[int, int]
"""How many bytes hydration has downloaded, and how many it had already, since the server started."""


def state_of(situation: Situation, moved: Bytes, now: datetime) -> Iterator[Metric]:
    """Give every metric that is a state, and the counters of bytes, which grow while an attempt runs."""
    yield InfoMetricFamily("pycontextify_build", "What runs.", {"version": __version__})
    yield from _health(situation, now)
    yield from _index(situation.facts)
    yield _gauge("index_disk_bytes", "Bytes that the index directory takes up.", situation.disk)
    yield from _hydration(situation.hydration)
    fetched, reused = moved
    yield CounterMetricFamily(
        "pycontextify_hydration_downloaded_bytes",
        "Bytes of files that came over the wire, fetched twice or not.",
        fetched,
    )
    yield CounterMetricFamily(
        "pycontextify_hydration_reused_bytes", "Bytes of blobs that were there already and not fetched.", reused
    )


def _health(situation: Situation, now: datetime) -> Iterator[Metric]:
    health = status_document(situation, now)["health"]
    yield _gauge("ready", "Whether /readyz says yes.", int(health["ready"]))
    yield _one_of("health_status", "status", "The health: 1 for what it is.", get_args(HealthStatus), health["status"])


def _index(facts: Facts | None) -> Iterator[Metric]:
    yield _gauge("index_chunks", "Chunks that can be found; 0 without an index.", facts.chunks if facts else 0)
    yield _gauge("index_documents", "Documents that they come from.", facts.documents if facts else 0)
    yield _gauge("index_degraded", "Whether words alone are searched.", int(bool(facts and facts.degraded)))
    info = InfoMetricFamily("pycontextify_index", "What is served; no series without an index.")
    if facts is not None:
        info.add_metric([], {"generation": facts.generation, "encoder": facts.config.encoder.id})
    yield info
    if facts is not None:
        yield _gauge("index_version", "Number of the build.", facts.config.version)
        yield _gauge("index_created_timestamp_seconds", "When it was built.", _seconds(facts.config.created))
        expires = facts.config.expires and _seconds(facts.config.expires)
        yield _gauge("index_expires_timestamp_seconds", "When it is too old by its own account.", expires or None)


def _hydration(status: HydrationStatus) -> Iterator[Metric]:
    yield _one_of("hydration_state", "state", "What hydration does: 1 for what it is.", get_args(State), status.state)
    yield _gauge("hydration_wanted_bytes", "Bytes that the latest attempt has to fetch.", status.bytes_total)
    yield _gauge("hydration_done_bytes", "Bytes of those that are there.", status.bytes_done)
    error = InfoMetricFamily("pycontextify_hydration_last_error", "Why the last attempt failed; none when it did not.")
    if status.last_error is not None:
        kind = "rejected" if status.last_error.rejected else "failed"
        error.add_metric([], {"code": status.last_error.code, "kind": kind})
    yield error


def _gauge(name: str, text: str, value: float | None) -> Metric:
    """Return a gauge of one series; of none where there is no value."""
    return GaugeMetricFamily(f"pycontextify_{name}", text, value)


def _one_of(name: str, label: str, text: str, values: tuple[str, ...], true: str) -> Metric:
    family = GaugeMetricFamily(f"pycontextify_{name}", text, labels=[label])
    for value in values:
        family.add_metric([value], int(value == true))
    return family


def _seconds(moment: str) -> float | None:
    """Return a time (RFC 3339) in seconds since the epoch; None when it is none."""
    when = moment_of(moment)
    return None if when is None else when.timestamp()
