"""What is asked of a snapshot beyond being whole: that somebody trusted vouches for it, and that it is fresh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pycontextify.snapshot.config import SnapshotConfig, rfc3339
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.freshness import Highest, check_fresh
from pycontextify.snapshot.manifest import Descriptor
from pycontextify.snapshot.origin import SIGNED
from pycontextify.snapshot.signature import PublicKey, key_set_of
from pycontextify.store.layout import Layout
from pycontextify.store.state import highest_seen, remember

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

    def check(self, config: SnapshotConfig, generation: Digest) -> None:
        """Judge a snapshot that its signature, if it needs one, was found right of. Blocks.

        What was signed counts as seen from then on, whatever becomes of it. Raises UntrustedError or StoreError.
        """
        if not self.pinned:
            highest = None if self.allow_older else highest_seen(self.layout, self._line(config))
            check_fresh(config, self.channel, highest, self.now())
        if self.keys:
            self.remember(config, generation)

    def remember(self, config: SnapshotConfig, generation: Digest) -> None:
        """Let a snapshot count as seen: nothing older is taken by itself from now on. Blocks; raises StoreError."""
        if self.pinned:
            return  # what was asked for by name says nothing of what is newest
        remember(self.layout, self._line(config), Highest(config.version, str(generation), rfc3339(self.now())))

    def _line(self, config: SnapshotConfig) -> str:
        """Return what versions are compared within: a channel, and those who vouch for it."""
        return f"{config.channel} {key_set_of(self.keys)}".rstrip()


def signed_notes(key: PublicKey | None) -> dict[str, str]:
    """Return the annotations that say who vouched for a generation."""
    return {} if key is None else {SIGNED: str(key)}
