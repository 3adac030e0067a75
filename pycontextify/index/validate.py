"""Validation: do the parts of a generation cohere as an index? Everything is read once, before anything is swapped.

Bytes were verified against their digests before; here the question is whether their publisher made a mistake, or means
harm: what passes is served without a search that fails.
"""

from __future__ import annotations

from pycontextify.errors import NotReadyError, ValidateError
from pycontextify.index.model import Query
from pycontextify.index.segment import Segment
from pycontextify.index.view import View
from pycontextify.snapshot.config import EncoderInfo, Probe, SnapshotConfig
from pycontextify.snapshot.pair import check_belongs

__all__ = ["PROBE_DEPTH", "passes", "validate"]

PROBE_DEPTH = 10
"""A probe must be found among this many."""


def validate(view: View, before: SnapshotConfig | None = None) -> None:
    """Check counts, dimension, encoder, contents and probes of an open generation.

    ``before`` is the config of one that passed: the contents of segments that it has as well are not read again.

    Raises ValidateError naming the first thing that does not fit.
    """
    passed = {(info.vectors, info.chunks) for info in before.segments} if before else set()
    for number, segment in enumerate(view.segments, start=1):
        _validate_segment(segment, view.config.encoder, f"segment {number}")
        if (segment.info.vectors, segment.info.chunks) not in passed:
            segment.vectors.check()
            segment.chunks.check()
        _validate_documents(segment, f"segment {number}")
    for probe in view.config.probes:
        if view.degraded is None and not passes(view, probe):
            raise ValidateError(
                f"the probe query {probe.text[:60]!r} no longer finds the chunk that it found when the index was built",
                code="probe_failed",
                hint="vectors and encoder do not belong together; publish the index again",
            )


def passes(view: View, probe: Probe) -> bool:
    """Tell whether a probe's text finds its row by meaning.

    True as well when the encoder can't answer now (a service that is down): that says nothing about the index, and
    words can be searched meanwhile.
    """
    if not (probe.segment < len(view.segments) and probe.row < view.segments[probe.segment].info.rows):
        return False
    segment = view.segments[probe.segment]
    query = Query(probe.text, limit=PROBE_DEPTH, mode="dense")
    try:
        embedding = view.embed(probe.text)
    except NotReadyError:
        return True
    return probe.row in segment.dense(embedding, query, PROBE_DEPTH)


def _validate_segment(segment: Segment, encoder: EncoderInfo, name: str) -> None:
    if segment.vectors.dimension != encoder.dimension:
        raise ValidateError(
            f"its vectors have {segment.vectors.dimension} dimensions, the encoder {encoder.id} makes "
            f"{encoder.dimension}",
            code="dimension_differs",
            asset=name,
            hint="publish an index built with this encoder",
        )
    check_belongs(segment.chunks.meta, segment.info.vectors, name)
    claimed = segment.chunks.meta.get("encoder", {})
    if not isinstance(claimed, dict) or claimed.get("digest") != encoder.digest:
        raise ValidateError(
            "its chunks file was built with another encoder than the config names",
            code="encoder_differs",
            asset=name,
            hint="publish the files of one build together",
        )


def _validate_documents(segment: Segment, name: str) -> None:
    spans = segment.live_spans()
    live, live_rows = len(spans), int(spans[:, 1].sum())
    if (live, live_rows) != (segment.info.documents, segment.live_rows):
        raise ValidateError(
            f"it has {live} documents of {live_rows} rows that still count, the config says "
            f"{segment.info.documents}, and {segment.live_rows} rows are not deleted",
            code="documents_differ",
            asset=name,
            hint="publish the files of one build together",
        )
