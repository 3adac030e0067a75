"""What the encoder gets to read of a chunk."""

from __future__ import annotations

from pycontextify.index.model import Chunk

__all__ = ["passage"]


def passage(path: str, chunk: Chunk) -> str:
    """Return the text to embed: the document's path and the chunk's symbol on a line, then the chunk's text.

    Measured with the default encoder on 54 files of the standard library, from docstring to function (the docstrings
    taken out): MRR 0.39 for the text alone, 0.43 with symbol, or path and symbol; spelling names out as words is worse.
    """
    title = f"{path} {chunk.symbol}" if chunk.symbol else path
    return f"{title}\n{chunk.text}"
