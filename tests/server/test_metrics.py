"""What /metrics tells, over a real socket, read with the library's own parser."""

from __future__ import annotations

import threading
from dataclasses import replace

import anyio
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from pycontextify.errors import NotReadyError, TransientFetchError, ValidateError
from pycontextify.index.model import Query
from tests.fakes.bench import Bench
from tests.fakes.engine import FakeEngine, make_view
from tests.server.test_routes import TOKEN, get, listening

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scrape(url: str) -> Values:
    """Ask, and return every sample by its name and labels."""
    text = (await get(f"{url}/metrics")).text
    families = text_string_to_metric_families(text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(values: Values, name: str, **labels: str) -> float | None:
    """Return one sample, or None."""
    return values.get((f"pycontextify_{name}", frozenset(labels.items())))


async def test_the_state_is_told() -> None:
    """What is served, how the server is and what hydration does; one series of what has no bounds."""
    view = make_view()
    view.config = replace(view.config, expires="2026-12-01T00:00:00Z")
    async with listening(FakeEngine(current=view, needed=False)) as (parts, url):
        await parts.at_rest()
        found = await scrape(url)
    assert value(found, "index_info", generation=view.generation, encoder="fake-encoder") == 1
    assert (value(found, "index_chunks"), value(found, "ready")) == (2, 1)
    assert value(found, "index_created_timestamp_seconds") == 1_795_341_600
    assert value(found, "index_expires_timestamp_seconds") == 1_796_083_200
    assert value(found, "health_status", status="ok") == 1
    assert value(found, "hydration_state", state="idle") == 1
    assert not [name for name, _ in found if name.endswith("_created")]


async def test_without_an_index_there_is_no_series_of_one() -> None:
    """Zero chunks, and no time at which nothing was built."""
    async with listening(FakeEngine(source=None), index_required=True) as (parts, url):
        await parts.at_rest()
        found = await scrape(url)
    assert (value(found, "index_chunks"), value(found, "ready")) == (0, 0)
    assert not {name for name, _ in found} & {"pycontextify_index_info", "pycontextify_index_created_timestamp_seconds"}


async def test_bytes_are_counted_while_they_come_and_once() -> None:
    """A running attempt counts already; when it has ended it is not counted again."""
    async with listening(FakeEngine()) as (parts, url):
        hydrator = await parts.fetching()
        hydrator.receive(400_000)
        during = await scrape(url)
        hydrator.install(make_view())
        await parts.at_rest()
        after = await scrape(url)
    assert value(during, "hydration_downloaded_bytes_total") == 400_000
    assert (value(during, "hydration_wanted_bytes"), value(during, "hydration_done_bytes")) == (1_000_000, 400_000)
    assert value(after, "hydration_downloaded_bytes_total") == 400_000
    assert value(after, "hydrations_total", result="installed", trigger="startup") == 1
    assert value(after, "hydration_phase_duration_seconds_count", phase="fetching") == 1


async def test_every_attempt_is_counted_once_however_many_end_between_two_scrapes() -> None:
    """The history keeps ten; fifteen are counted."""
    async with listening(FakeEngine(current=make_view(), needed=False)) as (parts, url):
        await parts.at_rest()
        for _ in range(15):
            await hydrate(parts)
        found = await scrape(url)
        assert len(parts.fill.status.history) == 10
    assert value(found, "hydrations_total", result="installed", trigger="manual") == 15


async def hydrate(parts: Bench) -> None:
    """Let one attempt be asked for, run and end."""
    hydration = await parts.fill.hydration()
    await hydration.rehydrate(wait=False)
    (await parts.fetching()).install(make_view())
    await parts.at_rest()
    await anyio.sleep(0.001)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValidateError("rows differ", code="rows_differ", asset="x"), "rejected"),
        (TransientFetchError("timed out", code="timeout", asset="x"), "failed"),
    ],
)
async def test_a_failure_is_told_until_an_attempt_succeeds(error: ValidateError, kind: str) -> None:
    """With its code, and whether what came must not be used."""
    async with listening(FakeEngine()) as (parts, url):
        (await parts.fetching()).fail(error)
        await parts.at_rest()
        failed = await scrape(url)
        await hydrate(parts)
        mended = await scrape(url)
    assert value(failed, "hydration_last_error_info", code=error.code, kind=kind) == 1
    assert value(failed, "hydrations_total", result="failed", trigger="startup") == 1
    assert not [name for name, _ in mended if name == "pycontextify_hydration_last_error_info"]


