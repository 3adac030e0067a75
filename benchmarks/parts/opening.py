"""Open an index again and again, and search in it: ``opening LAYOUT``.

The encoder is open already and queries are embedded, so that what is measured is the index.
"""

from __future__ import annotations

import sys
import time
from statistics import median

from benchmarks.corpus import row_of
from benchmarks.parts.remembering import Remembering
from benchmarks.parts.telling import tell
from benchmarks.questions import questions
from pycontextify.config import settings_of_call
from pycontextify.index.live import LiveIndex
from pycontextify.index.model import Hit, Mode, Query
from pycontextify.index.view import View
from pycontextify.library.workspace import Workspace

__all__ = ["QUESTIONS", "main"]

QUESTIONS = 100
_OPENED, _HYBRID = 5, 25


def main(directory: str) -> None:
    """Open and search, and tell: medians in seconds, and the rows that were found by meaning for each question."""
    workspace = Workspace(settings_of_call({"index_dir": directory}))
    live: LiveIndex[View] = LiveIndex()
    texts = questions(QUESTIONS)
    live.swap(workspace.open_current())
    with live.lease() as view:
        assert view is not None
        encoder = Remembering(texts, view)
    opened, first = zip(*(_opened(workspace, live, encoder, text) for text in texts[:_OPENED]), strict=True)
    with live.lease() as view:
        assert view is not None
        remembering = encoder.view_of(view)
        dense = [_asked(remembering, text, "dense") for text in texts]
        hybrid = [_asked(remembering, text, "hybrid") for text in texts[:_HYBRID]]
    live.swap(None)
    tell(
        opened=median(opened),
        first=median(first),
        dense=median(seconds for seconds, _ in dense),
        hybrid=median(seconds for seconds, _ in hybrid),
        found=[[row_of(hit) for hit in hits] for _, hits in dense],
    )


def _opened(workspace: Workspace, live: LiveIndex[View], encoder: Remembering, text: str) -> tuple[float, float]:
    """Open the index anew and make it the live one; return after how many seconds it was, and had answered."""
    began = time.perf_counter()
    view = workspace.open_current()
    live.swap(view)
    opened = time.perf_counter() - began
    assert view is not None
    encoder.view_of(view).search(Query(text, mode="dense"))
    return opened, time.perf_counter() - began


def _asked(view: View, text: str, mode: Mode) -> tuple[float, tuple[Hit, ...]]:
    began = time.perf_counter()
    answer = view.search(Query(text, mode=mode))
    return time.perf_counter() - began, answer.hits


if __name__ == "__main__":
    main(*sys.argv[1:])
