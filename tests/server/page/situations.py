"""Documents, and what the page makes of them."""

from __future__ import annotations

from datetime import timedelta

from pycontextify.hydration.status import AssetProgress, AttemptRecord, AttemptResult, Failure, HydrationStatus
from pycontextify.index.model import Overview
from pycontextify.library.generations import Generation
from pycontextify.server.document import Facts, Situation, status_document
from pycontextify.server.page.found import not_asked
from pycontextify.server.page.model import Frame, Seen, clients, seen
from pycontextify.server.page.paper import Paper
from tests.fakes.bench import NOW
from tests.fakes.engine import make_view

__all__ = ["FACTS", "FETCHING", "FRAME", "HOSTILE", "OVERVIEW", "attempt", "failed", "generation", "page_of", "see"]

HOSTILE = "</pre></title><script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;{{ 7*7 }}\u202e\x00\ud800"
"""What a name or a text may hold, and must never become."""

VIEW = make_view(version=7)
FACTS = Facts(VIEW.generation, VIEW.config, VIEW.chunks, VIEW.documents)
OVERVIEW = Overview(2, 2, 1, {"fake": 2}, {"python": 1, "markdown": 3}, {})
FRAME = Frame("127.0.0.1:8765", NOW.isoformat(), clients("127.0.0.1:8765", "https://host/index", token=False))

FETCHING = HydrationStatus(
    state="fetching",
    trigger="startup",
    source="https://host/index",
    attempt=1,
    bytes_total=40_000_000,
    bytes_done=10_000_000,
    rate_bytes_per_second=2_000_000,
    eta_seconds=15.0,
    assets=(
        AssetProgress("segment 1 vectors", None, 30_000_000, 5_000_000, "fetching"),
        AssetProgress("segment 1 chunks", None, 10_000_000, 10_000_000, "verified"),
        AssetProgress("model", None, 22_000_000, 0, "reused"),
        AssetProgress("config", None, None),
    ),
)


def attempt(number: int, result: AttemptResult, **phases: float) -> AttemptRecord:
    """An attempt that ended a minute ago, after as many seconds as its phases took."""
    ended = NOW - timedelta(minutes=1)
    began = ended - timedelta(seconds=sum(phases.values()))
    return AttemptRecord(
        attempt=number,
        trigger="startup",
        result=result,
        started_at=began.isoformat(),
        finished_at=ended.isoformat(),
        bytes_fetched=12_000_000,
        bytes_reused=0,
        phases=phases,
        error_code="http_503" if result == "failed" else None,
    )


def failed(retry_in: float | None = 30.0) -> HydrationStatus:
    """A hydration that has failed while fetching."""
    retry = None if retry_in is None else (NOW + timedelta(seconds=retry_in)).isoformat()
    return HydrationStatus(
        state="failed",
        source="https://host/index",
        attempt=1,
        last_error=Failure("http_503", "https://host/index.json: the server answers 503", NOW.isoformat(), retry),
        history=(attempt(1, "failed", resolving=1.0, fetching=4.0),),
    )


def generation(digest: str = str(VIEW.generation), *, whole: bool = True, version: int | None = 7) -> Generation:
    """A generation in the index directory."""
    return Generation(digest, ("current",), version, NOW.isoformat(), 2, 1_000_000, False, None, False, whole)


def see(
    hydration: HydrationStatus,
    facts: Facts | None = FACTS,
    *generations: Generation,
    allowed: bool = True,
    overview: Overview = OVERVIEW,
) -> Seen:
    """What the page shows."""
    document = status_document(Situation(facts, hydration, disk=1_000_000), NOW)
    return seen(document, overview, generations, NOW, browser_rollback=allowed)


def page_of(shown: Seen) -> str:
    """The page as HTML."""
    return Paper().page(shown, not_asked(), FRAME)