async def test_searches_are_counted_by_how_they_ended() -> None:
    """Found, nothing found, by words alone; only these took time to search."""
    view = make_view()
    async with listening(FakeEngine(current=view, needed=False)) as (parts, url):
        await parts.at_rest()
        for words in ("queue", "nonsense"):
            await parts.desk.search(Query(words, 10, "hybrid"))
        view.degraded = "no encoder"
        await parts.desk.search(Query("queue", 10, "keyword"))
        found = await scrape(url)
    assert value(found, "searches_total", mode="hybrid", result="ok") == 1
    assert value(found, "searches_total", mode="hybrid", result="empty") == 1
    assert value(found, "searches_total", mode="keyword", result="degraded") == 1
    assert value(found, "search_duration_seconds_count", mode="hybrid") == 2


async def test_searches_without_an_index_are_counted_apart() -> None:
    """Not yet, or not at all: neither is a search that found nothing."""
    for engine, result in ((FakeEngine(), "warming"), (FakeEngine(source=None), "no_index")):
        async with listening(engine) as (parts, url):
            await (parts.fetching() if engine.source else parts.at_rest())
            await parts.desk.search(Query("queue", 10, "dense"))
            found = await scrape(url)
        assert value(found, "searches_total", mode="dense", result=result) == 1
        assert value(found, "search_duration_seconds_count", mode="dense") == 0


async def test_what_is_turned_away_or_given_up_is_counted() -> None:
    """72 may be inside; the next one is told busy, and those who leave are no errors."""
    view = make_view()
    view.gate = threading.Event()
    async with listening(FakeEngine(current=view, needed=False)) as (parts, url):
        await parts.at_rest()
        async with anyio.create_task_group() as tasks:
            for _ in range(72):
                tasks.start_soon(parts.desk.search, Query("queue", 10, "hybrid"))
            await anyio.sleep(0.05)
            with pytest.raises(NotReadyError):
                await parts.desk.search(Query("queue", 10, "hybrid"))
            tasks.cancel_scope.cancel()
        view.gate.set()
        found = await scrape(url)
    assert value(found, "searches_total", mode="hybrid", result="busy") == 1
    assert value(found, "searches_total", mode="hybrid", result="cancelled") == 72


async def test_the_form_is_negotiated() -> None:
    """Text for whoever asks for nothing, OpenMetrics for whoever wants it, zipped where that is taken."""
    async with listening(FakeEngine(), token=TOKEN) as (_, url):
        key = {"Authorization": f"Bearer {TOKEN}"}
        shut = await get(f"{url}/metrics")
        plain = await get(f"{url}/metrics", **key, **{"Accept-Encoding": "identity"})
        newer = await get(f"{url}/metrics", **key, Accept="application/openmetrics-text; version=1.0.0")
    assert shut.status_code == 401
    assert plain.headers["content-type"].startswith("text/plain; version=")
    assert "content-encoding" not in plain.headers
    assert newer.headers["content-type"].startswith("application/openmetrics-text")
    assert newer.headers["content-encoding"] == "gzip"
    assert newer.headers["cache-control"] == "no-store"
    families = read_openmetrics(newer.text)  # type: ignore[no-untyped-call]  # the library's
    assert "pycontextify_build" in {family.name for family in families}


async def test_two_servers_count_for_themselves() -> None:
    """Each has a registry of its own."""
    async with listening(FakeEngine(source=None)) as (first, _), listening(FakeEngine(source=None)) as (_, other):
        first.metrics.lagged(0.1)
        assert value(await scrape(other), "event_loop_lag_seconds_count") == 0
