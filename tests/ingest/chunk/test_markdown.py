"""Markdown is cut by its headings."""

from __future__ import annotations

from pycontextify.index.model import Chunk
from pycontextify.ingest.chunk.cut import LIMIT
from pycontextify.ingest.chunk.markdown import chunk_markdown

WORDS = "Some words that say enough to make a section of its own.\n" * 5


def outline(text: str) -> list[tuple[int, int, str]]:
    """Return the chunks as first line, last line, symbol."""
    chunks = chunk_markdown(text)
    assert all(chunk.kind == "section" for chunk in chunks)
    return [(chunk.start_line, chunk.end_line, chunk.symbol) for chunk in chunks]


def test_sections_carry_their_path_of_headings() -> None:
    """A heading is below the nearest one of a lower level before it."""
    text = f"{WORDS}# Title\n{WORDS}## Install\n{WORDS}### Linux\n{WORDS}## Use\n{WORDS}# Other\n{WORDS}"
    assert outline(text) == [
        (1, 5, ""),
        (6, 11, "Title"),
        (12, 17, "Title > Install"),
        (18, 23, "Title > Install > Linux"),
        (24, 29, "Title > Use"),
        (30, 35, "Other"),
    ]


def test_headings_without_a_text_join_what_follows() -> None:
    """However many there are in a row."""
    assert outline(f"# Title\n\n## Install\n\n### Linux\n{WORDS}") == [(1, 10, "Title > Install > Linux")]
    assert outline(f"# Title\n## Empty\n## Use\n{WORDS}") == [(1, 8, "Title > Use")]


def test_a_last_heading_without_a_text_joins_what_came_before() -> None:
    """There is nothing else to join it to."""
    assert outline(f"# Title\n{WORDS}\n## Later\n") == [(1, 8, "Title")]
    assert outline("# Title\n") == [(1, 1, "Title")]


def test_tiny_sections_join_those_below_or_beside_them() -> None:
    """Such as the entries of a glossary; the symbol is what they have in common."""
    text = "# Title\n\n## One\nShort.\n\n## Two\nShort.\n\n## Three\nShort.\n"
    assert outline(text) == [(1, 10, "Title")]
    assert outline(f"# Title\n{WORDS}## One\nShort.\n## Two\nShort.\n# Other\n{WORDS}") == [
        (1, 6, "Title"),
        (7, 10, "Title"),
        (11, 16, "Other"),
    ]


def test_a_tiny_section_does_not_join_what_is_above_it() -> None:
    """The next chapter is about something else."""
    assert outline(f"# One\n{WORDS}## Detail\nShort.\n# Two\n{WORDS}")[1:] == [(7, 8, "One > Detail"), (9, 14, "Two")]


def test_a_badge_above_the_title_joins_the_title() -> None:
    """What comes before the first heading is rarely worth a chunk of its own."""
    assert outline(f"![badge](https://host/b.svg)\n\n# Title\n{WORDS}") == [(1, 8, "Title")]
    assert outline(f"\n\n# Title\n{WORDS}") == [(3, 8, "Title")]


def test_front_matter_is_a_chunk_when_it_is_long() -> None:
    """It is no heading's text."""
    matter = "---\n" + "description: some words that say what this page is about, at length\n" * 4 + "---\n"
    assert outline(f"{matter}# Title\n{WORDS}") == [(1, 6, ""), (7, 12, "Title")]


def test_a_text_without_headings_is_cut_all_the_same() -> None:
    """By paragraphs, without a symbol."""
    chunks = chunk_markdown("\n".join([WORDS] * 8))
    assert len(chunks) > 1
    assert {chunk.symbol for chunk in chunks} == {""}


def test_a_long_section_is_cut_between_blocks_and_keeps_its_symbol() -> None:
    """A block of code that fits stays whole, and no part is a lone fence or heading."""
    code = "```python\n" + "call(something, with_arguments)\n" * 20 + "```\n"
    chunks = chunk_markdown(f"# Title\n\n{code}\n{code}\n{code}")
    assert len(chunks) == 3
    assert {chunk.symbol for chunk in chunks} == {"Title"}
    assert all(_fences(chunk) == 2 and len(chunk.text) <= LIMIT for chunk in chunks)


def _fences(chunk: Chunk) -> int:
    return sum(row.startswith("```") for row in chunk.text.split("\n"))
