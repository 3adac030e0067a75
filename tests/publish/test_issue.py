"""The terms of a publication: what is said takes effect, and what is not said stays."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.errors import ConfigError
from pycontextify.publish.issue import AS_IT_IS, Issue, check_newer, trusted_comment
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.signature import parse_signature, prehash
from tests.fakes.signers import SIGNER, signs, vouched_by
from tests.snapshot.strategies import CONFIG, configs, counts, file_names

small = st.integers(0, 2**60)
issues = st.builds(
    Issue,
    channel=st.none() | file_names,
    expires=st.none() | st.datetimes(timezones=st.just(UTC)),
    supersede=st.none() | small,
)


@given(config=configs, published=st.none() | configs)
def test_without_terms_a_snapshot_stays_as_it_is(config: SnapshotConfig, published: SnapshotConfig | None) -> None:
    """To the byte, whatever was published before."""
    assert AS_IT_IS.of(config, published) == config
    assert Issue(sign=signs()).of(config, published) == config


@given(issue=issues, config=configs, version=small, published=st.none() | st.tuples(configs, small))
def test_what_is_said_takes_effect_and_nothing_else(
    issue: Issue, config: SnapshotConfig, version: int, published: tuple[SnapshotConfig, int] | None
) -> None:
    """Channel, end and version, each alone or together; and what comes out can be written and read again."""
    config = replace(config, version=version)
    before = None if published is None else replace(published[0], version=published[1])
    made = issue.of(config, before)
    assert made.channel == (config.channel if issue.channel is None else issue.channel)
    assert (made.expires == config.expires) if issue.expires is None else made.expires is not None
    assert replace(made, channel=config.channel, expires=config.expires, version=version) == config
    if issue.supersede is None:
        assert made.version == version
    else:
        assert made.version >= issue.supersede
        assert made.version > max(version, before.version if before else 0)
    assert SnapshotConfig.from_bytes(made.to_bytes()) == made


@pytest.mark.parametrize(
    ("version", "published", "supersede", "expected"),
    [(5, None, 100, 100), (5, 7, 100, 100), (5, 200, 100, 201), (200, 7, 100, 201), (200, 200, 201, 201)],
)
def test_what_supersedes_goes_before_both(version: int, published: int | None, supersede: int, expected: int) -> None:
    """The version that it is given, where that is enough: the clock of whoever built the newer one may be ahead."""
    before = None if published is None else replace(CONFIG, version=published)
    assert Issue(supersede=supersede).of(replace(CONFIG, version=version), before).version == expected


def test_the_end_is_written_in_utc() -> None:
    """To the second, as all times in a config are."""
    moment = datetime.fromisoformat("2026-11-22T12:00:00.999999+02:00")
    assert Issue(expires=moment).of(CONFIG).expires == "2026-11-22T10:00:00Z"


@given(config=configs, version=counts, published=st.none() | counts, channel=st.none() | file_names)
def test_only_what_is_older_on_its_channel_is_refused(
    config: SnapshotConfig, version: int, published: int | None, channel: str | None
) -> None:
    """The same version again is no step back, and another channel's versions say nothing."""
    before = None if published is None else replace(config, version=published, channel=channel or config.channel)
    older = before is not None and before.channel == config.channel and version < before.version
    with pytest.raises(ConfigError) if older else nullcontext() as caught:
        check_newer(replace(config, version=version), before, "public/")
    if caught is not None:
        assert (caught.value.code, caught.value.asset) == ("version_lower", "public/")
        assert "--supersede" in (caught.value.hint or "")


def test_the_comment_says_what_is_signed() -> None:
    """To whoever reads it with `minisign -V`."""
    assert trusted_comment(CONFIG, "index.zip") == "file:index.zip\tversion:42\tchannel:default"
    beta = replace(CONFIG, channel="beta", expires="2027-01-01T00:00:00Z")
    assert trusted_comment(beta, "x") == "file:x\tversion:42\tchannel:beta\texpires:2027-01-01T00:00:00Z"


@given(config=configs, name=st.text(st.characters(), min_size=1, max_size=60))
def test_the_comment_is_one_line_whatever_a_file_is_called(config: SnapshotConfig, name: str) -> None:
    """A line break in a name would break the signature file, and half a surrogate pair has no bytes."""
    made = signs()(prehash(b"x"), trusted_comment(config, name))
    assert parse_signature(made, asset="it").trusted_comment.startswith(b"file:")
    assert vouched_by(SIGNER.public, b"x", made)
