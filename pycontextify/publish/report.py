"""What publishing has done."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pycontextify.snapshot.digest import Digest

__all__ = ["PublishReport"]


@dataclass(frozen=True, slots=True)
class PublishReport:
    """``files`` are the paths written; ``bytes_copied`` counts what was not there before."""

    generation: Digest
    version: int
    files: tuple[str, ...]
    bytes_total: int
    bytes_copied: int

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)
