"""Embedding many passages: few, even batches, and no passage twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pycontextify.encoder.protocol import Encoder
from pycontextify.errors import IngestError
from pycontextify.ingest.kept import KeptVectors

__all__ = ["embed_chunks"]


def embed_chunks(
    encoder: Encoder,
    passages: Sequence[str],
    progress: Callable[[int, int], None] | None,
    batch_size: int = 32,
    kept: KeptVectors | None = None,
) -> NDArray[np.float32]:
    """Embed passages; row i of the answer, float32 of shape (len(passages), dimension), is the vector of passage i.

    Batches hold passages of about equal length, because a batch is padded to its longest; the longest come first, so
    that the rate seen at first is the slowest. ``progress`` is called after each batch with the number of passages
    done, growing, and of all; equal passages are embedded once, and counted as often as they occur. Those that are in
    ``kept`` are not embedded, those that are embedded are added to it.

    Raises IngestError (``encoder_answer_invalid``) when the encoder gives anything but one vector per passage.
    """
    vectors = np.empty((len(passages), encoder.info.dimension), dtype=np.float32)
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(passages):
        rows.setdefault(text, []).append(row)
    done = _filled(vectors, rows, kept)
    texts = sorted(rows, key=len, reverse=True)
    for begin in range(0, len(texts), batch_size):
        batch = texts[begin : begin + batch_size]
        answer = encoder.embed_passages(batch)
        if answer.shape != (len(batch), vectors.shape[1]):
            raise IngestError(
                f"the encoder answered {len(batch)} passages with an array of shape {answer.shape}",
                code="encoder_answer_invalid",
                asset=encoder.info.id,
                hint=f"it should give one vector of {vectors.shape[1]} numbers for each",
            )
        if kept is not None:
            kept.add(batch, answer)
        for text, vector in zip(batch, answer, strict=True):
            vectors[rows[text]] = vector
            done += len(rows[text])
        if progress is not None:
            progress(done, len(passages))
    return vectors


def _filled(vectors: NDArray[np.float32], rows: dict[str, list[int]], kept: KeptVectors | None) -> int:
    """Put the vectors that are kept where they belong and strike their passages off; return how many those were."""
    done = 0
    if kept is None:
        return done
    for text in list(rows):
        vector = kept.get(text)
        if vector is not None:
            places = rows.pop(text)
            vectors[places] = vector
            done += len(places)
    return done
