"""The indexes that are measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.corpus import Lines, Sample, make_index, row_of
from benchmarks.given import FOUND, Given
from benchmarks.questions import questions
from pycontextify.encoder.default import find_default
from pycontextify.encoder.onnx import OnnxEncoder, open_model
from pycontextify.index.model import Query
from pycontextify.index.validate import validate
from pycontextify.index.view import View
from pycontextify.store.layout import Layout

ROWS, EMBEDDED = 45, 15


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    """The default encoder."""
    return open_model(find_default())


def made(home: Path, encoder: OnnxEncoder) -> Layout:
    """Make an index from nothing."""
    lines, layout = Lines(), Layout(home / "layout")
    layout.create()
    (home / "staging").mkdir()
    sample = Sample.of(encoder.embed_passages([lines.spread(number, EMBEDDED) for number in range(EMBEDDED)]))
    make_index(layout, ROWS, home / "staging", lines=lines, sample=sample, encoder=encoder)
    return layout


def test_the_same_index_is_made_every_time_and_is_a_valid_one(tmp_path: Path, encoder: OnnxEncoder) -> None:
    """It is held to the same rules as one that was fetched; rows can be told from what is found."""
    layouts = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        layouts.append(made(tmp_path / name, encoder))
    layout, other = layouts
    generation = layout.current()
    assert generation is not None
    assert generation == other.current()
    view = View.open(generation, layout.config(generation), layout.blob_path, encoder)
    validate(view)
    assert view.chunks == ROWS
    lines = Lines()
    for row in (0, 21, ROWS - 1):
        hits = view.search(Query(lines.chunk(row), limit=ROWS, mode="keyword")).hits
        assert row in {row_of(hit) for hit in hits}
    view.close()


def test_there_is_no_end_to_texts() -> None:
    """Chunks begin anew one line further on when the library has been gone through: none is there twice."""
    lines = Lines()
    texts = {lines.chunk(number) for number in range(0, 1_000_000, 9_973)}
    assert len(texts) == len(range(0, 1_000_000, 9_973))
    assert all(text.count("\n") == 7 for text in texts)


def test_grown_vectors_lie_near_to_what_they_grew_from() -> None:
    """They have length 1, are no copies, and are twice as near to their kin as those are to each other."""
    random = np.random.default_rng(1)
    found = random.standard_normal((50, 384)).astype(np.float32)
    sample = Sample.of(found / np.linalg.norm(found, axis=1, keepdims=True))
    grown = sample.grow(200, np.random.default_rng(2))
    assert np.allclose(np.linalg.norm(grown, axis=1), 1, atol=1e-5)
    nearest = (grown @ sample.vectors.T).max(axis=1)
    apart = sample.vectors @ sample.vectors.T - 2 * np.eye(50, dtype=np.float32)
    assert 2 * float(apart.max(axis=1).mean()) < float(nearest.mean()) < 0.999
    assert (sample.grow(200, np.random.default_rng(2)) == grown).all()


def test_questions_are_as_many_as_asked_for() -> None:
    """And all different, the same every time."""
    assert len(set(questions(100))) == 100
    assert questions(100) == questions(100)


def test_peers_are_given_what_there_is(tmp_path: Path) -> None:
    """What is read is what was written; recall counts the nearest ten."""
    vectors = np.eye(20, dtype=np.float32)
    queries = np.vstack([vectors[:10].sum(axis=0), vectors[10:].sum(axis=0)]).astype(np.float32)
    Given(vectors, queries, [str(row) for row in range(20)]).write(tmp_path / "given")
    given = Given.read(tmp_path / "given")
    assert (given.vectors == vectors).all()
    assert given.texts[19] == "19"
    first, second = list(range(FOUND)), list(range(FOUND, 20))
    assert given.recall([first, second]) == 1
    assert given.recall([first, [*second[:5], *first[:5]]]) == 0.75
