"""Chunks of plain text, and of code whose grammar is not known here."""

from __future__ import annotations

from semantic_text_splitter import TextSplitter

from pycontextify.index.model import Chunk
from pycontextify.ingest.chunk.cut import Cutter, by_meaning, cut
from pycontextify.ingest.chunk.lines import Span, lines_of

__all__ = ["chunk_pages", "chunk_plain"]


def chunk_plain(text: str) -> list[Chunk]:
    """Cut between paragraphs where there are any, between lines otherwise; kind ``text``."""
    lines = lines_of(text)
    return cut(lines, Span(1, len(lines), "text"), _cutter())


def chunk_pages(pages: tuple[str, ...]) -> list[Chunk]:
    """Cut each page by itself; kind ``page``, and the line numbers are the page's number."""
    chunks: list[Chunk] = []
    for number, page in enumerate(pages, start=1):
        lines = lines_of(page)
        for chunk in cut(lines, Span(1, len(lines), "page"), _cutter()):
            chunks.append(Chunk(chunk.text, number, number, chunk.kind))  # noqa: PERF401 - two loops read better
    return chunks


def _cutter() -> Cutter:
    return by_meaning(lambda capacity: TextSplitter(capacity, trim=False))
