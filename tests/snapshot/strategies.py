"""What snapshots can be made of: one example, and anything else for hypothesis."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from pycontextify.snapshot.config import EncoderInfo, Probe, SegmentInfo, SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.manifest import Descriptor, Manifest

__all__ = [
    "CONFIG",
    "anything",
    "configs",
    "counts",
    "descriptors",
    "digests",
    "file_names",
    "manifests",
    "moments",
    "ref_names",
    "wrong_counts",
    "wrong_digests",
    "wrong_lists",
    "wrong_moments",
    "wrong_names",
    "wrong_objects",
    "wrong_texts",
]

_A, _B, _C = digest_of(b"a"), digest_of(b"b"), digest_of(b"c")

CONFIG = SnapshotConfig(
    name="index",
    version=42,
    created="2026-11-22T10:00:00Z",
    encoder=EncoderInfo("tiny", _A, 8, files={"model.onnx": _B}),
    segments=(SegmentInfo(_A, _B, 10, 2), SegmentInfo(_B, _C, 5, 1, deleted=_A)),
    probes=(Probe("hello", 0, 3),),
)
"""An example; its blobs are those of ``a``, ``b`` and ``c``."""

counts = st.integers(0, 2**63 - 1)
digests = st.text("0123456789abcdef", min_size=64, max_size=64).map(lambda digits: Digest(f"sha256:{digits}"))
file_names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
ref_names = file_names
_texts = st.text(max_size=40)
moments = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)

_encoders = st.builds(
    EncoderInfo,
    id=_texts,
    digest=digests,
    dimension=counts,
    provider=_texts,
    pooling=st.sampled_from(["mean", "cls"]),
    max_tokens=counts,
    query_prefix=_texts,
    passage_prefix=_texts,
    files=st.dictionaries(file_names, digests, max_size=3),
)
_segments = st.builds(
    SegmentInfo, vectors=digests, chunks=digests, rows=counts, documents=counts, deleted=st.none() | digests
)
configs = st.builds(
    SnapshotConfig,
    name=file_names,
    version=counts,
    created=_texts,
    encoder=_encoders,
    segments=st.lists(_segments, min_size=1, max_size=3).map(tuple),
    probes=st.lists(st.builds(Probe, text=_texts, segment=counts, row=counts), max_size=3).map(tuple),
    channel=file_names,
    expires=st.none() | moments,
)
descriptors = st.builds(
    Descriptor,
    media_type=_texts,
    digest=digests,
    size=counts,
    annotations=st.dictionaries(_texts, _texts, max_size=2),
)
manifests = st.builds(Manifest, config=descriptors, layers=st.lists(descriptors, max_size=4).map(tuple))


def _json(value: Any) -> Any:
    """Return what the value is once it has been written as JSON and read again."""
    return json.loads(json.dumps(value))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
).map(_json)
"""Any value of JSON as Python reads it: half surrogate pairs, NaN and infinities included."""

_not_text = st.none() | st.booleans() | st.integers() | st.floats() | st.lists(st.text(max_size=3), max_size=2)
wrong_texts = _not_text | st.just("\ud800") | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
wrong_counts = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers(max_value=-1)
    | st.integers(min_value=2**63)
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2)
)
wrong_digests = wrong_texts | st.text(max_size=80) | digests.map(lambda digest: f"{digest}0")
wrong_lists = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)
wrong_objects = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers())
wrong_names = wrong_texts | st.sampled_from(
    ["", ".", "..", "../x", "a/b", "a\\b", "a\0", ".hidden", "a b", "é", "-x", "a\n"]
)
wrong_moments = wrong_texts.filter(lambda value: value is not None) | st.sampled_from(
    [
        *("", "never", "2026-11-22", "2026-11-22T10:00:00", "2026-13-01T00:00:00Z", "1e9", "2026-11-22T10:00:00Z\n"),
        *("2026-11-22\n10:00:00Z", "2026-11-22\x1b10:00:00Z", "20261122T100000Z", "2026-W47-7T10:00:00Z"),
        *("٢٠٢٦-11-22T10:00:00Z", "2026-11-22T25:00:00Z", "2026-11-22T10:00:00+24:00", "2026-11-22T10:00:00Zé"),
    ]
)
