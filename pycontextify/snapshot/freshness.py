"""Freshness: what a snapshot must be, beyond being whole, for it to take the place of what is served. Pure.

A host, or whoever sits between, may hold back what is new and give out what was good once, its signature and all. The
attacks have their names from The Update Framework (https://theupdateframework.io/docs/security/).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pycontextify.errors import UntrustedError
from pycontextify.snapshot.config import SnapshotConfig, shown

__all__ = ["Highest", "check_fresh", "has_expired"]


@dataclass(frozen=True, slots=True)
class Highest:
    """The highest version that was seen of a channel; ``generation`` had it, and ``at`` is when (RFC 3339)."""

    version: int
    generation: str
    at: str


def has_expired(config: SnapshotConfig, now: datetime) -> bool:
    """Tell whether a snapshot says of itself that it is too old by now."""
    return config.expires is not None and datetime.fromisoformat(config.expires) <= now


def check_fresh(config: SnapshotConfig, channel: str, highest: Highest | None, now: datetime) -> None:
    """Judge a snapshot that nobody asked for by its digest.

    Raises UntrustedError: with code ``channel_differs`` for one of another channel (wrong software),
    ``version_lower`` for one that is older than one that was seen (rollback), ``snapshot_expired`` (freeze).
    """
    if config.channel != channel:
        raise UntrustedError(
            f"it is of the channel {shown(config.channel)}, and {shown(channel)} is wanted",
            code="channel_differs",
            hint="correct the address, or set index_bootstrap_channel",
        )
    if highest is not None and config.version < highest.version:
        raise UntrustedError(
            f"it has version {config.version}, and version {highest.version} was there already ({highest.at})",
            code="version_lower",
            hint="publish it as newer (`pycontextify publish --supersede`), or take it once with "
            "`pycontextify hydrate --allow-older`",
        )
    if has_expired(config, now):
        raise UntrustedError(
            f"it expired at {config.expires}: whoever publishes has stopped, or somebody holds back what is newer",
            code="snapshot_expired",
            hint="publish it again (`pycontextify publish --expires-in`)",
        )
