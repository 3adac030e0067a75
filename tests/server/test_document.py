"""The status document and the state of the index: pure functions, one test a situation."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.hydration.status import Failure, HydrationStatus, State
from pycontextify.server.answers import StatusAnswer
from pycontextify.server.document import Facts, Situation, ask_again, standing, status_document
from tests.fakes.bench import NOW
from tests.fakes.engine import make_view

FAILURE = Failure("http_404", "https://host/index.json: not found", "2026-11-22T10:00:30Z")
RETRIED = Failure("timeout", "https://host: timed out", "2026-11-22T10:00:30Z", "2026-11-22T10:02:00Z")


def facts(*, degraded: str | None = None) -> Facts:
    """Facts of a view of two documents, a minute old."""
    view = make_view()
    return Facts(view.generation, view.config, 9, 2, degraded)


def health(situation: Situation) -> tuple[str, str]:
    """The status of the whole and its message."""
    part = status_document(situation, NOW)["health"]
    return part["status"], part["message"]


def test_a_served_index_is_ready() -> None:
    """With a view and nothing amiss, searches are ready, with generation, age and full coverage."""
    situation = Situation(facts(), HydrationStatus(state="idle", source="https://host"))
    state = standing(situation, NOW)
    assert (state.index_state, state.generation, state.coverage) == ("ready", make_view().generation, 1.0)
    assert (state.age_seconds, state.percent, state.eta_seconds) == (60.0, None, None)
    assert health(situation)[0] == "ok"


def test_fetching_the_first_index_is_warming_with_percent_and_eta() -> None:
    """The message says how far it is and when to ask again."""
    status = HydrationStatus(
        state="fetching", bytes_total=1000, bytes_done=310, rate_bytes_per_second=100, eta_seconds=6.9
    )
    state = standing(Situation(None, status), NOW)
    assert (state.index_state, state.percent, state.eta_seconds, state.coverage) == ("warming", 31.0, 6.9, 0.0)
    assert "(31%)" in state.message
    assert state.message.endswith("Ask again in 7 seconds.")
    assert health(Situation(None, status))[0] == "hydrating"


def test_a_server_that_has_just_started_is_warming() -> None:
    """Before the index directory was looked at, nobody can say that it is empty."""
    situation = Situation(None, HydrationStatus(), opening=True)
    assert standing(situation, NOW).index_state == "warming"
    assert health(situation) == ("hydrating", "starting; no index yet")


def test_nothing_configured_is_empty_and_says_how_to_fill_it() -> None:
    """Both ways to get an index are named."""
    situation = Situation(None, HydrationStatus())
    state = standing(situation, NOW)
    assert state.index_state == "empty"
    assert "index_filebase" in state.message
    assert "--index-bootstrap-url" in state.message
    assert health(situation) == ("empty", state.message)


def test_a_source_that_was_not_asked_is_empty_and_says_rehydrate() -> None:
    """After a reset, say."""
    assert "rehydrate" in standing(Situation(None, HydrationStatus(state="idle")), NOW).message


def test_a_failed_first_hydration_with_a_retry_is_warming() -> None:
    """It says why, with the code, and when the next attempt is due."""
    situation = Situation(None, HydrationStatus(state="failed", last_error=RETRIED))
    state = standing(situation, NOW)
    assert state.index_state == "warming"
    assert "(code: timeout)" in state.message
    assert "2026-11-22T10:02:00Z" in state.message
    assert health(situation)[0] == "degraded"


def test_a_failed_first_hydration_without_a_retry_is_empty() -> None:
    """It says why, and what can be done."""
    state = standing(Situation(None, HydrationStatus(state="failed", last_error=FAILURE)), NOW)
    assert state.index_state == "empty"
    assert "(code: http_404)" in state.message
    assert "rehydrate" in state.message


def test_a_failed_refresh_leaves_the_index_ready_and_the_health_degraded() -> None:
    """The old index answers in full; whoever watches the server learns that it is not being renewed."""
    situation = Situation(facts(), HydrationStatus(state="failed", last_error=RETRIED))
    assert standing(situation, NOW).index_state == "ready"
    status, message = health(situation)
    assert status == "degraded"
    assert message.startswith("Serving 9 chunks of 2 documents")


def test_a_view_without_encoder_is_degraded_and_says_why() -> None:
    """Words alone are searched: the state and the message both tell."""
    situation = Situation(facts(degraded="no encoder"), HydrationStatus())
    assert standing(situation, NOW).index_state == "degraded"
    assert health(situation) == ("degraded", "no encoder")


def test_a_look_at_the_source_does_not_make_a_serving_server_hydrating() -> None:
    """Only when there is something to fetch."""
    assert health(Situation(facts(), HydrationStatus(state="resolving")))[0] == "ok"
    assert health(Situation(facts(), HydrationStatus(state="fetching")))[0] == "hydrating"
    assert health(Situation(None, HydrationStatus(state="resolving")))[0] == "hydrating"


def test_a_fault_is_degraded() -> None:
    """What stopped the background work is told, with and without an index."""
    assert health(Situation(facts(), HydrationStatus(), fault="broken")) == ("degraded", "broken")
    assert health(Situation(None, HydrationStatus(), fault="broken")) == ("degraded", "broken")
    assert standing(Situation(None, HydrationStatus(), fault="broken"), NOW).message == "Nothing is indexed. broken"


def test_the_document_has_the_form_of_the_design() -> None:
    """Every member is there, and all of it is JSON."""
    document = json.loads(json.dumps(status_document(Situation(facts(), HydrationStatus()), NOW)))
    assert set(document) == {"health", "index", "hydration"}
    assert set(document["health"]) == {"status", "live", "ready", "message"}
    assert document["index"] == {
        "generation": make_view().generation,
        "version": 1,
        "channel": "default",
        "created": "2026-11-22T10:00:00Z",
        "expires": None,
        "age_seconds": 60.0,
        "chunks": 9,
        "documents": 2,
        "segments": 1,
        "encoder": "fake-encoder",
        "coverage": 1.0,
        "bytes_on_disk": None,
    }
    assert {"state", "trigger", "source", "attempt", "bytes_total", "assets", "history"} <= set(document["hydration"])


def test_the_document_of_an_empty_index_has_the_same_members() -> None:
    """Readers need not ask whether a member is there."""
    full = status_document(Situation(facts(), HydrationStatus()), NOW)["index"]
    empty = status_document(Situation(None, HydrationStatus()), NOW)["index"]
    assert set(full) == set(empty)
    assert (empty["generation"], empty["chunks"], empty["coverage"]) == (None, 0, 0.0)


@given(
    state=st.sampled_from(get_args(State)),
    error=st.sampled_from([None, FAILURE, RETRIED]),
    view=st.sampled_from([None, facts(), facts(degraded="no encoder")]),
    opening=st.booleans(),
    done=st.integers(0, 100),
)
def test_every_situation_has_a_state_a_message_and_a_document(
    *, state: State, error: Failure | None, view: Facts | None, opening: bool, done: int
) -> None:
    """No combination is without a message; results can be missing in silence in none; the document fits its schema."""
    status = HydrationStatus(state=state, last_error=error, bytes_total=100, bytes_done=done)
    situation = Situation(view, status, opening=opening)
    found = standing(situation, NOW)
    assert found.message
    assert (found.index_state in ("ready", "degraded")) == (view is not None)
    assert (found.percent is not None) == (found.index_state == "warming")
    StatusAnswer.model_validate(status_document(situation, NOW))


@pytest.mark.parametrize(("eta", "seconds"), [(None, 2), (0.1, 2), (6.9, 7), (600.0, 30)])
def test_ask_again_is_neither_hasty_nor_lost(eta: float | None, seconds: int) -> None:
    """Between two and thirty seconds."""
    assert ask_again(eta) == seconds
