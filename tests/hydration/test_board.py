"""The status board: what an attempt tells is what people read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pycontextify.hydration.board import StatusBoard
from pycontextify.hydration.status import AssetProgress

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that goes only when told; the wall clock and the monotonic one go together."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        """The wall clock."""
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """The monotonic one, from another zero."""
        return 1000.0 + self.seconds


def board_and_clock(source: str | None = "https://host/index") -> tuple[StatusBoard, Clock]:
    """Return a fresh board on a clock of its own."""
    clock = Clock()
    return StatusBoard(source, now=clock.now, monotonic=clock.monotonic), clock


def test_without_a_source_hydration_is_disabled() -> None:
    """Nothing configured shows as disabled, not as idle."""
    board, _ = board_and_clock(None)
    assert board.status.state == "disabled"
    assert not board.status.active


def test_an_attempt_tells_its_bytes_rate_and_eta() -> None:
    """Two assets, one reused: totals count what is fetched, the rate and the ETA follow from the clock."""
    board, clock = board_and_clock()
    board.begin("startup")
    board.plan((AssetProgress("vectors", None, 1000), AssetProgress("chunks", None, 500, done=500, state="reused")))
    board.enter("fetching")
    clock.seconds += 1
    board.landed("vectors", 400, 400)
    status = board.status
    assert (status.state, status.trigger, status.attempt) == ("fetching", "startup", 1)
    assert (status.bytes_total, status.bytes_done, status.bytes_reused) == (1000, 400, 500)
    assert status.rate_bytes_per_second == 400
    assert status.eta_seconds == 1.5
    assert status.percent == 40.0
    assert [asset.state for asset in status.assets] == ["fetching", "reused"]


def test_an_unknown_size_grows_the_total() -> None:
    """A source that declares no size: the total is what has come, and is corrected once it is known."""
    board, _ = board_and_clock()
    board.begin("manual")
    board.plan((AssetProgress("archive", None, None),))
    assert board.status.percent is None
    board.landed("archive", 70, 70)
    assert board.status.bytes_total == 70
    board.sized("archive", 200)
    assert board.status.bytes_total == 200
    assert board.status.percent == 35.0
    board.verified("archive", 200)
    assert (board.status.bytes_done, board.status.assets[0].state) == (200, "verified")


def test_what_was_there_is_not_counted_as_fetched() -> None:
    """A resumed asset begins where it was; the rate and the history speak of the wire."""
    board, clock = board_and_clock()
    board.begin("startup")
    board.plan((AssetProgress("vectors", None, 1000),))
    board.enter("fetching")
    board.landed("vectors", 800, 0)
    clock.seconds += 1
    board.landed("vectors", 900, 100)
    status = board.status
    assert (status.bytes_done, status.bytes_fetched, status.rate_bytes_per_second) == (900, 100, 100)
    assert status.eta_seconds == 1.0
    board.finish("installed")
    assert board.status.history[0].bytes_fetched == 100


def test_what_is_fetched_twice_is_counted_twice() -> None:
    """An asset that begins again does not lower what people saw, and the wire carried it all the same."""
    board, _ = board_and_clock()
    board.begin("startup")
    board.plan((AssetProgress("vectors", None, 1000),))
    board.landed("vectors", 600, 600)
    board.landed("vectors", 0, 0)
    board.landed("vectors", 300, 300)
    assert (board.status.bytes_done, board.status.bytes_fetched, board.status.assets[0].done) == (600, 900, 300)


def test_a_silence_lowers_the_rate() -> None:
    """What people read while nothing arrives gets worse, instead of promising what was true a minute ago."""
    board, clock = board_and_clock()
    board.begin("startup")
    board.plan((AssetProgress("vectors", None, 1000),))
    board.enter("fetching")
    clock.seconds += 1
    board.landed("vectors", 400, 400)
    clock.seconds += 1
    assert (board.status.rate_bytes_per_second, board.status.eta_seconds) == (400, 1.5)
    clock.seconds += 26
    assert (board.status.rate_bytes_per_second, board.status.eta_seconds) == (40, 15.0)


def test_the_mirror_that_is_asked_is_told() -> None:
    """It may not be the one that the source is named by."""
    board, _ = board_and_clock()
    board.begin("startup")
    seen = [board.status.mirror]
    board.asking("https://second/index")
    seen.append(board.status.mirror)
    assert seen == [None, "https://second/index"]
    assert board.status.source == "https://host/index"


def test_rest_means_that_nothing_is_due() -> None:
    """A failure that needs no further attempt does not stay on the screen as a state."""
    board, _ = board_and_clock()
    board.begin("startup")
    board.fail("http_404", "gone", 10.0)
    board.rest()
    assert (board.status.state, board.status.next_check_at) == ("idle", None)
    assert board.status.last_error is not None


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 1000)), max_size=30))
def test_bytes_never_shrink_within_an_attempt(steps: list[tuple[str, int]]) -> None:
    """Whatever restarts an asset makes, the totals that people see only grow, and done never passes total."""
    board, clock = board_and_clock()
    board.begin("startup")
    board.plan((AssetProgress("a", None, 1000), AssetProgress("b", None, None)))
    seen = board.status
    for name, done in steps:
        clock.seconds += 0.3
        board.landed(name, done, 10)
        assert board.status.bytes_done >= seen.bytes_done
        assert board.status.bytes_total >= seen.bytes_total
        assert board.status.bytes_done <= board.status.bytes_total
        seen = board.status


def test_a_failure_says_when_the_next_try_comes() -> None:
    """The code, the message and the time of the next attempt are there, and stay until an attempt succeeds."""
    board, clock = board_and_clock()
    board.begin("startup")
    clock.seconds += 2
    board.fail("http_503", "host: busy", 30.0)
    status = board.status
    assert status.state == "failed"
    assert status.last_error is not None
    assert status.last_error.code == "http_503"
    assert status.last_error.retry_at == status.next_check_at == "2026-11-22T12:00:32.000Z"
    board.begin("startup")
    assert board.status.last_error is not None
    board.finish("installed")
    assert board.status.last_error is None
    assert [record.result for record in board.status.history] == ["installed", "failed"]
    assert board.status.history[1].error_code == "http_503"


def test_history_keeps_the_last_ten_with_their_phases() -> None:
    """Old attempts fall out; each that stays says how long each phase took."""
    board, clock = board_and_clock()
    for _ in range(12):
        board.begin("refresh")
        clock.seconds += 1
        board.enter("fetching")
        clock.seconds += 2
        board.finish("unchanged")
    history = board.status.history
    assert len(history) == 10
    assert history[0].attempt == 12
    assert history[0].phases == {"resolving": 1.0, "fetching": 2.0}


def test_a_cancelled_attempt_keeps_the_last_error() -> None:
    """Stopping the server in the middle is no success: what went wrong before stays to be seen."""
    board, _ = board_and_clock()
    board.begin("startup")
    board.fail("http_500", "broken", 30.0)
    board.begin("startup")
    board.finish("cancelled")
    assert board.status.last_error is not None
    assert board.status.history[0].result == "cancelled"


def test_the_document_is_json() -> None:
    """What /status serves is made of JSON types alone."""
    board, _ = board_and_clock()
    board.begin("startup")
    board.plan((AssetProgress("vectors", None, 10),))
    board.fail("digest_mismatch", "no", None)
    document = json.loads(json.dumps(board.status.to_json()))
    assert document["state"] == "failed"
    assert document["assets"][0] == {"name": "vectors", "digest": None, "size": 10, "done": 0, "state": "pending"}
    assert document["last_error"]["retry_at"] is None
