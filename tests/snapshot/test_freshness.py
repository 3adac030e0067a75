"""Freshness: TUF's attacks on what is whole and signed, but not what is wanted now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.errors import UntrustedError
from pycontextify.snapshot.config import SnapshotConfig, rfc3339
from pycontextify.snapshot.freshness import Highest, check_fresh, has_expired
from tests.snapshot.strategies import CONFIG, configs, counts, file_names

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
SEEN = Highest(42, "sha256:abc", "2026-11-22T10:00:00Z")


def code_of(config: SnapshotConfig, channel: str = "default", highest: Highest | None = None) -> str:
    """Return the code under which a snapshot is refused."""
    with pytest.raises(UntrustedError) as caught:
        check_fresh(config, channel, highest, NOW)
    assert caught.value.hint
    assert len(str(caught.value)) < 400
    return caught.value.code


def test_a_snapshot_of_another_channel_is_refused() -> None:
    """Signed by the same key, and of another project or branch: TUF's wrong software."""
    check_fresh(replace(CONFIG, channel="beta"), "beta", None, NOW)
    assert code_of(replace(CONFIG, channel="beta")) == "channel_differs"
    assert code_of(CONFIG, "beta") == "channel_differs"
    assert code_of(replace(CONFIG, channel="Default")) == "channel_differs"


@pytest.mark.parametrize("version", [0, 41])
def test_a_version_below_the_highest_is_refused(version: int) -> None:
    """TUF's rollback; the message says when the higher one was seen, and both ways out."""
    with pytest.raises(UntrustedError, match="version 42 was there already \\(2026-11-22T10:00:00Z\\)") as caught:
        check_fresh(replace(CONFIG, version=version), "default", SEEN, NOW)
    assert caught.value.code == "version_lower"
    assert "--supersede" in (caught.value.hint or "")
    assert "--allow-older" in (caught.value.hint or "")


@pytest.mark.parametrize("version", [42, 43, 2**63 - 1])
def test_the_highest_version_itself_is_taken(version: int) -> None:
    """It may be published again with a later end, and whoever lost it may fetch it again."""
    check_fresh(replace(CONFIG, version=version), "default", SEEN, NOW)
    check_fresh(replace(CONFIG, version=0), "default", None, NOW)


@pytest.mark.parametrize(
    ("expires", "expired"),
    [
        (None, False),
        ("2026-11-22T12:00:01Z", False),
        ("2026-11-22T12:00:00Z", True),
        ("2026-11-22T11:59:59Z", True),
        ("2026-11-22T14:00:01+02:00", False),
        ("2026-11-22T14:00:00+02:00", True),
        ("2026-11-22T12:00:00-00:01", False),
        ("0001-01-01T00:00:00+14:00", True),
        ("9999-12-31T23:59:59-14:00", False),
    ],
)
def test_a_snapshot_is_good_until_it_says(expires: str | None, *, expired: bool) -> None:
    """TUF's freeze: whoever only ever gives out what was good once is found out. In any zone, at the end of time."""
    config = replace(CONFIG, expires=expires)
    assert has_expired(config, NOW) is expired
    if expired:
        assert code_of(config) == "snapshot_expired"
    else:
        check_fresh(config, "default", None, NOW)


def test_the_channel_comes_first() -> None:
    """Versions of two channels say nothing of each other; and an old version is old whether it has expired or not."""
    config = replace(CONFIG, channel="beta", version=1, expires="2026-01-01T00:00:00Z")
    assert code_of(config, "default", SEEN) == "channel_differs"
    assert code_of(config, "beta", SEEN) == "version_lower"
    assert code_of(config, "beta", None) == "snapshot_expired"


@given(
    config=configs,
    channel=file_names,
    highest=st.none() | st.builds(Highest, version=counts, generation=st.just("sha256:abc"), at=st.just("then")),
    now=st.datetimes(timezones=st.just(UTC)),
)
def test_what_is_fresh_is_of_the_channel_and_not_lower_and_not_over(
    config: SnapshotConfig, channel: str, highest: Highest | None, now: datetime
) -> None:
    """For any snapshot and any time: all three, or an UntrustedError."""
    expired = has_expired(config, now)
    fresh = config.channel == channel and (highest is None or config.version >= highest.version) and not expired
    try:
        check_fresh(config, channel, highest, now)
    except UntrustedError:
        assert not fresh
    else:
        assert fresh


@given(
    moment=st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31)),  # noqa: DTZ001 - zones follow
    hours=st.integers(-23, 23),
)
def test_a_moment_is_not_over_before_it_is_there(moment: datetime, hours: int) -> None:
    """What `rfc3339` writes of a moment, in whichever zone somebody has it, is over at that second and not before."""
    told = rfc3339(moment.replace(tzinfo=timezone(timedelta(hours=hours))))
    config, end = replace(CONFIG, expires=told), datetime.fromisoformat(told)
    assert has_expired(config, end)
    assert not has_expired(config, end - timedelta(microseconds=1))
