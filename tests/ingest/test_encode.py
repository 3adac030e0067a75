"""Embedding in batches: order, padding, repeats, progress."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pycontextify.errors import IngestError
from pycontextify.ingest.encode import embed_chunks
from pycontextify.snapshot.config import EncoderInfo
from pycontextify.snapshot.digest import digest_of


class Recorder:
    """An encoder whose vectors follow from the text alone, and that keeps the batches it was given."""

    def __init__(self, dimension: int = 8) -> None:
        self.info = EncoderInfo(id="recorder", digest=digest_of(b"recorder"), dimension=dimension)
        self.batches: list[list[str]] = []

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.batches.append(list(texts))
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> NDArray[np.float32]:
        numbers = np.frombuffer(hashlib.sha256(text.encode()).digest()[: self.info.dimension], dtype=np.uint8)
        vector = numbers.astype(np.float32) + np.float32(1)
        return vector / np.linalg.norm(vector)


class Stubborn(Recorder):
    """An encoder that always answers with one vector."""

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.zeros((1, self.info.dimension), dtype=np.float32)


@given(st.lists(st.text(max_size=20), max_size=60), st.integers(1, 8))
def test_row_i_is_passage_i_whatever_the_batches(passages: list[str], batch_size: int) -> None:
    """Sorting, batching and sharing change the work and not the answer."""
    encoder = Recorder()
    vectors = embed_chunks(encoder, passages, None, batch_size)
    assert vectors.shape == (len(passages), 8)
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    for vector, text in zip(vectors, passages, strict=True):
        np.testing.assert_array_equal(vector, encoder.embed_query(text))


@given(st.lists(st.text(max_size=20), max_size=60), st.integers(1, 8))
def test_a_passage_is_embedded_once_among_others_of_its_length(passages: list[str], batch_size: int) -> None:
    """Padding is work for nothing, and so is doing work twice."""
    encoder = Recorder()
    embed_chunks(encoder, passages, None, batch_size)
    seen = [text for batch in encoder.batches for text in batch]
    assert sorted(seen) == sorted(set(passages))
    assert [len(text) for text in seen] == sorted(map(len, seen), reverse=True)
    assert all(len(batch) == batch_size for batch in encoder.batches[:-1])


@given(st.lists(st.text(max_size=3), max_size=60), st.integers(1, 8))
def test_progress_grows_to_the_number_of_passages(passages: list[str], batch_size: int) -> None:
    """Repeated passages count, so that what people see done is what they asked for."""
    calls: list[tuple[int, int]] = []
    embed_chunks(Recorder(), passages, lambda done, total: calls.append((done, total)), batch_size)
    counts = [done for done, _ in calls]
    assert counts == sorted(set(counts))
    assert all(total == len(passages) for _, total in calls)
    assert not passages or calls[-1] == (len(passages), len(passages))


def test_no_passages_give_no_rows_and_do_not_trouble_the_encoder() -> None:
    """The shape still tells the dimension."""
    encoder = Recorder(dimension=5)
    assert embed_chunks(encoder, [], None).shape == (0, 5)
    assert encoder.batches == []


def test_an_answer_of_the_wrong_shape_is_refused() -> None:
    """One vector for many passages would be copied to all of them without a word."""
    with pytest.raises(IngestError) as caught:
        embed_chunks(Stubborn(), ["one", "two"], None)
    assert caught.value.code == "encoder_answer_invalid"
    assert caught.value.asset == "recorder"
