"""On what terms a snapshot is published: its channel, until when it is good, whether it goes before a newer one, and
who vouches for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from pycontextify.errors import ConfigError
from pycontextify.redact import one_line
from pycontextify.snapshot.config import SnapshotConfig, rfc3339

__all__ = ["AS_IT_IS", "Issue", "Sign", "check_newer", "trusted_comment"]

Sign = Callable[[bytes, str], bytes]
"""Makes a signature file of the BLAKE2b-512 of what is signed, and of a trusted comment."""


@dataclass(frozen=True, slots=True)
class Issue:
    """The terms of one publication; what is not said stays as the generation has it.

    ``expires`` is in UTC. ``supersede`` is the version that it gets, or the next above that of whatever was published.
    """

    channel: str | None = None
    expires: datetime | None = None
    supersede: int | None = None
    sign: Sign | None = None

    def of(self, config: SnapshotConfig, published: SnapshotConfig | None = None) -> SnapshotConfig:
        """Return the config of what is published; ``published`` is that of what was, where that is known."""
        if self.channel is not None:
            config = replace(config, channel=self.channel)
        if self.expires is not None:
            config = replace(config, expires=rfc3339(self.expires))
        if self.supersede is not None:
            before = max(config.version, published.version if published else 0)
            config = replace(config, version=max(before + 1, self.supersede))
        return config


AS_IT_IS = Issue()
"""To publish a generation as it is, and unsigned."""


def check_newer(config: SnapshotConfig, published: SnapshotConfig | None, asset: str) -> None:
    """Raise ConfigError for a config that is older than what is published: whoever has that would refuse it."""
    if published is not None and published.channel == config.channel and published.version > config.version:
        raise ConfigError(
            f"version {published.version} of {published.created} is published there, and this is version "
            f"{config.version} of {config.created}: servers that have the newer one refuse an older",
            code="version_lower",
            asset=asset,
            hint="if this one is to be served from now on, publish it with --supersede",
        )


def trusted_comment(config: SnapshotConfig, name: str) -> str:
    """Return what a signature says of what it is for, in one line, to whoever reads it; nothing else relies on it."""
    until = f"\texpires:{config.expires}" if config.expires else ""
    return f"file:{one_line(name)}\tversion:{config.version}\tchannel:{config.channel}{until}"
