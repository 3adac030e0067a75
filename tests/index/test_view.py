"""Views: several segments searched as one, by meaning and by words, honest about what they can't do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import apsw
import numpy as np
import pytest
from numpy.typing import NDArray

from pycontextify.errors import NotReadyError, StoreError
from pycontextify.index.model import Query
from pycontextify.index.view import View
from pycontextify.snapshot.digest import Digest
from pycontextify.store.layout import Layout
from tests.fakes.encoder import TinyEncoder
from tests.fakes.generation import Doc, make_generation, open_view, store_generation

FIRST = [
    Doc("guide/retry.md", ("requests are retried after a pause", "the pause doubles"), "docs", "markdown", ("guide",)),
    Doc("src/retry.py", ("def retry(): sleep and try again",), "code", "python", symbol="retry"),
]
SECOND = [Doc("guide/cache.md", ("answers are cached by their validator",), "docs", "markdown", ("guide", "http"))]


class Scripted:
    """An encoder that says what it is told to: queries may mean anything."""

    def __init__(self, answer: Callable[[str], NDArray[np.float32]]) -> None:
        self._answer = answer

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the scripted vector, or raise the scripted error."""
        return self._answer(text)


def _open(layout: Layout, generation: Digest, encoder: Scripted | TinyEncoder | None) -> View:
    return View.open(generation, layout.config(generation), layout.blob_path, encoder)


def _down(_: str) -> NDArray[np.float32]:
    raise NotReadyError("the service does not answer", code="encoder_unreachable", hint="start it")


def test_a_hit_says_where_and_why(layout: Layout) -> None:
    """Path, tree, lines, language, symbol, tags and the chunk itself, with the scores that it came from."""
    with open_view(layout, make_generation(layout, FIRST, SECOND)) as view:
        answer = view.search(Query("def retry(): sleep and try again"))
    hit = answer.hits[0]
    assert (hit.path, hit.tree, hit.start_line, hit.end_line) == ("src/retry.py", "code", 1, 3)
    assert (hit.language, hit.kind, hit.symbol, hit.tags) == ("python", "text", "retry", ())
    assert hit.snippet == "def retry(): sleep and try again"
    assert hit.score == 1.0
    assert hit.dense == pytest.approx(1.0, abs=1e-3)
    assert hit.keyword is not None
    assert hit.keyword > 0
    assert answer.degraded is None


def test_all_segments_are_searched(layout: Layout) -> None:
    """The best of all of them together, best first, as if they were one."""
    texts = [f"zebra {'stripe ' * n}" for n in range(9)]
    apart = make_generation(layout, texts[:3], texts[3:5], texts[5:])
    together = make_generation(layout, texts)
    with open_view(layout, apart) as many, open_view(layout, together) as one:
        for query in (Query("zebra stripe", mode="dense"), Query("stripe zebra zebra", limit=4, mode="dense")):
            hits = many.search(query).hits
            assert len(hits) == min(9, query.limit)
            assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
            assert [hit.dense for hit in hits] == [hit.dense for hit in one.search(query).hits]
        assert {hit.snippet for hit in many.search(Query("zebra", mode="keyword")).hits} == set(texts)


def test_rows_of_several_segments_are_told_apart(layout: Layout) -> None:
    """Row 0 of the one is not row 0 of the other."""
    with open_view(layout, make_generation(layout, ["alpha one"], ["alpha two"], ["alpha three"])) as view:
        assert {hit.snippet for hit in view.search(Query("alpha")).hits} == {"alpha one", "alpha two", "alpha three"}


def test_hybrid_beats_either_side_alone(layout: Layout) -> None:
    """A chunk that is second best by meaning and second best by words answers the query; each side alone prefers
    another one.

    The encoder is scripted: meaning points at the near miss, words at the chunk that only repeats them.
    """
    encoder = TinyEncoder()
    near, right, wordy = "soup bowl", "leak repair", "leak leak leak"
    passing = f"leak {' '.join(f'other{n}' for n in range(80))}"
    generation = make_generation(layout, [near, right, wordy, passing, "unrelated words"], encoder=encoder)
    meaning = 0.8 * encoder.embed_query(near) + 0.7 * encoder.embed_query(right)
    unit = (meaning / np.linalg.norm(meaning)).astype(np.float32)
    with closing(_open(layout, generation, Scripted(lambda _: unit))) as view:
        best = {mode: view.search(Query("leak", mode=mode)).hits[0].snippet for mode in ("dense", "keyword", "hybrid")}
    assert best == {"dense": near, "keyword": wordy, "hybrid": right}


