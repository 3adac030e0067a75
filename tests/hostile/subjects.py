"""Small sound indexes, of which one file at a time is damaged, and what must be true of the index all the same.

It is refused with one of our errors, or it is served: then every answer is the same when asked for again, names only
rows that there are, and each of these can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pycontextify.errors import StoreError, ValidateError
from pycontextify.index.assemble import carried_entries
from pycontextify.index.model import Answer, Query
from pycontextify.index.segment import Segment
from pycontextify.index.validate import validate
from pycontextify.index.view import View
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.store.layout import Layout
from tests.fakes.encoder import TinyEncoder
from tests.fakes.generation import Doc, make_generation
from tests.hostile.mutations import Form
from tests.index.made import inverted_file

__all__ = ["SUBJECTS", "Subject", "prepare", "verdict"]

_ENCODER = TinyEncoder(dimension=8)
_GENERATION = digest_of(b"a generation")
_PAGE = 4096
_WORDS = ("alpha", "beta", "gamma", "retry", "retries", "server", "httpServer", "count", "the", "of")
_QUERIES = (
    Query("alpha beta", limit=4),
    Query("retry count the server of alpha number7", mode="keyword", limit=6),
    Query("server", tags=("net",), limit=2),
    Query("alpha", path="*/1*", mode="dense", limit=2),
    Query("retries of httpServer", tags=("docs", "net"), path="other/*", language="TEXT", limit=2),
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A generation of one segment; the blob ``part`` is the one that mutations of ``form`` stand in for."""

    config: SnapshotConfig
    blobs: Callable[[Digest], Path]
    part: Digest
    form: Form


def _docs(count: int, *, salt: int) -> list[Doc]:
    """Return documents of three chunks, in two trees and two languages."""

    def text(number: int) -> str:
        words = " ".join(_WORDS[(number * 7 + place * place + salt) % len(_WORDS)] for place in range(6))
        return f"{words} number{number % 11} {'and so on, ' * (number % 4)}{number * 37 % 101}"

    return [
        Doc(
            path=f"src/{number}.py" if number % 2 else f"guide/{number}.md",
            texts=tuple(text(3 * number + place) for place in range(3)),
            tree="tree" if number % 3 else "other",
            language="python" if number % 2 else "text",
            tags=(("docs",), ("net",), ("docs", "net"), ())[number % 4],
            symbol=f"Part{number}" if number % 2 else "",
        )
        for number in range(count)
    ]


def _small(directory: Path, *, salt: int, count: int = 12) -> tuple[Layout, SnapshotConfig]:
    layout = Layout(directory)
    layout.create()
    docs = _docs(count, salt=salt)
    generation = make_generation(layout, docs, encoder=_ENCODER, deleted=(docs[1].path,), probes=False)
    return layout, layout.config(generation)


def _whole(_: bytes) -> Sequence[range]:
    return ()


def _flat_hot(_: bytes) -> Sequence[range]:
    return (range(81),)


def _inverted_hot(content: bytes) -> Sequence[range]:
    """The head; what stands between centroids and codes; the row numbers of the last list."""
    lists = content.index(b"ilar")
    return (
        range(107),
        range(lists - 60, lists + 40),
        range(lists, lists + 160),
        range(len(content) - 40, len(content)),
    )


def _pages_hot(content: bytes) -> Sequence[range]:
    """SQLite's head, the schema's page, and the beginning of every page, where its cells are pointed to."""
    pages = (range(at, at + 64) for at in range(_PAGE, len(content), _PAGE))
    return (range(100), range(100, 200), range(_PAGE), *pages)


@dataclass(frozen=True, slots=True)
class _Recipe:
    """Which part is damaged, how large the index is, and where the part's structure lies."""

    part: Callable[[SnapshotConfig], Digest | None]
    hot: Callable[[bytes], Sequence[range]]
    documents: int = 12
    instead: Callable[[int, int], bytes] | None = None


