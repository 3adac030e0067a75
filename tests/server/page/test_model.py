"""From the status document to what the page shows."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pycontextify.hydration.status import AttemptRecord, HydrationStatus, State
from pycontextify.index.model import Overview
from pycontextify.server.document import Facts
from pycontextify.server.page.clients import own_server, this_server
from pycontextify.server.page.moments import moment
from tests.fakes.bench import NOW
from tests.server.page.situations import FACTS, FETCHING, attempt, failed, generation, see

DONE = attempt(3, "installed", resolving=0.5, fetching=2.0, verifying=0.05, validating=1.0, activating=0.125)


def progress(hydration: HydrationStatus) -> str:
    """How far each step is, by its first letter."""
    return "".join(step.progress[0] for step in see(hydration).work.steps)


@pytest.mark.parametrize(
    ("state", "steps"),
    [
        *(("disabled", "ttttt"), ("idle", "ttttt"), ("resolving", "ntttt"), ("fetching", "dnttt")),
        *(("verifying", "ddntt"), ("extracting", "ddntt"), ("validating", "dddnt"), ("activating", "ddddn")),
        ("waiting", "ntttt"),
    ],
)
def test_the_steps_follow_the_state(state: State, steps: str) -> None:
    """What comes before is done, what comes after is yet to come; extracting belongs to verifying."""
    assert progress(HydrationStatus(state=state)) == steps


def test_while_it_waits_the_steps_are_those_of_the_other_process() -> None:
    """As far as that tells of itself."""
    told = {"state": "fetching", "bytes_done": 1_000_000, "bytes_total": 4_000_000}
    waiting = HydrationStatus(state="waiting", waiting_for=told)
    assert progress(waiting) == "dnttt"
    assert "1.0 MB of 4.0 MB" in see(waiting).work.waiting


@pytest.mark.parametrize(
    ("record", "state", "steps"),
    [
        (DONE, "idle", "ddddd"),
        (attempt(2, "unchanged", resolving=0.1), "idle", "dssss"),
        (attempt(2, "failed", resolving=0.1, fetching=3.0), "failed", "dfttt"),
        (attempt(2, "failed", resolving=0.1, fetching=3.0, validating=0.1), "failed", "dddft"),
        (attempt(2, "failed"), "failed", "ftttt"),
        (attempt(2, "cancelled", resolving=0.1, fetching=3.0), "idle", "dtttt"),
    ],
)
def test_at_rest_the_steps_tell_how_the_last_attempt_went(record: AttemptRecord, state: State, steps: str) -> None:
    """It failed in the last phase that it reached."""
    assert progress(HydrationStatus(state=state, history=(record,))) == steps


def test_at_rest_each_step_says_how_long_it_took() -> None:
    """To a tenth of a second; while an attempt runs nothing is told of the one before."""
    rested = see(HydrationStatus(state="idle", history=(DONE,))).work
    assert [step.took for step in rested.steps] == ["0.5 s", "2.0 s", "< 0.1 s", "1.0 s", "0.1 s"]
    assert {step.took for step in see(replace(FETCHING, history=(DONE,))).work.steps} == {""}


def test_bytes_rate_and_time_are_those_of_the_document() -> None:
    """Of everything together and of each file; what is here already is full, what has no size yet has no percentage."""
    work = see(FETCHING).work
    assert work.total is not None
    assert (work.total.percent, work.total.amount) == (25.0, "10.0 MB of 40.0 MB · 2.0 MB/s · 15 s left")
    assert [(bar.percent, bar.amount, bar.state) for bar in work.bars] == [
        (16.7, "5.0 MB of 30.0 MB", "fetching"),
        (100.0, "10.0 MB", "verified"),
        (100.0, "22.0 MB", "already here"),
        (None, "0 B", "pending"),
    ]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        *((None, ""), ("https://host/index/blobs/sha256/ab", ""), ("https://other/blobs/sha256/ab", "https://other")),
        ("file:///srv/x", ""),
    ],
)
def test_a_mirror_is_named_where_it_is_not_the_source(asked: str | None, shown: str) -> None:
    """By its host: which of its files was asked for is nobody's concern."""
    work = see(replace(FETCHING, mirror=asked)).work
    assert (work.source, work.mirror) == ("https://host/index", shown)


def test_how_far_it_is_stands_with_the_bars() -> None:
    """The sentence says what is served meanwhile."""
    assert see(FETCHING, None).state.message == "Fetching; no index yet"
    assert see(FETCHING).state.message.startswith("Fetching; serving 2 chunks of 2 documents")


def test_many_files_are_cut_short() -> None:
    """And the rest is counted."""
    work = see(replace(FETCHING, assets=FETCHING.assets * 20)).work
    assert (len(work.bars), work.more) == (40, "and 40 more")


def test_screen_readers_hear_of_steps_not_of_bytes() -> None:
    """A quarter of the way is news; a megabyte is not."""
    spoken = [see(replace(FETCHING, bytes_done=done * 1_000_000)).state.spoken for done in range(41)]
    assert len(set(spoken)) == 5
    assert spoken[15] == "Hydrating: fetching, 25 percent."


def test_an_error_is_told_once_with_what_to_do() -> None:
    """Its code, what happened, when it is tried again; the sentence above says what is served meanwhile."""
    state = see(failed()).state
    assert (state.tone, state.message) == (
        "warn",
        "Serving 2 chunks of 2 documents, generation " + FACTS.generation.short + ".",
    )
    assert state.fault is not None
    assert (state.fault.code, state.fault.message) == ("http_503", "https://host/index.json: the server answers 503")
    assert state.fault.retry is not None
    assert state.fault.retry.away == "in 30 s"