def test_the_modes_search_what_they_say(layout: Layout) -> None:
    """Words alone need no encoder's answer, meaning alone gives no keyword scores, and neither is degraded."""
    generation = make_generation(layout, FIRST, SECOND)
    with closing(_open(layout, generation, Scripted(_down))) as view:
        answer = view.search(Query("retry", mode="keyword"))
        assert answer.degraded is None
        assert {hit.path for hit in answer.hits} == {"src/retry.py", "guide/retry.md"}
        assert all(hit.dense is None and hit.keyword is not None for hit in answer.hits)
    with open_view(layout, generation) as view:
        answer = view.search(Query("retry", mode="dense"))
        assert len(answer.hits) == 4
        assert all(hit.keyword is None and hit.dense is not None for hit in answer.hits)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_the_limit_is_obeyed(layout: Layout, limit: int) -> None:
    """No more than asked for, and the same ones that a higher limit puts first."""
    with open_view(layout, make_generation(layout, FIRST, SECOND)) as view:
        everything = view.search(Query("retry pause", limit=100)).hits
        assert view.search(Query("retry pause", limit=limit)).hits == everything[:limit]


@pytest.mark.parametrize(
    ("filters", "paths"),
    [
        (Query("retry", tags=("guide",)), {"guide/retry.md", "guide/cache.md"}),
        (Query("retry", tags=("guide", "http")), {"guide/cache.md"}),
        (Query("retry", language="python"), {"src/retry.py"}),
        (Query("retry", path="docs/guide/*"), {"guide/retry.md", "guide/cache.md"}),
        (Query("retry", path="*.py", language="markdown"), set()),
    ],
)
def test_filters_hold_in_every_segment(layout: Layout, filters: Query, paths: set[str]) -> None:
    """Only documents that pass, whatever the mode; for meaning, all of them."""
    with open_view(layout, make_generation(layout, FIRST, SECOND)) as view:
        for mode in ("hybrid", "dense"):
            assert {hit.path for hit in view.search(replace(filters, mode=mode)).hits} == paths
        assert {hit.path for hit in view.search(replace(filters, mode="keyword")).hits} <= paths


def test_deleted_documents_are_not_found(layout: Layout) -> None:
    """In no mode, and they do not count."""
    generation = make_generation(layout, FIRST, SECOND, deleted=["guide/retry.md"])
    with open_view(layout, generation) as view:
        assert (view.chunks, view.documents) == (2, 2)
        for mode in ("hybrid", "dense", "keyword"):
            paths = {hit.path for hit in view.search(Query("requests are retried", mode=mode)).hits}
            assert "guide/retry.md" not in paths


def test_without_an_encoder_words_are_searched_and_the_answer_says_why(layout: Layout) -> None:
    """Degraded, not broken: the view, its answers and the error of mode dense all name the missing model."""
    with closing(_open(layout, make_generation(layout, FIRST), None)) as view:
        assert view.degraded is not None
        assert "tiny" in view.degraded
        answer = view.search(Query("retry"))
        assert answer.degraded is not None
        assert "tiny" in answer.degraded
        assert answer.hits[0].path == "src/retry.py"
        assert all(hit.dense is None for hit in answer.hits)
        with pytest.raises(NotReadyError) as caught:
            view.search(Query("retry", mode="dense"))
        assert caught.value.code == "encoder_missing"


def test_when_the_encoder_fails_words_are_searched_and_the_answer_says_why(layout: Layout) -> None:
    """A service that is down now: degraded, not broken."""
    with closing(_open(layout, make_generation(layout, FIRST), Scripted(_down))) as view:
        answer = view.search(Query("retry"))
        assert answer.degraded == "the service does not answer; start it"
        assert answer.hits[0].path == "src/retry.py"
        with pytest.raises(NotReadyError, match="does not answer"):
            view.search(Query("retry", mode="dense"))


def test_a_view_is_degraded_for_as_long_as_its_encoder_fails(layout: Layout) -> None:
    """From the first failure, whoever met it, until the encoder answers again; a search for words asks it nothing."""
    answers = iter([_down, TinyEncoder().embed_query])

    def answer(text: str) -> NDArray[np.float32]:
        return next(answers)(text)

    with closing(_open(layout, make_generation(layout, FIRST), Scripted(answer))) as view:
        assert view.degraded is None
        with pytest.raises(NotReadyError):
            view.embed("retry")
        assert view.degraded == "the service does not answer; start it"
        view.search(Query("retry", mode="keyword"))
        assert view.degraded is not None
        assert view.search(Query("retry")).degraded is None
        assert view.degraded is None


