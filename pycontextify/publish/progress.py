"""How far a publication is: what is told on the way, and the counting of the bytes that it is told by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Literal

__all__ = ["CountedFile", "Meter", "OnProgress", "PublishProgress", "Stage"]

Stage = Literal["copying", "assembling", "packing", "hashing"]
"""``copying`` blobs or the files of a pair, ``packing`` an archive, ``hashing`` what was written; ``assembling`` one
segment of several comes before it where that is needed."""


@dataclass(frozen=True, slots=True)
class PublishProgress:
    """How far a stage is: ``done`` of ``total`` bytes, what is there already among them; 0 of 0 while assembling."""

    stage: Stage
    done: int
    total: int


OnProgress = Callable[[PublishProgress], None]
"""Told how far a publication is, in the thread that publishes."""


class Meter:
    """Adds up the bytes of a stage, and tells."""

    def __init__(self, stage: Stage, total: int, tell: OnProgress) -> None:
        self._stage: Stage = stage
        self._total = total
        self._tell = tell
        self._done = 0
        tell(PublishProgress(stage, 0, total))

    def add(self, size: int) -> None:
        """Count bytes that are done."""
        self._done = min(self._done + size, self._total)
        self._tell(PublishProgress(self._stage, self._done, self._total))


class CountedFile:
    """A file that tells how many bytes each read has brought."""

    def __init__(self, file: BinaryIO, on_bytes: Callable[[int], None]) -> None:
        self._file = file
        self._on_bytes = on_bytes

    def read(self, size: int = -1) -> bytes:
        """Read as the file does."""
        block = self._file.read(size)
        if block:
            self._on_bytes(len(block))
        return block
