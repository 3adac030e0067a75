"""The inverted index: what is packed is unpacked, scores are those of BM25, and no bytes make it fail otherwise."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import apsw
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pycontextify.index.chunks_file import query
from pycontextify.index.postings import K1, B, Postings, PostingsError, Scores, unpack

WORDS = ["zebra", "index", "swap", "lease", "read"]
texts = st.lists(st.sampled_from(WORDS), max_size=12)
some_rows = st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=30)


def _lists(rows: Sequence[tuple[Sequence[str], Sequence[str], Sequence[str]]]) -> dict[str, bytes]:
    postings = Postings()
    for row in rows:
        postings.add(*row)
    return dict(postings.lists())


def _search(rows: Sequence[Sequence[str]], *words: str, limit: int = 100) -> dict[int, float]:
    """Search rows that have a text alone."""
    lists = _lists([((), (), row) for row in rows])
    scores = Scores(len(rows))
    for word in words:
        scores.add(*unpack(lists[word], len(rows)))
    return scores.best(limit, None, None)


@given(rows=some_rows)
def test_every_word_lists_its_rows(rows: list[tuple[list[str], list[str], list[str]]]) -> None:
    """All of them, ascending, words in their order; and each has its part, which is never nothing."""
    lists = _lists(rows)
    assert list(lists) == sorted({word for row in rows for field in row for word in field})
    for word, content in lists.items():
        found, parts = unpack(content, len(rows))
        assert found.tolist() == [number for number, row in enumerate(rows) if any(word in field for field in row)]
        assert len(parts) == len(found)
        assert (parts > 0).all()


@given(rows=some_rows)
def test_a_part_is_what_bm25_says(rows: list[tuple[list[str], list[str], list[str]]]) -> None:
    """f / (f + K1 (1 - B + B length / mean)), as near as a byte can tell; a word in a symbol counts four times."""
    mean = max(1.0, sum(len(field) for row in rows for field in row) / len(rows))
    for word, content in _lists(rows).items():
        for number, part in zip(*unpack(content, len(rows)), strict=True):
            symbol, path, text = (field.count(word) for field in rows[number])
            count, length = 4 * symbol + 2 * path + text, sum(map(len, rows[number]))
            assert part / 255 == pytest.approx(count / (count + K1 * (1 - B + B * length / mean)), abs=0.0021)


@pytest.mark.parametrize("gap", [0, 254, 255, 256, 65_535, 65_536, 100_000])
def test_rows_may_lie_far_apart(gap: int) -> None:
    """As far as one, two or four bytes tell."""
    postings = Postings()
    for text in (["here"], *[["between"]] * gap, ["here", "here"]):
        postings.add((), (), text)
    found, parts = unpack(dict(postings.lists())["here"], gap + 2)
    assert found.tolist() == [0, gap + 1]
    assert parts[0] < parts[1]


def test_ranking_is_that_of_another_implementation() -> None:
    """SQLite's full-text search ranks the rows of a word alike; the two differ in what its rarity counts."""
    random = np.random.default_rng(1)
    rows = [random.choice([*WORDS, "a", "b", "c"], random.integers(1, 40)).tolist() for _ in range(300)]
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
    connection.executemany(
        "INSERT INTO words(rowid, text) VALUES(?, ?)", [(n, " ".join(row)) for n, row in enumerate(rows)]
    )
    ranked = "SELECT rowid, -bm25(words) FROM words WHERE words MATCH ? ORDER BY 2"
    for word in WORDS:
        theirs = {row: float(score) for row, score in query(connection, ranked, (word,))}
        ours = _search(rows, word, limit=len(rows))
        assert ours.keys() == theirs.keys()
        factor = sum(ours.values()) / sum(theirs.values())
        assert [ours[row] for row in theirs] == pytest.approx([factor * score for score in theirs.values()], rel=0.02)


def test_a_rare_word_says_more_than_a_frequent_one() -> None:
    """And every word says something, also one that all rows have."""
    rows = [["common"], ["common"], ["common"], ["common", "rare"]]
    assert _search(rows, "rare")[3] > _search(rows, "common")[3] > 0
    assert _search(rows, "rare")[3] == pytest.approx(
        math.log(1 + 3.5 / 1.5) * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 1.25)), rel=0.01
    )


def test_scores_of_words_add_up() -> None:
    """A row that has both comes first."""
    rows = [["zebra"], ["index"], ["zebra", "index"], ["swap"]]
    both = _search(rows, "zebra", "index")
    assert set(both) == {0, 1, 2}
    assert next(iter(both)) == 2
    assert both[2] == pytest.approx(_search(rows, "zebra")[2] + _search(rows, "index")[2])


@given(
    scores=st.lists(st.integers(0, 3), min_size=1, max_size=40),
    limit=st.integers(-1, 45),
    masks=st.integers(0, 2**80 - 1),
)
@example(scores=[1, 1, 1], limit=2, masks=0)
def test_the_best_are_told_in_order(scores: list[int], limit: int, masks: int) -> None:
    """As sorting all of them by score and row would have it; none without a score; only what the masks let pass."""
    bits = np.array([masks >> n & 1 for n in range(80)], bool)
    allowed, deleted = bits[: len(scores)], bits[40 : 40 + len(scores)]
    for given_allowed, given_deleted in ((None, None), (allowed, None), (None, deleted), (allowed, deleted)):
        table = Scores(len(scores))
        having = np.flatnonzero(scores)
        if len(having):
            table.add(having, np.array(scores, np.uint8)[having])
        passing = [
            row
            for row, score in enumerate(scores)
            if score and (given_allowed is None or allowed[row]) and (given_deleted is None or not deleted[row])
        ]
        expected = sorted(passing, key=lambda row: (-scores[row], row))[: max(limit, 0)]
        assert list(table.best(limit, given_allowed, given_deleted)) == expected


@given(content=st.binary(max_size=40), rows=st.integers(0, 1000))
@example(content=b"\x04" + b"\xff" * 5, rows=2**32)
@example(content=b"\x00\x00", rows=1)
def test_any_bytes_are_a_list_or_refused(content: bytes, rows: int) -> None:
    """And a list has ascending rows of those that there are, each with a part."""
    try:
        found, parts = unpack(content, rows)
    except PostingsError:
        return
    assert len(found) == len(parts) >= 1
    assert (np.diff(found) > 0).all()
    assert found[0] >= 0
    assert found[-1] < rows


def test_without_rows_there_are_no_words() -> None:
    """An empty segment."""
    assert _lists([]) == {}
    assert Counter(_lists([((), (), ())])) == {}
    assert Scores(0).best(5, None, None) == {}
