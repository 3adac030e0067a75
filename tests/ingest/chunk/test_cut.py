"""Cutting: parts fit, come out even, and end where a reader would end them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from semantic_text_splitter import TextSplitter

from pycontextify.ingest.chunk.cut import LIMIT, TARGET, by_indent, by_meaning, cut
from pycontextify.ingest.chunk.lines import Span, lines_of
from pycontextify.ingest.chunk.plain import chunk_pages, chunk_plain
from tests.ingest.chunk.invariants import check_chunks

row = st.tuples(st.integers(0, 60), st.integers(0, LIMIT - 60)).map(lambda pair: " " * pair[0] + "x" * pair[1])


@given(st.lists(row).map("\n".join))
def test_by_indent_always_fits(text: str) -> None:
    """It is what other cutters fall back on."""
    lines = lines_of(text)
    cuts = by_indent(lines, 1, len(lines))
    assert cuts == sorted(set(cuts))
    for begin, end in zip([1, *cuts], [*cuts, len(lines) + 1], strict=True):
        assert lines.size(begin, end - 1) <= LIMIT


def test_by_indent_cuts_where_nesting_is_least() -> None:
    """Between statements of the function, not in the middle of a loop; best after a blank line."""
    loop = "    for x in y:\n" + "        work(x, 'something long enough to count')\n" * 14
    lines = lines_of("def f():\n" + loop + "\n" + loop + "    done()\n" + loop)
    cuts = by_indent(lines, 1, len(lines))
    assert len(cuts) == 2
    assert [lines.indent(number) for number in cuts] == [4, 4]


def test_parts_come_out_even() -> None:
    """What is a little too long is halved, so that no part says next to nothing."""
    text = "some words, again and again\n" * (LIMIT // 28 + 2)
    for chunks in (chunk_plain(text), cut(lines_of(text), Span(1, text.count("\n"), "text"), by_indent)):
        sizes = [len(chunk.text) for chunk in chunks]
        assert len(sizes) == 2
        assert min(sizes) > LIMIT / 3


def test_paragraphs_stay_whole_where_they_fit() -> None:
    """Text is cut between paragraphs, and no part is the size of a word."""
    paragraphs = [f"Paragraph {number}.\n" + "Some words about it.\n" * 15 for number in range(12)]
    chunks = chunk_plain("\n".join(paragraphs))
    assert len(chunks) < 12
    assert all(chunk.text.startswith("Paragraph") for chunk in chunks)
    assert all(chunk.kind == "text" and chunk.symbol == "" for chunk in chunks)


def test_what_fits_is_one_chunk_without_its_blank_ends() -> None:
    """The lines are the ones that hold something."""
    (chunk,) = chunk_plain("\n\n  one\n\ntwo  \n\n")
    assert (chunk.text, chunk.start_line, chunk.end_line) == ("  one\n\ntwo  ", 3, 5)


def test_a_very_small_part_joins_a_neighbour() -> None:
    """A single line before a long paragraph is no chunk by itself."""
    text = "Title:\n\n" + "Some words about it, in a paragraph.\n" * 24 + "\n" + "Other words, in another one.\n" * 20
    lines = lines_of(text)
    cutter = by_meaning(lambda capacity: TextSplitter(capacity, trim=False))
    assert [lines[number] for number in cutter(lines, 1, len(lines))] == ["Other words, in another one."]


def test_a_line_too_long_is_cut_within_and_its_pieces_share_its_number() -> None:
    """Sentences stay whole where there are any; the lines around are chunks of their own."""
    sentence = "Here is a sentence that says little. "
    text = "before\n" + sentence * 200 + "\nafter\n"
    chunks = chunk_plain(text)
    check_chunks(text, chunks)
    assert [chunk.start_line for chunk in chunks] == [1, *[2] * (len(chunks) - 2), 3]
    assert all(chunk.text.startswith("Here") for chunk in chunks[1:-1])
    assert len(chunks) - 2 <= len(sentence * 200) / (TARGET / 2)


def test_pages_are_cut_one_by_one_and_numbered() -> None:
    """Lines of a PDF mean nothing to a reader; pages do. A blank page keeps its number."""
    chunks = chunk_pages(("First.", "", "Some words of the third page.\n" * 60))
    assert [chunk.start_line for chunk in chunks] == [1, 3, 3]
    assert all(chunk.start_line == chunk.end_line and chunk.kind == "page" for chunk in chunks)
    assert chunk_pages(()) == []
