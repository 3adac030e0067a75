"""What is asked of a snapshot beyond being whole: that somebody trusted vouches for it, and that it is fresh."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pycontextify.snapshot.config import SnapshotConfig, rfc3339
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.freshness import Highest, check_fresh
from pycontextify.snapshot.manifest import Descriptor
from pycontextify.snapshot.origin import SIGNED
from pycontextify.snapshot.signature import PublicKey
from pycontextify.store.layout import Layout
from pycontextify.store.state import forget, highest_seen, remember

__all__ = ["Trust", "signed_notes"]


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom and what a layout takes snapshots from.

    One of ``keys`` must have signed it; without any, unsigned is fine. It must be of the ``channel``. ``pinned``: it
    was asked for by its digest, so that it may be of any channel and age. ``allow_older``: somebody has said that an
    older version is meant. ``now`` tells the time in UTC.
    """

    layout: Layout
    now: Callable[[], datetime]
    channel: str
    keys: tuple[PublicKey, ...] = ()
    pinned: bool = False
    allow_older: bool = False

    def vouches_for(self, current: Descriptor) -> bool:
        """Tell whether a generation that is here already came in as one that would be taken now."""
        return not self.keys or current.annotations.get(SIGNED) in {str(key) for key in self.keys}

    def check(self, config: SnapshotConfig, generation: Digest, signed_by: PublicKey | None) -> None:
        """Judge a snapshot that its signature, if it needs one, was found right of. Blocks.

        What was signed counts as seen from then on, whatever becomes of it. Raises UntrustedError or StoreError.
        """
        self.judge(config)
        if signed_by is not None:
            self._remember(config, generation, str(signed_by))

    def judge(self, config: SnapshotConfig) -> None:
        """Judge a snapshot by what it says of itself, and remember nothing. Blocks; raises as `check` does."""
        if not self.pinned:
            highest = None if self.allow_older else self._highest(config.channel)
            check_fresh(config, self.channel, highest, self.now())

    def accept(self, config: SnapshotConfig, generation: Digest, notes: Mapping[str, str]) -> None:
        """Let a snapshot that was found good count as seen, before it is served. Blocks; raises StoreError."""
        self._remember(config, generation, notes.get(SIGNED, ""))

    def _highest(self, channel: str) -> Highest | None:
        """Return the highest version of a channel that one of the keys has signed; without keys, that was installed.

        A key that is not trusted any more has no say, or whoever has stolen it could end all updates.
        """
        seen = [highest_seen(self.layout, _line(channel, key)) for key in (map(str, self.keys) if self.keys else ("",))]
        return max((each for each in seen if each is not None), key=lambda each: each.version, default=None)

    def _remember(self, config: SnapshotConfig, generation: Digest, key: str) -> None:
        """Nothing older is taken by itself from now on."""
        if self.pinned:
            return  # what was asked for by name says nothing of what is newest
        if self.allow_older:
            forget(self.layout, [_line(config.channel, str(each)) for each in self.keys])
        now = rfc3339(self.now())
        remember(self.layout, _line(config.channel, key), Highest(config.version, str(generation), now))


def _line(channel: str, key: str) -> str:
    """Return what versions are compared within: a channel, and who vouches for it."""
    return f"{channel} {key}".rstrip()


def signed_notes(key: PublicKey | None) -> dict[str, str]:
    """Return the annotations that say who vouched for a generation."""
    return {} if key is None else {SIGNED: str(key)}
