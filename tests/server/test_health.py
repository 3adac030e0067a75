"""The probes of orchestrators: when they say no, and what they explain."""

from __future__ import annotations

from dataclasses import replace

from pycontextify.hydration.status import Failure, HydrationStatus
from pycontextify.server.document import Facts, Situation, status_document
from pycontextify.server.health import checks_of_health, told
from tests.fakes.bench import NOW
from tests.fakes.engine import FakeEngine, make_view
from tests.server.test_routes import get, listening

FAILED = HydrationStatus(
    state="failed", last_error=Failure("timeout", "https://host: timed out", "2026-11-22T10:00:30Z")
)


def facts(expires: str | None = None) -> Facts:
    """Facts of a view, which may expire."""
    view = make_view()
    return Facts(view.generation, replace(view.config, expires=expires), 2, 2)


async def test_without_an_index_it_is_ready_unless_one_is_required() -> None:
    """By default we serve; where traffic is to go to servers that have one, no. All documents agree."""
    for required, status in ((False, 200), (True, 503)):
        async with listening(FakeEngine(), index_required=required) as (parts, url):
            await parts.fetching()
            ready, health, whole, live = [
                await get(f"{url}{path}") for path in ("/readyz", "/healthz", "/status", "/livez")
            ]
            words = await get(f"{url}/readyz?verbose")
        assert (ready.status_code, words.status_code, health.status_code, live.status_code) == (
            status,
            status,
            200,
            200,
        )
        assert {ready.json()["ready"], health.json()["ready"], whole.json()["health"]["ready"]} == {not required}
        assert words.headers["content-type"].startswith("text/plain")
        assert ("[-]index failed: No results yet" in words.text) is required
        assert words.text.endswith(f"readyz check {'failed' if required else 'passed'}\n")


async def test_an_index_that_is_required_and_there_makes_ready() -> None:
    """The local one is enough; words as Kubernetes has them."""
    engine = FakeEngine(current=make_view(), needed=False)
    async with listening(engine, index_required=True) as (parts, url):
        await parts.at_rest()
        ready = await get(f"{url}/readyz?verbose")
        live = await get(f"{url}/livez?verbose")
        health = await get(f"{url}/healthz?verbose")
    assert ready.status_code == 200
    assert "[+]index ok: Searching 2 chunks" in ready.text
    assert live.text == "[+]server ok: it answers\nlivez check passed\n"
    assert health.text.endswith("healthz says ok\n")


def test_health_names_what_is_wrong_and_what_to_do() -> None:
    """What failed, what has expired, what stopped the background work: a line each."""
    expired = Situation(facts("2026-11-22T10:00:00Z"), FAILED, fault="The directory can't be written.")
    text = told("healthz", "says degraded", checks_of_health(expired, NOW))
    assert "[+]index ok" in text
    assert "[-]freshness failed: expired at 2026-11-22T10:00:00Z" in text
    assert "[-]hydration failed: The last hydration failed: https://host: timed out (code: timeout)" in text
    assert "[-]background failed: The directory can't be written." in text
    fresh = told("healthz", "says ok", checks_of_health(Situation(facts(), HydrationStatus()), NOW))
    assert "[-]" not in fresh


def test_required_is_a_matter_of_having_one() -> None:
    """Not of what hydration does, or how old it is."""
    ready = [
        status_document(Situation(has, status, index_required=True), NOW)["health"]["ready"]
        for has in (facts(), None)
        for status in (FAILED, HydrationStatus(state="fetching"))
    ]
    assert ready == [True, True, False, False]
