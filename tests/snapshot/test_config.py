"""The config blob: round trips, and nothing but ValidateError for what is no config."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pycontextify.errors import ValidateError
from pycontextify.snapshot.config import (
    SCHEMA,
    EncoderInfo,
    SnapshotConfig,
    canonical_json,
    moment_of,
    parse_object,
    rfc3339,
    shown,
)
from pycontextify.snapshot.digest import digest_of
from tests.snapshot.strategies import (
    CONFIG,
    anything,
    configs,
    wrong_counts,
    wrong_digests,
    wrong_lists,
    wrong_moments,
    wrong_names,
    wrong_objects,
    wrong_texts,
)


@given(config=configs)
def test_a_config_survives_being_written_and_read(config: SnapshotConfig) -> None:
    """from_bytes undoes to_bytes, and what is read writes the same bytes again."""
    content = config.to_bytes()
    again = SnapshotConfig.from_bytes(content)
    assert again == config
    assert again.to_bytes() == content


def test_the_bytes_are_canonical() -> None:
    """Sorted keys, no white space, UTF-8 as it is: pinned, for the digest of every snapshot hangs on it."""
    assert canonical_json({"b": [1, None], "a": "é"}) == '{"a":"é","b":[1,null]}'.encode()
    assert digest_of(CONFIG.to_bytes()).short == "e59393c0fc53"


@given(value=anything)
def test_canonical_json_does_not_depend_on_the_order_of_keys(value: Any) -> None:
    """Equal objects have one text, in whatever order their keys were put in."""

    def backwards(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: backwards(value[key]) for key in reversed(value)}
        return [backwards(item) for item in value] if isinstance(value, list) else value

    try:
        content = canonical_json(value)
    except UnicodeEncodeError:  # half a surrogate pair: the parsers let none in
        return
    assert canonical_json(backwards(value)) == content


def test_rows_counts_all_segments() -> None:
    """The rows of all segments together, deleted ones included."""
    assert CONFIG.rows == 15


def test_what_may_be_left_out_has_its_default() -> None:
    """A config with only what it must have is read with the documented defaults."""
    raw = json.loads(CONFIG.to_bytes())
    for key in ("probes", "channel", "expires"):
        del raw[key]
    for key in ("provider", "pooling", "max_tokens", "query_prefix", "passage_prefix", "files"):
        del raw["encoder"][key]
    del raw["segments"][0]["deleted"]
    config = SnapshotConfig.from_bytes(json.dumps(raw).encode())
    assert (config.probes, config.channel, config.expires) == ((), "default", None)
    assert config.encoder == EncoderInfo("tiny", CONFIG.encoder.digest, 8)
    assert config.segments[0].deleted is None


def test_what_is_not_known_is_passed_over() -> None:
    """A newer writer may add keys; this reader goes by those it knows."""
    raw = {**json.loads(CONFIG.to_bytes()), "novelty": {"x": 1}}
    assert SnapshotConfig.from_bytes(json.dumps(raw).encode()) == CONFIG


@given(schema=anything)
@example(schema=0)
@example(schema=2)
@example(schema=True)
@example(schema=1.0)
@example(schema="1")
@example(schema=None)
@example(schema="x" * 1_000_000)
@example(schema=[[[[[[1]]]]]])
def test_another_schema_is_refused(schema: Any) -> None:
    """Only the number 1 is our schema, neither ``true`` nor ``1.0``; the message is short whatever it says."""
    if type(schema) is int and schema == SCHEMA:
        return
    raw = {**json.loads(CONFIG.to_bytes()), "schema": schema}
    with pytest.raises(ValidateError) as caught:
        SnapshotConfig.from_bytes(json.dumps(raw).encode())
    assert caught.value.code == "schema_unsupported"
    assert caught.value.hint
    assert len(str(caught.value)) < 300


FIELDS: dict[str, SearchStrategy[Any]] = {
    "name": wrong_names,
    "version": wrong_counts,
    "created": wrong_texts,
    "encoder": wrong_objects,
    "encoder.id": wrong_texts,
    "encoder.digest": wrong_digests,
    "encoder.dimension": wrong_counts,
    "encoder.provider": wrong_texts,
    "encoder.pooling": wrong_texts | st.text(max_size=5).filter(lambda text: text not in ("mean", "cls")),
    "encoder.max_tokens": wrong_counts,
    "encoder.query_prefix": wrong_texts,
    "encoder.passage_prefix": wrong_texts,
    "encoder.files": wrong_objects | st.dictionaries(st.just("model.onnx"), wrong_digests, min_size=1),
    "segments": wrong_lists | st.just([]) | st.lists(wrong_objects, min_size=1),
    "segments.0.vectors": wrong_digests,
    "segments.0.chunks": wrong_digests,
    "segments.0.rows": wrong_counts,
    "segments.0.documents": wrong_counts,
    "segments.0.deleted": wrong_digests.filter(lambda value: value is not None),
    "probes": wrong_lists | st.lists(wrong_objects, min_size=1),
    "probes.0.text": wrong_texts,
    "probes.0.segment": wrong_counts,
    "probes.0.row": wrong_counts,
    "channel": wrong_names,
    "expires": wrong_moments,
}


def _place(path: str) -> tuple[Any, Any, str | int]:
    """Return a config's JSON, what holds one place of it, and the place's key."""
    raw = json.loads(CONFIG.to_bytes())
    place = raw
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    for step in steps:
        place = place[step]
    return raw, place, last


def _with(path: str, value: object) -> bytes:
    """Return a config with one place changed."""
    raw, place, key = _place(path)
    place[key] = value
    return json.dumps(raw).encode()


def _lacking(path: str) -> bytes:
    """Return a config with one place gone."""
    raw, place, key = _place(path)
    del place[key]
    return json.dumps(raw).encode()


@pytest.mark.parametrize("path", FIELDS)
@settings(max_examples=25)
@given(data=st.data())
def test_a_field_of_the_wrong_kind_is_refused(path: str, data: st.DataObject) -> None:
    """Every field, given everything that it must not be, is a ValidateError that says what to do."""
    wrong = data.draw(FIELDS[path])
    content = _with(path, wrong)
    with pytest.raises(ValidateError) as caught:
        SnapshotConfig.from_bytes(content)
    assert caught.value.code == "config_blob_invalid"
    assert caught.value.hint
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "path",
    ["name", "version", "created", "encoder", "encoder.id", "encoder.digest", "encoder.dimension", "segments"]
    + [f"segments.0.{key}" for key in ("vectors", "chunks", "rows", "documents")]
    + [f"probes.0.{key}" for key in ("text", "segment", "row")],
)
def test_a_field_that_is_missing_is_refused(path: str) -> None:
    """What a config must have can't be left out."""
    with pytest.raises(ValidateError) as caught:
        SnapshotConfig.from_bytes(_lacking(path))
    assert caught.value.code == "config_blob_invalid"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "..", "", "nul\0", ".ssh", "x" * 129])
