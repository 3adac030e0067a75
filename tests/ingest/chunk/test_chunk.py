"""Whatever the text, the chunks hold it: every line once, in order, in bounds, as it is."""

from __future__ import annotations

import asyncio
import email
import http
import json
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.ingest.chunk import CHUNKER_VERSION, chunk_document, passage
from pycontextify.ingest.chunk.markdown import chunk_markdown
from pycontextify.ingest.chunk.plain import chunk_plain
from pycontextify.ingest.chunk.python import chunk_python
from pycontextify.ingest.crawl import Found, crawl
from pycontextify.ingest.load import Loaded, load
from tests.ingest.chunk.invariants import check_chunks

CODE = [
    *("def f():", "async def g(x, *, y):", "class A:", "class B(A):", "@decorated", "@decorated(", "x = 1", "pass"),
    *("# a comment", '"""', '"""A docstring."""', "if x:", "else:", "try:", "except:", "finally:", "with x:", "(", ")"),
    *("class C: pass; class D: pass", "def h(): pass", "x = '''", "'''", "return (", "]", "\\", "match x:", "case 1:"),
    *("lambda: 0", "def", "class", "é = '\u2028'", "\x0c", "y = '" + "z" * 300 + "'", ""),
]
PROSE = [
    *("# Title", "## Section", "### Deep", "#", "####### no", "Setext", "===", "---", "- item", "> quote", "| a | b |"),
    *("```", "~~~", "````", "    indented", "<!--", "-->", "[link](x)", "Some words. And more.", "* * *", "1. one", ""),
    *("+++", "...", "word " * 60, "\u2028", "x" * 700, "\tTab", "# Title #", "Title\t", "<a name='x'></a>"),
]
indents = st.sampled_from(["", "", "    ", "        ", "\t", " ", " " * 60])


def texts(rows: list[str]) -> st.SearchStrategy[str]:
    """Texts made of these lines, indented anyhow, some of them repeated to some length."""
    line = st.tuples(indents, st.sampled_from(rows), st.sampled_from([1, 1, 1, 1, 30])).map(
        lambda parts: "\n".join([parts[0] + parts[1]] * parts[2])
    )
    return st.lists(line, max_size=60).map("\n".join)


anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))
long_lines = st.lists(
    st.tuples(st.text("ab .;\n\u2028é", min_size=1), st.integers(1, 900)).map(lambda p: p[0] * p[1])
).map("".join)


@given(anything | texts(CODE) | long_lines)
def test_python_chunks_hold_every_line_once(text: str) -> None:
    """Valid or not: definitions cut in half, strings that never end, several on one line."""
    check_chunks(text, chunk_python(text))


@given(anything | texts(PROSE) | long_lines)
def test_markdown_chunks_hold_every_line_once(text: str) -> None:
    """Headings of both kinds, fences that never close, comments, front matter."""
    check_chunks(text, chunk_markdown(text))


@given(anything | texts(CODE) | texts(PROSE) | long_lines)
def test_plain_chunks_hold_every_line_once(text: str) -> None:
    """Any text there is, with separators that others take for line ends."""
    check_chunks(text, chunk_plain(text))


@pytest.mark.parametrize("package", [asyncio, http, json, email], ids=lambda package: package.__name__)
def test_real_packages_are_chunked_whole_by_every_cutter(package: ModuleType) -> None:
    """The standard library as input, as Python and as if it were something else."""
    assert package.__file__ is not None
    found = [item for item in crawl(Path(package.__file__).parent) if isinstance(item, Found)]
    assert found
    for file in found:
        loaded = load(file.path, file.relative, file.size)
        for cutter in (chunk_python, chunk_markdown, chunk_plain):
            check_chunks(loaded.text, cutter(loaded.text))


def test_the_language_decides_how_a_document_is_cut() -> None:
    """Python by definitions, Markdown by headings, a PDF by pages, the rest as text."""
    text = "# Title\n\ndef f():\n    pass\n"

    def kinds(language: str, pages: tuple[str, ...] | None = None) -> set[str]:
        return {chunk.kind for chunk in chunk_document(Loaded("x", text, language, "0" * 64, len(text), pages))}

    assert kinds("python") == {"function"}
    assert kinds("markdown") == {"section"}
    assert kinds("rust") == {"text"}
    assert kinds("pdf", ("one", "two")) == {"page"}


@pytest.mark.parametrize("language", ["python", "markdown", "text"])
@pytest.mark.parametrize("text", ["", "\n", " \n\t\n \x0c"])
def test_a_blank_document_gives_no_chunks(language: str, text: str) -> None:
    """There is nothing in it to find."""
    assert chunk_document(Loaded("x", text, language, "0" * 64, len(text))) == []


@pytest.mark.parametrize("language", ["python", "markdown", "text"])
@pytest.mark.parametrize(
    "text",
    [
        "x" * 400_000,
        "a=b;" * 100_000,
        "e\u0301" * 200_000,
        "(" * 100_000,
        "# " * 150_000,
        "#" + " " * 300_000 + "x",
        "[" * 300_000,
        "`" * 300_000 + "x",
        "\n" * 400_000 + "x",
        "x\n" * 100_000,
        " x\ny\n" * 50_000,
        "".join(f"{' ' * depth}def f():\n" for depth in range(700)),
        "".join(f"{' ' * depth}if x:\n" for depth in range(700)),
        "> x\n" * 60_000,
        "x\n---\n" * 30_000,
        "'''\n" * 50_000,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_hostile_documents_take_linear_time_and_space(language: str, text: str) -> None:
    """Minified code, nesting without end, blank pages: the number of chunks is bounded by the size."""
    chunks = chunk_document(Loaded("x", text, language, "0" * 64, len(text)))
    check_chunks(text, chunks)
    assert len(chunks) <= len(text) / 100 + len(text.split("\ndef"))


def test_the_version_is_a_number_that_can_grow() -> None:
    """It is stored with an index, and compared."""
    assert isinstance(CHUNKER_VERSION, int)


def test_a_passage_names_where_its_text_is_from() -> None:
    """The path and the symbol tell much of what a short text is about."""
    function, text = (chunk_document(Loaded("x", "def f(): ...", language, "", 0))[0] for language in ("python", "c"))
    assert passage("pkg/a.py", function) == "pkg/a.py f\ndef f(): ..."
    assert passage("pkg/a.c", text) == "pkg/a.c\ndef f(): ..."
