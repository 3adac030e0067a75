"""What is a heading in Markdown, and what only looks like one."""

from __future__ import annotations

import pytest

from pycontextify.ingest.chunk.headings import headings_of
from pycontextify.ingest.chunk.lines import lines_of


@pytest.mark.parametrize(
    ("text", "headings"),
    [
        ("# One", [(1, 1, 1, "One")]),
        ("  ###   Three  ", [(1, 1, 3, "Three")]),
        ("# One #\n## Two ##", [(1, 1, 1, "One"), (2, 2, 2, "Two")]),
        ("# C#\n# F# #", [(1, 1, 1, "C#"), (2, 2, 1, "F#")]),
        ("#", [(1, 1, 1, "")]),
        ("## ##", [(1, 1, 2, "")]),
        ("#hash\n####### seven\n    # code\n\\# quoted", []),
        ("One\n===", [(1, 2, 1, "One")]),
        ("One\ntwo\n---", [(1, 3, 2, "One two")]),
        ("text\n\nOne\n-", [(3, 4, 2, "One")]),
        ("text\n\n---\n\ntext", []),
        ("- item\n---", []),
        ("- item\ntext\n---", []),
        ("> quote\n---", []),
        ("| a |\n---", []),
        ("1. one\n===", []),
        ("***\nOne\n---", [(2, 3, 2, "One")]),
        ("# One\n---", [(1, 1, 1, "One")]),
        (f"{'word ' * 60}\n---", []),
        ("```\n# no\n```\n# One", [(4, 4, 1, "One")]),
        ("````\n```\n# no\n````\n# One", [(5, 5, 1, "One")]),
        ("~~~\n```\n# no\n~~~~\n# One", [(5, 5, 1, "One")]),
        ("``` not `a fence\n# One", [(2, 2, 1, "One")]),
        ("```\n# no", []),
        ("text\n```\ncode\n```\n---", []),
        ("<!--\n# no\n-->\n# One", [(4, 4, 1, "One")]),
        ("<!-- short -->\n# One", [(2, 2, 1, "One")]),
        ("---\ntitle: x\n# no\n---\n# One", [(5, 5, 1, "One")]),
        ("+++\ntitle = 'x'\n+++\n# One", [(4, 4, 1, "One")]),
        ("---\n\n# One", [(3, 3, 1, "One")]),
        ("# `code` and **bold** and [a link](https://host/)", [(1, 1, 1, "code and bold and a link")]),
        ("# Anchored {#here}\n## Noted[^1]", [(1, 1, 1, "Anchored"), (2, 2, 2, "Noted")]),
        ("# <a name='x'></a>One", [(1, 1, 1, "One")]),
        ("", []),
    ],
)
def test_headings_are_what_commonmark_says(text: str, headings: list[tuple[int, int, int, str]]) -> None:
    """With their lines, level, and title as people say it."""
    found = [(heading.first, heading.last, heading.level, heading.title) for heading in headings_of(lines_of(text))]
    assert found == headings


def test_a_title_is_kept_short() -> None:
    """It goes in front of every passage of its section."""
    (heading,) = headings_of(lines_of("# " + "word " * 1000))
    assert len(heading.title) <= 120
