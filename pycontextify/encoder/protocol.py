"""What every encoder offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pycontextify.snapshot.config import EncoderInfo

__all__ = ["Encoder", "FileBacked", "paths_of"]


class Encoder(Protocol):
    """Text to vectors of length one, so that their inner product is their cosine. Thread safe.

    Vectors are float32 and C-contiguous. Embedding raises NotReadyError when the model can't answer.
    """

    @property
    def info(self) -> EncoderInfo:
        """Which model this is, as a snapshot's config records it."""

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed any number of passages; shape (len(texts), dimension), row i for text i."""

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Embed a query; shape (dimension,)."""


@runtime_checkable
class FileBacked(Protocol):
    """An encoder whose files can travel with a snapshot."""

    @property
    def paths(self) -> Mapping[str, Path]:
        """Where the files named in ``info.files`` are on this machine: the same keys."""


def paths_of(encoder: Encoder) -> Mapping[str, Path]:
    """Return the encoder's files by name, the very names of ``info.files``; empty when it has none."""
    return encoder.paths if isinstance(encoder, FileBacked) else {}
