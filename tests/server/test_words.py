"""Quantities and progress in words."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.hydration.status import HydrationStatus
from pycontextify.ingest.report import IndexProgress
from pycontextify.server.words import advance, count, duration, hydrating, indexing, megabytes, size


def test_hydrating_tells_bytes_rate_and_time_left() -> None:
    """While it fetches, the words say how far it is, how fast, and how long it takes."""
    status = HydrationStatus(
        state="fetching",
        bytes_total=40_100_000,
        bytes_done=12_300_000,
        rate_bytes_per_second=4_200_000,
        eta_seconds=5.4,
    )
    assert hydrating(status) == "fetching 12.3 of 40.1 MB (31%), 4.2 MB/s, 6 s left"


def test_hydrating_leaves_out_what_is_not_known() -> None:
    """Without a rate there is no time left; without a total there are no bytes."""
    assert hydrating(HydrationStatus(state="fetching", bytes_total=2_000_000)) == "fetching 0.0 of 2.0 MB (0%)"
    assert hydrating(HydrationStatus(state="fetching")) == "fetching"


@pytest.mark.parametrize("state", ["resolving", "verifying", "extracting", "validating", "activating", "waiting"])
def test_hydrating_has_words_for_every_phase(state: str) -> None:
    """Every phase of an attempt is told in more than its name."""
    assert len(hydrating(HydrationStatus(state=state)).split()) > 1  # type: ignore[arg-type]  # from the list above


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 s"), (5.2, "6 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (86400 * 5, "5 days")],
)
def test_duration_uses_one_unit(seconds: float, words: str) -> None:
    """A length of time is one number that can be compared."""
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0 B"), (812, "812 B"), (99_000, "99.0 kB"), (100_000, "100.0 kB"), (2.5e7, "25.0 MB"), (3.2e9, "3.2 GB")],
)
def test_sizes_come_in_a_unit_that_suits_them(amount: float, text: str) -> None:
    """Small ones are not rounded to nothing."""
    assert size(amount) == text


def test_counts_agree_with_their_noun() -> None:
    """One chunk, two chunks."""
    assert [count(each, "chunk") for each in (1, 2, 0, 39_043)] == ["1 chunk", "2 chunks", "0 chunks", "39,043 chunks"]
    assert megabytes(40_149_999) == "40.1"


@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=300))
def test_progress_strictly_increases_and_stays_below_the_end(percents: list[float | None]) -> None:
    """Whatever the work reports, even going back, what is sent increases and leaves room for the end."""
    sent = [0.0]
    for percent in percents:
        sent.append(advance(sent[-1], percent))
    assert all(before < after for before, after in pairwise(sent))
    assert sent[-1] < 100


def test_indexing_never_goes_back_between_its_stages() -> None:
    """Scanning, embedding and writing follow each other on one scale."""
    stages = [
        IndexProgress("scanning", 10, 0),
        IndexProgress("scanning", 10, 10),
        IndexProgress("embedding", 0, 5),
        IndexProgress("embedding", 5, 5),
        IndexProgress("writing", 0, 0),
    ]
    percents = [indexing(stage)[0] for stage in stages]
    assert percents == sorted(percents)
    assert indexing(stages[3])[1] == "embedding passages, 5 of 5"