def test_what_an_index_of_a_service_lacks_is_the_service(layout: Layout) -> None:
    """No form of publishing carries it: the settings that name it help, and nothing else."""
    config = layout.config(make_generation(layout, FIRST))
    encoder = replace(config.encoder, id="minilm", provider="http")
    generation = store_generation(layout, replace(config, encoder=encoder))
    with closing(_open(layout, generation, None)) as view:
        assert view.degraded is not None
        assert "set embedding_provider to http, embedding_model to minilm and embedding_url" in view.degraded
        assert "publish" not in view.degraded


@pytest.mark.parametrize("shape", [(31,), (33,), (1, 32), (0,)])
def test_a_vector_of_another_shape_is_not_searched_with(layout: Layout, shape: tuple[int, ...]) -> None:
    """Another model answers under the same address: words are searched, and the answer says why."""
    encoder = Scripted(lambda _: np.zeros(shape, np.float32))
    with closing(_open(layout, make_generation(layout, FIRST), encoder)) as view:
        answer = view.search(Query("retry"))
        assert answer.hits
        assert answer.degraded is not None
        assert "32 dimensions" in answer.degraded
        with pytest.raises(NotReadyError) as caught:
            view.embed("retry")
        assert caught.value.code == "encoder_differs"
        assert caught.value.hint


@pytest.mark.parametrize("text", ["", " ", "?!", "\0", "a" * 100_000, "💥", '" OR 1 --', "NEAR(a"])
def test_any_text_gets_an_answer(layout: Layout, text: str) -> None:
    """Nothing that can be typed makes a search fail."""
    with open_view(layout, make_generation(layout, FIRST, SECOND)) as view:
        for mode in ("hybrid", "dense", "keyword"):
            view.search(Query(text, mode=mode, path=text, language=text, tags=(text,)))
            assert len(view.search(Query(text, mode=mode)).hits) <= 10


def test_an_empty_generation_answers_with_nothing(layout: Layout) -> None:
    """An index whose last document is gone."""
    with open_view(layout, make_generation(layout, [])) as view:
        for mode in ("hybrid", "dense", "keyword"):
            assert view.search(Query("anything", mode=mode)).hits == ()
        assert (view.overview().chunks, view.overview().documents, view.overview().segments) == (0, 0, 1)


def test_the_overview_counts_what_can_be_found(layout: Layout) -> None:
    """Documents per tree, language and tag; deleted ones do not count."""
    with open_view(layout, make_generation(layout, FIRST, SECOND)) as view:
        overview = view.overview()
        assert (overview.chunks, overview.documents, overview.segments) == (4, 3, 2)
        assert overview.trees == {"code": 1, "docs": 2}
        assert overview.languages == {"markdown": 2, "python": 1}
        assert overview.tags == {"guide": 2, "http": 1}
    with open_view(layout, make_generation(layout, FIRST, SECOND, deleted=["guide/cache.md"])) as view:
        overview = view.overview()
        assert (overview.chunks, overview.documents, overview.segments) == (3, 2, 2)
        assert overview.trees == {"code": 1, "docs": 1}
        assert overview.tags == {"guide": 1}


def test_a_view_knows_its_generation(layout: Layout) -> None:
    """Its digest and its config, for status and for every answer."""
    generation = make_generation(layout, FIRST, version=7)
    with open_view(layout, generation) as view:
        assert view.generation == generation
        assert view.config.version == 7


def test_when_one_segment_can_not_be_opened_none_stays_open(layout: Layout) -> None:
    """Whatever is wrong with the second, the first is closed again."""
    config = layout.config(make_generation(layout, FIRST, SECOND))
    before = len(apsw.connections())
    layout.blob_path(config.segments[1].chunks).unlink()
    with pytest.raises(StoreError):
        View.open(config.encoder.digest, config, layout.blob_path, None)
    assert len(apsw.connections()) == before


def test_closing_closes_every_segment(layout: Layout) -> None:
    """No connection of a closed view is left."""
    before = len(apsw.connections())
    generation = make_generation(layout, FIRST, SECOND)
    with open_view(layout, generation):
        assert len(apsw.connections()) > before
    assert len(apsw.connections()) == before


def test_the_same_generation_can_be_open_twice(layout: Layout) -> None:
    """Several views of one directory, as several servers have it; closing one leaves the other."""
    generation = make_generation(layout, FIRST)
    with open_view(layout, generation) as one:
        with open_view(layout, generation) as other:
            assert one.search(Query("retry")) == other.search(Query("retry"))
        assert one.search(Query("retry")).hits


def test_a_generation_of_the_same_blobs_can_be_stored_again(layout: Layout) -> None:
    """Another version of the same segments is another generation."""
    first = make_generation(layout, FIRST)
    second = store_generation(layout, replace(layout.config(first), version=2))
    assert first != second
    with open_view(layout, second) as view:
        assert view.config.version == 2