def test_what_is_not_tried_again_says_what_to_do() -> None:
    """There is no time to wait for."""
    fault = see(failed(None), None).state.fault
    assert fault is not None
    assert fault.retry is None
    assert "call the tool rehydrate" in fault.todo


def test_the_next_attempt_does_not_hide_the_last_error() -> None:
    """But there is nothing to wait for any more."""
    fault = see(replace(failed(), state="fetching")).state.fault
    assert fault is not None
    assert (fault.retry, fault.todo) == (None, "The next attempt is under way.")


def test_the_live_generation_with_all_that_is_known() -> None:
    """Languages by how many documents they have."""
    live = see(HydrationStatus()).live
    assert live is not None
    assert (live.version, live.age, live.languages) == ("7", "60 s", (("markdown", "3"), ("python", "1")))
    assert dict(live.facts)["Encoder"] == "fake-encoder"
    assert see(HydrationStatus(), None).live is None


def test_only_what_is_whole_and_not_served_can_be_gone_back_to() -> None:
    """One whose manifest can't be read still has its digest."""
    unread = replace(
        generation("sha256:" + "ef" * 32, whole=False, version=None), created=None, documents=None, size=None
    )
    kept = see(HydrationStatus(), FACTS, generation(), generation("sha256:" + "ab" * 32), unread).kept
    assert [(each.live, each.can_go_back) for each in kept] == [(True, False), (False, True), (False, False)]
    assert (kept[2].name, kept[2].extent, kept[2].notes) == ("generation efefefefefef", "", ("incomplete",))


def test_the_chart_has_the_oldest_first_and_the_longest_tallest() -> None:
    """Every bar can be seen, and the sentence says what they come to."""
    records = (DONE, attempt(2, "failed", resolving=8.0), attempt(1, "unchanged"))
    past = see(HydrationStatus(state="idle", history=records)).past
    assert [each.number for each in past.attempts] == [1, 2, 3]
    heights = [each.height for each in past.attempts]
    assert max(heights) == heights[1]
    assert min(heights) > 0
    assert past.described == "3 attempts, the oldest first: 1 unchanged, 1 failed, 1 installed. The longest took 8.0 s."


def test_many_languages_are_cut_short() -> None:
    """And the rest is counted."""
    many = Overview(languages={f"language {number:02}": number for number in range(20)})
    live = see(HydrationStatus(), FACTS, overview=many).live
    assert live is not None
    assert (live.languages[0], live.more_languages) == (("language 19", "19"), "and 8 more")


@pytest.mark.parametrize(
    ("stamp", "away"),
    [
        *(("2026-11-22T10:00:00Z", "60 s ago"), ("2026-11-22T10:01:00Z", "now"), ("2026-11-22T10:01:12Z", "in 12 s")),
        *(("2026-11-22T12:01:00+02:00", "now"), ("2026-11-22T10:01:00", "now"), ("2026-11-20T10:01:00Z", "2 days ago")),
    ],
)
def test_moments_say_how_far_away_they_are(stamp: str, away: str) -> None:
    """Whatever zone they are written in."""
    found = moment(stamp, NOW)
    assert found is not None
    assert found.away == away


@pytest.mark.parametrize("stamp", [None, "", "soon", 12, "9999-99-99", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_time_is_not_shown(stamp: object) -> None:
    """A snapshot says of itself when it was made, and may say anything."""
    assert moment(stamp, NOW) is None


def test_clients_are_told_the_address_that_the_browser_used() -> None:
    """And where the token goes, where there is one."""
    plain, locked = (this_server("localhost:8765", token=token) for token in (False, True))
    assert all("http://localhost:8765/mcp" in each.text for each in (*plain, *locked))
    assert not any("TOKEN" in each.text for each in plain)
    assert all("TOKEN" in each.text for each in locked)
    written = {each.client: (each.place, each.text) for each in locked}
    place, text = written["Codex"]
    assert (place, text.splitlines()[0]) == ("~/.codex/config.toml", "[mcp_servers.pycontextify]")
    assert 'bearer_token_env_var = "PYCONTEXTIFY_HTTP_TOKEN"' in text
    place, text = written["VS Code"]
    assert place == ".vscode/mcp.json"
    assert json.loads(text)["servers"]["pycontextify"] == {
        "type": "http",
        "url": "http://localhost:8765/mcp",
        "headers": {"Authorization": "Bearer TOKEN"},
    }


@pytest.mark.parametrize(
    ("source", "started"),
    [
        ("https://host/public", "pycontextify --index-bootstrap-url https://host/public"),
        ("https://host/a.tar.zst", "pycontextify --index-bootstrap-archive https://host/a.tar.zst"),
        ("file:///srv/x.ZIP", "pycontextify --index-bootstrap-archive file:///srv/x.ZIP"),
        ("https://host/$(rm -rf ~)", "pycontextify --index-bootstrap-url 'https://host/$(rm -rf ~)'"),
    ],
)
def test_a_server_of_ones_own_is_told_the_source(source: str, started: str) -> None:
    """By the flag for what it is, quoted for a shell."""
    assert own_server(source)[0].text == started


@pytest.mark.parametrize("source", [None, "", "https://host/index.faiss"])
def test_a_source_that_cannot_be_told_is_left_out(source: str | None) -> None:
    """There is none, or it needs a second address."""
    assert own_server(source) == ()


def test_an_index_without_a_language_or_a_time_is_shown_as_well() -> None:
    """Its config says what it likes of when it was made."""
    facts = Facts(FACTS.generation, replace(FACTS.config, created="long ago"), 1, 1)
    live = see(HydrationStatus(), facts, overview=Overview()).live
    assert live is not None
    assert (live.created, live.age, live.languages) == (None, "?", ())
