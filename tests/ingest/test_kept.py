"""What a run that was broken off has embedded, and the next one need not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pycontextify.ingest.encode import embed_chunks
from pycontextify.ingest.kept import KeptVectors, keeping
from pycontextify.store.layout import Layout
from tests.fakes.encoder import TinyEncoder

PASSAGES = [f"passage number {number}" for number in range(20)]


class Interrupted(TinyEncoder):
    """An encoder during which somebody presses Ctrl-C, after so many passages."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left
        self.embedded: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed passages, as long as nobody interrupts."""
        if len(self.embedded) >= self.left:
            raise KeyboardInterrupt
        self.embedded += texts
        return super().embed_passages(texts)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An index directory with nothing in it."""
    layout = Layout(tmp_path / "index")
    layout.create()
    return layout


def test_the_next_run_goes_on(layout: Layout) -> None:
    """With what is missing; the vectors are those of one run, and what was kept is gone with its end."""
    broken, whole = Interrupted(left=12), Interrupted(left=100)
    with pytest.raises(KeyboardInterrupt), keeping(layout, broken.info) as kept:
        embed_chunks(broken, PASSAGES, None, 4, kept)
    heard: list[tuple[int, int]] = []
    with keeping(layout, whole.info) as kept:
        vectors = embed_chunks(whole, PASSAGES, lambda done, total: heard.append((done, total)), 4, kept)
    assert sorted(broken.embedded + whole.embedded) == sorted(PASSAGES)
    assert heard == [(16, 20), (20, 20)]
    np.testing.assert_array_equal(vectors, TinyEncoder().embed_passages(PASSAGES))
    assert list(layout.partial.iterdir()) == []


def test_another_encoder_begins_anew(layout: Layout) -> None:
    """Vectors of two encoders are not comparable."""
    broken, other = Interrupted(left=12), TinyEncoder(name="another")
    with pytest.raises(KeyboardInterrupt), keeping(layout, broken.info) as kept:
        embed_chunks(broken, PASSAGES, None, 4, kept)
    with keeping(layout, other.info) as kept:
        assert kept.get(broken.embedded[0]) is None


@given(st.integers(0, 2000), st.integers(0, 255))
def test_what_is_spoilt_counts_for_nothing(tmp_path_factory: pytest.TempPathFactory, place: int, byte: int) -> None:
    """Wherever the file ends or is wrong: what is given back is right, and what is added then can be read again."""
    path, encoder = tmp_path_factory.mktemp("kept") / "file.vectors", TinyEncoder()
    right = encoder.embed_passages(PASSAGES[:8])
    kept = KeptVectors(path, encoder.info.dimension)
    kept.add(PASSAGES[:8], right)
    kept.close()
    content = path.read_bytes()
    path.write_bytes(content[:place] + bytes([byte]) * (place % 3))
    again = KeptVectors(path, encoder.info.dimension)
    lacking = [passage for passage in PASSAGES[:8] if again.get(passage) is None]
    again.add(lacking, encoder.embed_passages(lacking))
    again.close()
    last = KeptVectors(path, encoder.info.dimension)
    last.close()
    for passage, vector in zip(PASSAGES[:8], right, strict=True):
        np.testing.assert_array_equal(last.get(passage), vector)


def test_a_place_that_can_not_be_written_keeps_nothing(tmp_path: Path) -> None:
    """And hinders nobody."""
    encoder = TinyEncoder()
    kept = KeptVectors(tmp_path / "absent" / "file.vectors", encoder.info.dimension)
    vectors = embed_chunks(encoder, PASSAGES, None, 4, kept)
    assert vectors.shape == (20, 32)
    assert kept.get(PASSAGES[0]) is None
