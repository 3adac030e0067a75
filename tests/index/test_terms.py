"""Words for the keyword side: what is indexed and what is asked."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pycontextify.index.terms import LONGEST_FILTER, asked_text, can_match, indexed_text
from pycontextify.index.tokens import Tokenizer

TOKENIZE = Tokenizer()


def _matches(text: str, query: str) -> bool:
    """Tell whether a query finds a text: whether they share a word."""
    return not set(TOKENIZE(indexed_text(text))).isdisjoint(TOKENIZE(asked_text(query)))


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("readIndex", ["read", "index"]),
        ("HTTPServer2", ["http", "server", "2"]),
        ("parseJSON", ["parse", "json"]),
        ("XMLHttpRequest", ["xml", "http", "request"]),
        ("GrößeServer", ["größe", "server"]),
        ("Utf8Decoder", ["utf", "8", "decoder"]),
        ("第3章", ["第", "3", "章"]),
    ],
)
def test_mixed_case_words_are_split(word: str, parts: list[str]) -> None:
    """Each part is asked for and indexed beside the whole word."""
    assert asked_text(word).split("\n") == [word.lower(), *parts]
    assert indexed_text(word).lower() == f"{word.lower()}\n{' '.join(parts)}"


@pytest.mark.parametrize(
    "word", ["read", "README", "Read", "42", "utf8", "Résumé", "Größe", "re\u0301sume\u0301", "索引"]
)
def test_words_of_one_piece_stay_whole(word: str) -> None:
    """Plain, capitalised and accented words, in either way of writing the accent, gain no parts."""
    assert asked_text(word) == word.lower()
    assert indexed_text(word) == word


def test_each_term_is_asked_for_once() -> None:
    """Repetition, case and parts that are words of the query themselves add nothing."""
    assert asked_text("index INDEX readIndex index").split() == ["index", "readindex", "read"]


def test_a_query_without_words_asks_for_nothing() -> None:
    """Of which there are no words either."""
    for query in ("", " ", "?!", "___", "\0", "\ud800", '"', "()*"):
        assert asked_text(query) == ""
    assert TOKENIZE("") == []


def test_a_very_long_query_is_cut() -> None:
    """At most 64 terms count."""
    assert len(asked_text(" ".join(f"w{n}x" for n in range(1000))).split()) == 64


def test_a_word_that_is_none_is_left_out() -> None:
    """Something encoded, of millions of letters."""
    assert asked_text(f"{'a' * 1000} b") == f"{'a' * 1000}\nb"
    assert asked_text(f"{'a' * 1001} b") == "b"
    assert asked_text("a" * 20_000_000) == ""


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("def read_index(path):", "index"),
        ("def readIndex(path):", "index"),
        ("def readIndex(path):", "read_index"),
        ("class HTTPServer2:", "http server"),
        ("class HttpServer:", "HTTPSERVER"),
        ("retries are counted", "retry"),
        ("café", "cafe"),
        ("résumé", "re\u0301sume\u0301"),
        ("Re\u0301sume\u0301", "Résumé"),
        ("überServer", "server"),
        ("SELECT * FROM words", 'select "from'),
    ],
)
def test_a_word_finds_what_people_mean(text: str, query: str) -> None:
    """Parts of identifiers, other cases, other forms of a word, accents or none."""
    assert _matches(text, query)


@pytest.mark.parametrize(("text", "query"), [("sum of r", "Résumé"), ("hello", "world"), ("e", "Größe")])
def test_a_word_does_not_find_what_nobody_means(text: str, query: str) -> None:
    """An accented letter does not tear a word into pieces that are words of their own."""
    assert not _matches(text, query)


@given(query=st.text(st.characters(), max_size=60))
@example(query="\ud800")
@example(query="a\0b")
@example(query="²")
@example(query="\u0345\u0301")
@example(query="İ")
@example(query='NEAR(a b) AND "c" -d e* ^f text:g')
def test_whatever_is_typed_is_words(query: str) -> None:
    """Half surrogate pairs and what looks like syntax included: none of it raises, all of it is words or nothing."""
    asked = asked_text(query)
    assert re.fullmatch(r"\w[\w\u0300-\u0331]*(\n\w[\w\u0300-\u0331]*)*|", asked)
    assert all(TOKENIZE(asked))


@given(text=st.text(max_size=80))
@example(text="HTTPServer2 readIndex")
def test_the_indexed_text_begins_with_the_text(text: str) -> None:
    """Parts are only ever added."""
    assert indexed_text(text).startswith(text)


@given(word=st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,12}", fullmatch=True))
def test_every_word_finds_itself_and_its_parts(word: str) -> None:
    """Whatever its case: the same rule holds on both sides."""
    for term in asked_text(word).split():
        assert _matches(f"some {word} here", term)


def test_filters_that_can_match_nothing() -> None:
    """Half surrogate pairs, which no file can hold, and what is longer than any path."""
    assert can_match("src/*.py")
    assert can_match("")
    assert not can_match("\udcff")
    assert can_match("*" * LONGEST_FILTER)
    assert not can_match("*" * (LONGEST_FILTER + 1))
