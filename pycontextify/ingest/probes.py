"""Choosing probes: queries whose answers are known, stored in the config so that every server can check itself."""

from __future__ import annotations

import numpy as np

from pycontextify.index.model import Query
from pycontextify.index.view import View
from pycontextify.snapshot.config import Probe

__all__ = ["choose_probes"]

_PROBES = 5
_TRIED_PER_SEGMENT = 12
_TEXT_CHARACTERS = 300
_SURE_RANK = 3


def choose_probes(view: View) -> tuple[Probe, ...]:
    """Pick up to five chunks, spread over the view, that their own first lines find among the best three.

    Validation asks only for the best ten (`PROBE_DEPTH`), so that a machine whose arithmetic rounds differently agrees.
    """
    probes: list[Probe] = []
    for number, segment in enumerate(view.segments):
        share = -(-(_PROBES - len(probes)) // (len(view.segments) - number))
        kept = 0
        for row in _spread(segment.info.rows):
            if kept == share:
                break
            if segment.deleted is not None and segment.deleted[row]:
                continue
            text = segment.chunks.read([row])[0].chunk.text[:_TEXT_CHARACTERS]
            if row in segment.dense(view.embed(text), Query(text, mode="dense"), _SURE_RANK):
                probes.append(Probe(text, number, row))
                kept += 1
    return tuple(probes)


def _spread(rows: int) -> list[int]:
    """Row numbers spread evenly over a segment."""
    return np.unique(np.linspace(0, rows - 1, num=_TRIED_PER_SEGMENT).astype(int)).tolist() if rows else []