SUBJECTS = {
    "flat": _Recipe(lambda config: config.segments[0].vectors, _flat_hot),
    "inverted": _Recipe(
        lambda config: config.segments[0].vectors,
        _inverted_hot,
        instead=lambda rows, salt: inverted_file(rows, 8, 4 if salt else 24, seed=salt),
    ),
    "chunks": _Recipe(lambda config: config.segments[0].chunks, _pages_hot),
    "chunks-with-dictionary": _Recipe(lambda config: config.segments[0].chunks, _pages_hot, documents=70),
    "deleted": _Recipe(lambda config: config.segments[0].deleted, _whole),
}
"""The formats that are read from elsewhere."""


def prepare(name: str, directory: Path) -> Subject:
    """Build the index of a subject in an empty directory."""
    recipe = SUBJECTS[name]
    layout, config = _small(directory / "index", salt=1, count=recipe.documents)
    donors, donor_config = _small(directory / "donor", salt=2, count=recipe.documents)
    part, donor_part = recipe.part(config), recipe.part(donor_config)
    assert part is not None
    assert donor_part is not None
    if recipe.instead is None:
        content, donor = layout.blob_path(part).read_bytes(), donors.blob_path(donor_part).read_bytes()
    else:
        content, donor = (recipe.instead(config.rows, salt) for salt in (1, 0))
    return Subject(config, layout.blob_path, part, Form(content, donor, recipe.hot(content)))


def verdict(subject: Subject, path: Path) -> str:
    """Open an index whose damaged part lies at ``path``; return "served", or the code of the error it is refused with.

    Raises AssertionError when it is served and should not have been, and whatever else gets out.
    """

    def blob(digest: Digest) -> Path:
        return path if digest == subject.part else subject.blobs(digest)

    try:
        with closing(View.open(_GENERATION, subject.config, blob, _ENCODER)) as view:
            try:
                validate(view)
            except ValidateError:
                _search_all_the_same(view)
                raise
            _must_serve(view)
            return "served"
    except (ValidateError, StoreError) as error:
        return error.code


def _search_all_the_same(view: View) -> None:
    """Read parts that were refused: nobody does, but nothing but an error of ours may come of it."""
    segment = view.segments[0]
    for query in _QUERIES:
        with suppress(ValidateError):
            segment.chunks.match(query.text, allowed=None, deleted=None, limit=20)
        with suppress(ValidateError):
            segment.chunks.read(range(3))
    if segment.vectors.dimension == view.config.encoder.dimension:
        segment.vectors.search(_ENCODER.embed_query("alpha"), 20)


def _must_serve(view: View) -> None:
    try:
        (segment,) = view.segments
        seen = set[int]()
        for query in _QUERIES:
            answer = view.search(query)
            assert answer == view.search(query), f"another answer to {query}"
            _must_pass(answer, query)
            seen |= _rows(segment, query)
        for row in seen:
            assert 0 <= row < segment.info.rows, f"row {row}"
            assert segment.deleted is None or not segment.deleted[row], f"row {row} is deleted"
            assert segment.chunks.read([row])[0].row == row
        assert view.overview() == view.overview()
        carried = carried_entries(segment, ())
        assert sum(len(entry.chunks) for entry in carried) == segment.live_rows
        assert sum(len(entry.vectors) for entry in carried) == segment.live_rows
        rows = segment.info.rows
        assert np.array_equal(
            segment.vectors.reconstruct(0, rows), segment.vectors.reconstruct(0, rows), equal_nan=True
        )
    except (ValidateError, StoreError) as error:
        raise AssertionError(f"it was taken, and then refused: {error}") from error


def _must_pass(answer: Answer, query: Query) -> None:
    assert len(answer.hits) <= query.limit
    for hit in answer.hits:
        assert query.language is None or hit.language.lower() == query.language.lower()
        assert set(query.tags) <= set(hit.tags)
        assert np.isfinite(hit.score)


def _rows(segment: Segment, query: Query) -> set[int]:
    """Return the rows that either side finds, many more than are shown."""
    dense, keyword = segment.dense(_ENCODER.embed_query(query.text), query, 50), segment.keyword(query, 50)
    assert np.isfinite([*dense.values(), *keyword.values()]).all()
    return {*dense, *keyword}
