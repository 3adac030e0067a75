"""What holds of the chunks of any text."""

from __future__ import annotations

from itertools import pairwise

from pycontextify.index.model import Chunk
from pycontextify.ingest.chunk.cut import LIMIT

__all__ = ["check_chunks"]


def check_chunks(text: str, chunks: list[Chunk]) -> None:
    """Check order, bounds, sizes, that texts are the lines they name, and that each line is there just once."""
    rows = text.split("\n")
    covered: dict[int, int] = {}
    pieces: dict[int, str] = {}
    for chunk in chunks:
        assert 1 <= chunk.start_line <= chunk.end_line <= len(rows)
        assert chunk.text.strip()
        assert len(chunk.text) <= LIMIT
        for number in range(chunk.start_line, chunk.end_line + 1):
            covered[number] = covered.get(number, 0) + 1
        if chunk.start_line == chunk.end_line and len(rows[chunk.start_line - 1]) > LIMIT:
            pieces[chunk.start_line] = pieces.get(chunk.start_line, "") + chunk.text
        else:
            assert chunk.text == "\n".join(rows[chunk.start_line - 1 : chunk.end_line])
    for one, other in pairwise(chunks):
        assert one.end_line < other.start_line or one.end_line == other.start_line == one.start_line
    for number, row in enumerate(rows, start=1):
        if len(row) > LIMIT:
            assert "".join(pieces.get(number, "").split()) == "".join(row.split())
        elif row.strip():
            assert covered.get(number) == 1, f"line {number} is in {covered.get(number, 0)} chunks: {row!r}"