def test_names_that_become_file_names_can_never_be_paths(name: str) -> None:
    """``publish --pair`` names files after the index, and a hydrated config comes from elsewhere."""
    wrong: list[tuple[str, Any]] = [("name", name), ("encoder.files", {name: str(CONFIG.encoder.digest)})]
    for path, value in wrong:
        with pytest.raises(ValidateError):
            SnapshotConfig.from_bytes(_with(path, value))


@given(value=anything)
@example(value={"schema": 1})
def test_arbitrary_json_raises_nothing_else(value: Any) -> None:
    """Whatever JSON a host serves as a config, the outcome is a ValidateError."""
    with pytest.raises(ValidateError):
        SnapshotConfig.from_bytes(json.dumps(value).encode())


DEEP = 100_000
HOSTILE = [
    b"",
    b"\xff\xfe",
    b"\x00",
    b"[" * DEEP,
    b'{"schema":' + b"[" * DEEP + b"]" * DEEP + b"}",
    b'{"schema":1,"name":' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"schema":' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"schema":' + b"9" * 5_000 + b"}",
    b'{"schema":' + b"9" * 4_000 + b"}",
    b'{"schema":1e999}',
    b'{"schema":NaN}',
    b'{"schema":-Infinity}',
    b'{"schema":1,"name":"' + b"a" * 100_000 + b'"}',
    b'{"schema":1,"name":"\\ud800"}',
    b'{"schema":1,"name":"\xed\xa0\x80"}',
    "\ufeff{}".encode("utf-16"),
    b"null",
    b"NaN",
]


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_bytes_raise_nothing_else(content: bytes) -> None:
    """Deep nesting, endless numbers, wrong encodings: a ValidateError with a short message."""
    with pytest.raises(ValidateError) as caught:
        SnapshotConfig.from_bytes(content)
    assert len(str(caught.value)) < 300


@given(content=st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_else(content: bytes) -> None:
    """Whatever bytes a host serves as a config, the outcome is a ValidateError."""
    with pytest.raises(ValidateError):
        SnapshotConfig.from_bytes(content)


@given(config=configs, data=st.data())
def test_a_damaged_config_is_read_or_refused(config: SnapshotConfig, data: st.DataObject) -> None:
    """One byte changed anywhere: still a config that can be written, or a ValidateError; nothing in between."""
    content = bytearray(config.to_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255))
    try:
        read = SnapshotConfig.from_bytes(bytes(content))
    except ValidateError:
        return
    assert SnapshotConfig.from_bytes(read.to_bytes()) == read


def test_parse_object_names_what_it_was_reading() -> None:
    """The message and the code are about the document that the caller asked for."""
    for content, why in (
        (b"{", "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"\n<!doctype html>", "is a web page"),
    ):
        with pytest.raises(ValidateError, match=f"the manifest {why}") as caught:
            parse_object(content, what="manifest", code="manifest_invalid")
        assert caught.value.code == "manifest_invalid"


def test_shown_is_short_for_everything() -> None:
    """Values from elsewhere are quoted and cut; what Python itself can't write is named by its kind."""
    deep: list[Any] = []
    for _ in range(DEEP):
        deep = [deep]
    assert shown("a\n") == "'a\\n'"
    assert shown("x" * 1000) == f"'{'x' * 79}…"
    assert shown(deep) == "a list"
    assert shown(10**5000) == "a int"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-11-25T18:00:00Z", "2026-11-25T18:00:00Z"),
        ("2026-11-25T20:00:00.9+02:00", "2026-11-25T18:00:00Z"),
        ("2026-11-25T18:00:00", "2026-11-25T18:00:00Z"),
        ("0001-01-01T00:00:00+23:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_moment_is_in_utc(text: str, told: str | None) -> None:
    """Also where it names no zone; what is no time, or before all time, is none."""
    moment = moment_of(text)
    assert (moment and rfc3339(moment)) == told
