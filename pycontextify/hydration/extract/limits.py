"""How much an archive may cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pycontextify.errors import ExtractError

__all__ = ["DEFAULT_LIMITS", "Budget", "ExtractLimits", "filler"]

_FILLER = 256 * 1024


@dataclass(frozen=True, slots=True)
class ExtractLimits:
    """Bounds for one archive, in bytes unless said otherwise.

    ``unpacked`` bounds everything in it together, ``members`` their number, ``document`` the index.json of a layout.
    A generation has some 30 files, and each costs as much as thousands of bytes.
    An archive that has grown beyond ``ratio_floor`` may be ``ratio`` times as large as what was read of it. (Vectors
    and compressed chunks hardly shrink at all; gzip reaches 1,032 on zeros, zstd 32,768.)
    """

    unpacked: int = 64 * 1024**3
    members: int = 1000
    document: int = 4 * 1024**2
    ratio: int = 200
    ratio_floor: int = 64 * 1024**2


DEFAULT_LIMITS = ExtractLimits()


class Budget:
    """What is left of the limits while an archive is read.

    ``on_progress`` is told how many bytes of the archive have been read; it may raise, which ends the reading.
    """

    def __init__(self, limits: ExtractLimits, on_progress: Callable[[int], None]) -> None:
        self._limits = limits
        self._on_progress = on_progress
        self._members = 0
        self._unpacked = 0

    def count_member(self) -> None:
        """Count a member; raises ExtractError when there are too many."""
        self._members += 1
        if self._members > self._limits.members:
            raise ExtractError(f"it has more than {self._limits.members:,} members", code="archive_too_many_members")

    def spend(self, unpacked: int, packed: int) -> None:
        """Count ``unpacked`` more bytes out of the first ``packed`` bytes of the archive; raises ExtractError."""
        self._unpacked += unpacked
        if self._unpacked > self._limits.unpacked:
            raise ExtractError(f"it unpacks to more than {self._limits.unpacked:,} bytes", code="archive_too_large")
        if self._unpacked > max(self._limits.ratio_floor, self._limits.ratio * packed):
            raise ExtractError(f"it unpacks to more than {self._limits.ratio} times its size", code="archive_bomb")
        self._on_progress(packed)


def filler(packed: int, unpacked: int) -> ExtractError | None:
    """Return the error for ``packed`` bytes that unpack to far less, as only masses of empty parts do."""
    if packed > 2 * unpacked + _FILLER:
        return ExtractError("it consists of filler", code="archive_bomb")
    return None
