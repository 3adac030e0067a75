"""What publishing has done."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pycontextify.snapshot.config import EncoderInfo
from pycontextify.snapshot.digest import Digest

__all__ = ["PublishReport", "without_encoder"]


@dataclass(frozen=True, slots=True)
class PublishReport:
    """``files`` are the paths written; ``bytes_copied`` counts what was not there before.

    ``lacks`` says that the encoder is not among them and who needs it; None when it is.
    """

    generation: Digest
    version: int
    files: tuple[str, ...]
    bytes_total: int
    bytes_copied: int
    lacks: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def without_encoder(encoder: EncoderInfo) -> str:
    """Tell who needs the encoder of an index that was published without it."""
    if encoder.provider == "http":
        needs = f"every server needs embedding_provider http, embedding_url, and embedding_model {encoder.id}"
    else:
        needs = "servers search by meaning only where it is their built-in one or set as embedding_model"
    return f"the embedding model {encoder.id} is not included: {needs}"
