"""A reader that knows the specification and nothing else reads what is published, and finds what the program finds."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from pycontextify.encoder.onnx import open_directory
from pycontextify.index.model import Query
from pycontextify.publish.directory import publish_directory
from pycontextify.snapshot.digest import Digest
from pycontextify.store.layout import Layout
from tests.docs import reader
from tests.docs.reader import Reader
from tests.fakes.encoder import write_tiny_model
from tests.fakes.generation import Doc, make_generation, open_view
from tests.index.made import inverted_file

WORDS = ("the", "moon", "has", "no", "air", "sun", "shines", "refund", "takes", "two", "days", "read", "index")
SEGMENTS = (
    [
        Doc("moon.md", ("The moon has no air",), language="markdown", tags=("sky",), symbol="Moon"),
        Doc("old.md", ("The sun shines",), language="markdown"),
        *(Doc(f"many/{number}.txt", (f"two days take {number} days " * 9,)) for number in range(300)),
    ],
    [Doc("refund.py", ("A refund takes two days", "def readIndex(): ..."), language="python", symbol="refund")],
)


@pytest.fixture
def published(tmp_path: Path) -> tuple[Path, Layout, Digest]:
    """Two segments, a deleted document, a dictionary; the place, and what it was published from."""
    write_tiny_model(tmp_path / "model", words=WORDS, dimension=64)
    layout = Layout(tmp_path / "index")
    layout.create()
    encoder = open_directory(tmp_path / "model")
    generation = make_generation(layout, *SEGMENTS, encoder=encoder, deleted=("old.md",))
    publish_directory(layout, generation, tmp_path / "public")
    return tmp_path / "public", layout, generation


def test_it_reads_what_is_published(published: tuple[Path, Layout, Digest]) -> None:
    """Texts, places, tags; deleted rows stay away; words inside of words are found; each probe passes."""
    read = Reader(published[0])
    assert read.check_probes() == 2
    ((_, moon),) = read.by_words("air")
    assert (moon.tree, moon.path, moon.lines, moon.symbol) == ("tree", "moon.md", (1, 3), "Moon")
    assert (moon.language, moon.tags, moon.text) == ("markdown", ("sky",), "The moon has no air")
    assert read.by_words("shines") == []
    assert [found.text for _, found in read.by_words("index")] == ["def readIndex(): ..."]
    assert {bool(segment.meta["dictionary"]) for segment in read.segments} == {True, False}


@pytest.mark.parametrize("query", ["no air on the moon", "how many days", "sun"])
def test_it_finds_what_the_program_finds(published: tuple[Path, Layout, Digest], query: str, tmp_path: Path) -> None:
    """The same passages by meaning, in the same order, with an encoder that was opened from the specification."""
    place, layout, generation = published
    with open_view(layout, generation, open_directory(tmp_path / "model")) as view:
        answer = view.search(Query(query, mode="dense", limit=2))
    assert [found.path for found in Reader(place).by_meaning(query, 2)] == [hit.path for hit in answer.hits]


@pytest.mark.parametrize("query", ["refund", "the moon and the sun", "readIndex", "ReadIndex airs", "moon.md"])
def test_it_scores_words_as_the_program_does(published: tuple[Path, Layout, Digest], query: str) -> None:
    """Those of symbols and paths, parts and stems; to the fourth digit, which is what the program tells."""
    place, layout, generation = published
    with open_view(layout, generation) as view:
        told = {
            (hit.path, hit.snippet): hit.keyword for hit in view.search(Query(query, mode="keyword", limit=50)).hits
        }
    read = {(found.path, found.text): score for score, found in Reader(place).by_words(query)}
    assert read == pytest.approx(told, abs=0.0001)
    assert told


@pytest.mark.parametrize(("rows", "lists"), [(400, 4), (3, 12)])
def test_it_reads_inverted_files(rows: int, lists: int) -> None:
    """Full lists, and mostly empty ones, whose sizes are written in the other way."""
    content = inverted_file(rows, 16, lists)
    assert (b"full" in content, b"sprs" in content) == ((True, False) if rows > lists else (False, True))
    index: Any = faiss.deserialize_index(np.frombuffer(content, dtype=np.uint8))
    index.make_direct_map()
    assert np.array_equal(reader._vectors(content, 16), index.reconstruct_n(0, rows))


def test_it_knows_nothing_else() -> None:
    """No module of ours has told it anything."""
    tree = ast.parse(Path(reader.__file__).read_text(encoding="utf-8"))
    named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    named |= {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    assert not [name for name in named if name and name.startswith(("pycontextify", "tests", "docs", "faiss", "apsw"))]
