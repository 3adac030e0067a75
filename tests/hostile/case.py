"""One hostile archive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

__all__ = ["CHUNKS", "NAME", "VECTORS", "ZEROS", "Case"]

NAME = "docs"
_noise = Random(1)  # noqa: S311 - the same bytes at every run
VECTORS = _noise.randbytes(3000)
CHUNKS = b"SQLite format 3\0" + _noise.randbytes(2000)
ZEROS = 80 * 1024 * 1024
"""How many zeros make a bomb: more than is looked at before the ratio counts."""


@dataclass(frozen=True, slots=True)
class Case:
    """How to build it, what to call the file, and the code of the error that it must end in."""

    name: str
    file_name: str
    build: Callable[[], bytes]
    code: str

    def __str__(self) -> str:
        return f"{self.file_name}-{self.name}".replace(" ", "_")
