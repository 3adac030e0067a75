"""Cutting documents into chunks: the passages that are embedded and found."""

from __future__ import annotations

from pycontextify.index.model import Chunk
from pycontextify.ingest.chunk.markdown import chunk_markdown
from pycontextify.ingest.chunk.passage import passage
from pycontextify.ingest.chunk.plain import chunk_pages, chunk_plain
from pycontextify.ingest.chunk.python import chunk_python
from pycontextify.ingest.load import Loaded

__all__ = ["CHUNKER_VERSION", "chunk_document", "passage"]

CHUNKER_VERSION = 1
"""Goes up whenever the same file would give other chunks or passages: chunks of an older version are made anew."""


def chunk_document(loaded: Loaded) -> list[Chunk]:
    """Cut a document.

    The chunks are in the order of the file, of at most `cut.LIMIT` characters, and hold every line that is not blank
    exactly once, as it is in the file. A file without text gives none.
    """
    if loaded.pages is not None:
        return chunk_pages(loaded.pages)
    if loaded.language == "python":
        return chunk_python(loaded.text)
    if loaded.language == "markdown":
        return chunk_markdown(loaded.text)
    return chunk_plain(loaded.text)
