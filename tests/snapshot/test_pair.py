"""The pair form: the chunks file's meta table says what the config would."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pycontextify.errors import ValidateError
from pycontextify.snapshot.config import SegmentInfo, SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.pair import config_of_pair, segment_meta
from tests.snapshot.strategies import (
    CONFIG,
    anything,
    configs,
    counts,
    digests,
    wrong_counts,
    wrong_digests,
    wrong_moments,
    wrong_names,
    wrong_objects,
    wrong_texts,
)

A, B = digest_of(b"a"), digest_of(b"b")


def _meta() -> dict[str, Any]:
    """Return the meta table of a chunks file as it is read back."""
    meta: dict[str, Any] = json.loads(json.dumps(segment_meta(CONFIG, rows=10, documents=2, chunker=1)))
    return {**meta, "vectors": A}


@given(config=configs, rows=counts, documents=counts, vectors=digests, chunks=digests)
def test_a_config_can_be_made_of_the_meta_table(
    config: SnapshotConfig, rows: int, documents: int, vectors: Digest, chunks: Digest
) -> None:
    """All of the config comes back but what only a layout can carry: encoder files and probes."""
    meta = json.loads(json.dumps(segment_meta(config, rows=rows, documents=documents, chunker=3)))
    meta["vectors"] = vectors
    made = config_of_pair(meta, vectors=vectors, chunks=chunks)
    assert made == replace(
        config,
        encoder=replace(config.encoder, files={}),
        segments=(SegmentInfo(vectors, chunks, rows, documents),),
        probes=(),
    )
    assert made == config_of_pair(meta, vectors=vectors, chunks=chunks)
    assert SnapshotConfig.from_bytes(made.to_bytes()) == made


def test_the_meta_table_is_enough_to_read_the_files_by() -> None:
    """The design's promise: schema, encoder id and digest, dimension, metric, version and created are in it."""
    meta = _meta()
    assert meta["schema"] == 1
    assert (meta["encoder"]["id"], meta["encoder"]["digest"]) == ("tiny", CONFIG.encoder.digest)
    assert (meta["dimension"], meta["metric"]) == (8, "inner_product")
    assert (meta["version"], meta["created"]) == (42, "2026-11-22T10:00:00Z")
    assert (meta["rows"], meta["documents"], meta["chunker"]) == (10, 2, 1)


@pytest.mark.parametrize("schema", [None, 0, 2, True, 1.0, "1"])
def test_another_schema_is_refused(schema: Any) -> None:
    """A chunks file of another format says so before anything else of it is read."""
    with pytest.raises(ValidateError, match="the chunks file has schema") as caught:
        config_of_pair({"schema": schema}, vectors=A, chunks=B)
    assert caught.value.code == "schema_unsupported"
    assert caught.value.hint


FIELDS: dict[str, SearchStrategy[Any]] = {
    "name": wrong_names,
    "channel": wrong_names,
    "expires": wrong_moments,
    "version": wrong_counts,
    "created": wrong_texts,
    "rows": wrong_counts,
    "documents": wrong_counts,
    "encoder": wrong_objects | st.fixed_dictionaries({"id": wrong_texts, "digest": wrong_digests}),
}


@pytest.mark.parametrize("key", FIELDS)
@settings(max_examples=25)
@given(data=st.data())
def test_a_row_of_the_wrong_kind_is_refused(key: str, data: st.DataObject) -> None:
    """Every row of the meta table that the config is made of, wrong or missing, is a ValidateError."""
    for meta in ({**_meta(), key: data.draw(FIELDS[key])}, {k: v for k, v in _meta().items() if k != key}):
        with pytest.raises(ValidateError) as caught:
            config_of_pair(meta, vectors=A, chunks=B)
        assert caught.value.code == "meta_invalid"
        assert caught.value.hint
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize("named", [None, B, "", 7])
def test_other_vectors_are_refused(named: object) -> None:
    """A chunks file names its vectors: files of two builds, however well they fit otherwise, are no pair."""
    with pytest.raises(ValidateError, match="not built together") as caught:
        config_of_pair({**_meta(), "vectors": named}, vectors=A, chunks=B)
    assert caught.value.code == "pair_differs"
    assert caught.value.hint


@given(value=st.dictionaries(st.sampled_from([*_meta()]), anything))
def test_an_arbitrary_meta_table_raises_nothing_else(value: dict[str, Any]) -> None:
    """Whatever a meta table holds, the outcome is a config or a ValidateError."""
    with pytest.raises(ValidateError):
        config_of_pair({"schema": 1, **value}, vectors=A, chunks=B)
