"""Manifests and the ref table: OCI documents, read strictly and written canonically."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pycontextify.errors import ValidateError
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.manifest import (
    ARTIFACT_TYPE,
    CHUNKS_TYPE,
    CONFIG_TYPE,
    DELETED_TYPE,
    ENCODER_TYPE,
    LAYOUT_FILE,
    MANIFEST_TYPE,
    SIGNATURE_TYPE,
    VECTORS_TYPE,
    Descriptor,
    Manifest,
    RefTable,
    build_manifest,
)
from tests.snapshot.strategies import (
    CONFIG,
    anything,
    configs,
    counts,
    descriptors,
    digests,
    manifests,
    ref_names,
    wrong_counts,
    wrong_digests,
    wrong_lists,
    wrong_objects,
    wrong_texts,
)

A, B, C = digest_of(b"a"), digest_of(b"b"), digest_of(b"c")
MANIFEST = Manifest(Descriptor(CONFIG_TYPE, A, 10), (Descriptor(VECTORS_TYPE, B, 20, {"k": "v"}),))
REF_NAME = "org.opencontainers.image.ref.name"


@given(manifest=manifests)
def test_a_manifest_survives_being_written_and_read(manifest: Manifest) -> None:
    """from_bytes undoes to_bytes, and what is read writes the same bytes again."""
    content = manifest.to_bytes()
    again = Manifest.from_bytes(content)
    assert again == manifest
    assert again.to_bytes() == content
    assert again.blobs == (manifest.config, *manifest.layers)


def test_a_manifest_is_an_oci_image_manifest() -> None:
    """The members that image-spec's manifest.md asks for, under the names it gives them."""
    assert json.loads(MANIFEST.to_bytes()) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.pycontextify.index.v1",
        "config": {"mediaType": CONFIG_TYPE, "digest": str(A), "size": 10},
        "layers": [{"mediaType": VECTORS_TYPE, "digest": str(B), "size": 20, "annotations": {"k": "v"}}],
    }


def test_a_blob_has_a_title_for_people() -> None:
    """Its title annotation, or the beginning of its digest."""
    assert Descriptor("x", A, 1, {"org.opencontainers.image.title": "segment 1 vectors"}).title == "segment 1 vectors"
    assert Descriptor("x", A, 1).title == A.short


@pytest.mark.parametrize("kind", [None, "application/vnd.oci.image.index.v1+json", 1, ["x"], "x" * 10_000])
def test_a_manifest_of_something_else_is_refused(kind: Any) -> None:
    """A container image, say: the message says what it is and what to do."""
    raw = {**json.loads(MANIFEST.to_bytes()), "artifactType": kind}
    with pytest.raises(ValidateError, match="not a PyContextify index") as caught:
        Manifest.from_bytes(json.dumps(raw).encode())
    assert caught.value.code == "manifest_invalid"
    assert caught.value.hint
    assert len(str(caught.value)) < 300


FIELDS: dict[str, SearchStrategy[Any]] = {
    "config": wrong_objects,
    "config.mediaType": wrong_texts,
    "config.digest": wrong_digests,
    "config.size": wrong_counts,
    "layers": wrong_lists | st.lists(wrong_objects, min_size=1),
    "layers.0.mediaType": wrong_texts,
    "layers.0.digest": wrong_digests,
    "layers.0.size": wrong_counts,
    "layers.0.annotations": wrong_objects | st.dictionaries(st.text(max_size=3), wrong_texts, min_size=1),
}


@pytest.mark.parametrize("path", FIELDS)
@settings(max_examples=25)
@given(data=st.data())
def test_a_field_of_the_wrong_kind_is_refused(path: str, data: st.DataObject) -> None:
    """Every field of a manifest, given everything that it must not be, is a ValidateError that says what to do."""
    raw = json.loads(MANIFEST.to_bytes())
    place = raw
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    for step in steps:
        place = place[step]
    place[last] = data.draw(FIELDS[path])
    with pytest.raises(ValidateError) as caught:
        Manifest.from_bytes(json.dumps(raw).encode())
    assert caught.value.code == "manifest_invalid"
    assert caught.value.hint
    assert len(str(caught.value)) < 300


@given(value=anything)
def test_arbitrary_json_raises_nothing_else(value: Any) -> None:
    """Whatever JSON stands there: no manifest ever, and a ref table at most when it has the one member it needs."""
    content = json.dumps(value).encode()
    with pytest.raises(ValidateError):
        Manifest.from_bytes(content)
    with pytest.raises(ValidateError):
        RefTable.from_bytes(content)


@given(content=st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_else(content: bytes) -> None:
    """Whatever bytes stand there, the outcome is a ValidateError."""
    with pytest.raises(ValidateError):
        Manifest.from_bytes(content)
    with pytest.raises(ValidateError):
        RefTable.from_bytes(content)


@given(config=configs, data=st.data())
def test_a_built_manifest_lists_what_the_config_names(config: SnapshotConfig, data: st.DataObject) -> None:
    """Every blob of the config is a layer with its size and kind, and the config itself comes first."""
    named: dict[Digest, str] = {}
    for segment in config.segments:
        named |= {segment.vectors: VECTORS_TYPE, segment.chunks: CHUNKS_TYPE}
        named |= {segment.deleted: DELETED_TYPE} if segment.deleted else {}
    named |= dict.fromkeys(config.encoder.files.values(), ENCODER_TYPE)
    sizes = {digest: data.draw(counts) for digest in named}
    content, blob = build_manifest(config, sizes)
    manifest = Manifest.from_bytes(content)
    assert SnapshotConfig.from_bytes(blob) == config
    assert (manifest.config.media_type, manifest.config.digest, manifest.config.size) == (
        CONFIG_TYPE,
        digest_of(blob),
        len(blob),
    )
    assert {layer.digest for layer in manifest.layers} == named.keys()
    assert all(layer.size == sizes[layer.digest] for layer in manifest.layers)
    assert build_manifest(config, sizes) == (content, blob)


def test_a_built_manifest_titles_its_blobs() -> None:
    """People see which blob is which, in the order of the segments."""
    manifest = Manifest.from_bytes(build_manifest(CONFIG, {A: 1, B: 2, C: 3})[0])
    assert [(blob.title, blob.media_type) for blob in manifest.blobs] == [
        ("config", CONFIG_TYPE),
        ("segment 1 vectors", VECTORS_TYPE),
        ("segment 1 chunks", CHUNKS_TYPE),
        ("segment 2 vectors", VECTORS_TYPE),
        ("segment 2 chunks", CHUNKS_TYPE),
        ("segment 2 deleted", DELETED_TYPE),
        ("encoder model.onnx", ENCODER_TYPE),
    ]


def test_the_layout_file_is_what_image_spec_asks_for() -> None:
    """image-layout.md: an object with the member imageLayoutVersion, now 1.0.0."""
    assert json.loads(LAYOUT_FILE) == {"imageLayoutVersion": "1.0.0"}


pointers = st.lists(st.tuples(ref_names, digests, counts), max_size=5)


@given(pointers=pointers)
def test_a_ref_table_survives_being_written_and_read(pointers: list[tuple[str, Digest, int]]) -> None:
    """Names and what they point to come back, the last pointer of a name counts, and the bytes are canonical."""
    table = RefTable()
    for name, digest, size in pointers:
        table = table.point(name, digest, size)
    again = RefTable.from_bytes(table.to_bytes())
    assert again == table
    assert again.to_bytes() == table.to_bytes()
    last = {name: (digest, size) for name, digest, size in pointers}
    assert {name: (target.digest, target.size) for name, target in again.refs.items()} == last


def test_a_ref_table_is_an_oci_image_index() -> None:
    """The members that image-index.md asks for; every entry says its name and that it is an index of ours."""
    raw = json.loads(RefTable().point("latest", A, 7, {"note": "x"}).to_bytes())
    assert raw == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "artifactType": ARTIFACT_TYPE,
                "digest": str(A),
                "size": 7,
                "annotations": {REF_NAME: "latest", "note": "x"},
            }
        ],
    }


def test_pointing_leaves_the_old_table_alone() -> None:
    """Tables are values: a new one comes out, and an annotation can't take the name of the ref."""
    table = RefTable()
    pointed = table.point("current", A, 7, {REF_NAME: "other"})
    assert table.refs == {}
    assert pointed.refs.keys() == {"current"}
    assert RefTable.from_bytes(pointed.to_bytes()).refs.keys() == {"current"}


def test_a_copied_ref_keeps_its_target_and_annotations() -> None:
    """``previous`` becomes what ``current`` was, and either moves alone afterwards."""
    table = RefTable().point("current", A, 7, {"from": "archive"}).copy("current", "previous").point("current", B, 8)
    table = RefTable.from_bytes(table.to_bytes())
    previous, current = table.get("previous"), table.get("current")
    assert previous is not None
    assert current is not None
    assert (previous.digest, previous.size, previous.annotations["from"]) == (A, 7, "archive")
    assert (current.digest, current.size, current.annotations.get("from")) == (B, 8, None)


def test_copying_what_is_not_there_is_a_mistake_of_ours() -> None:
    """Only a ref that exists can be copied."""
    with pytest.raises(KeyError):
        RefTable().copy("current", "previous")


def test_refs_can_be_left_out() -> None:
    """``without`` drops names, whether they are there or not."""
    table = RefTable().point("a", A, 1).point("b", B, 2)
    assert table.without(["a", "never"]).refs.keys() == {"b"}
    assert table.refs.keys() == {"a", "b"}
    assert table.get("never") is None


UNUSABLE: list[dict[str, Any]] = [
    {},
    {"annotations": {}},
    {"mediaType": "m", "digest": str(A), "size": 1},
    {"mediaType": "m", "digest": f"sha512:{'0' * 128}", "size": 1},
    {"mediaType": "m", "digest": str(A), "size": 1, "annotations": {REF_NAME: ""}},
    {"mediaType": "m", "digest": str(A), "size": 1, "annotations": {REF_NAME: "docker.io/library/x:latest"}},
    {"mediaType": "m", "digest": str(A), "size": 1, "annotations": {REF_NAME: "../x"}},
]


@pytest.mark.parametrize("entry", UNUSABLE)
def test_entries_without_a_usable_name_are_passed_over(entry: dict[str, Any]) -> None:
    """What other tools put into an index.json is none of our business, and does no harm to our own entries."""
    raw = json.loads(RefTable().point("latest", B, 2).to_bytes())
    raw["manifests"].insert(0, entry)
    assert RefTable.from_bytes(json.dumps(raw).encode()).refs.keys() == {"latest"}


REF_FIELDS: dict[str, SearchStrategy[Any]] = {
    "digest": wrong_digests,
    "size": wrong_counts,
    "mediaType": wrong_texts,
    "annotations": st.fixed_dictionaries({REF_NAME: st.just("latest"), "more": wrong_texts}),
}


@pytest.mark.parametrize("key", REF_FIELDS)
@settings(max_examples=25)
@given(data=st.data())
def test_a_named_entry_of_the_wrong_kind_is_refused(key: str, data: st.DataObject) -> None:
    """An entry that has a usable name must be right in all it says."""
    raw = json.loads(RefTable().point("latest", B, 2).to_bytes())
    raw["manifests"][0][key] = data.draw(REF_FIELDS[key])
    with pytest.raises(ValidateError) as caught:
        RefTable.from_bytes(json.dumps(raw).encode())
    assert caught.value.code == "index_json_invalid"
    assert caught.value.hint


@given(manifests=wrong_lists | st.lists(wrong_objects, min_size=1))
def test_a_list_of_refs_of_the_wrong_kind_is_refused(manifests: Any) -> None:
    """``manifests`` must be a list of objects."""
    raw = {**json.loads(RefTable().to_bytes()), "manifests": manifests}
    with pytest.raises(ValidateError) as caught:
        RefTable.from_bytes(json.dumps(raw).encode())
    assert caught.value.code == "index_json_invalid"


@given(descriptor=descriptors)
def test_a_descriptor_survives_being_written_and_read(descriptor: Descriptor) -> None:
    """from_json undoes to_json; without annotations there is no member of that name."""
    raw = json.loads(json.dumps(descriptor.to_json()))
    assert Descriptor.from_json(raw) == descriptor
    assert ("annotations" in raw) == bool(descriptor.annotations)


# Signatures


def signature(name: str, **notes: str) -> Descriptor:
    """A pointer to the manifest of a signature."""
    return Descriptor(MANIFEST_TYPE, digest_of(f"signature {name}".encode()), len(name), notes)


def listed(table: RefTable) -> RefTable:
    """Return a table once it has been written and read again."""
    again = RefTable.from_bytes(table.to_bytes())
    assert again.to_bytes() == table.to_bytes()
    return again


def signatures(table: RefTable, subject: Digest) -> list[Digest]:
    """Return where a table says that the signatures of a manifest may be."""
    return [each.digest for each in table.signatures_of(subject)]


def test_a_signature_is_listed_as_oci_has_it() -> None:
    """Beside the refs and without a name: a descriptor that says what kind of thing it is, and here what it signs."""
    table = RefTable().point("latest", A, 7).signed(A, signature("one"))
    assert json.loads(table.to_bytes())["manifests"][1:] == [
        {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": "application/vnd.pycontextify.signature.v1",
            "digest": str(signature("one").digest),
            "size": 3,
            "annotations": {"io.pycontextify.signs": str(A)},
        }
    ]


def test_a_signature_stays_with_what_it_signs() -> None:
    """Whatever becomes of the names, for as long as there is one for what it signs."""
    table = RefTable().point("current", A, 7).signed(A, signature("a"))
    for step in (
        table.point("other", B, 8),
        table.copy("current", "previous").point("current", B, 8),
        table.point("second", A, 7).without(["current"]),
        table.point("current", A, 7, {"some": "notes"}),
    ):
        assert signatures(listed(step), A) == [signature("a").digest]
        assert signatures(listed(step), B) == []


def test_a_signature_goes_with_what_it_signs() -> None:
    """Once nothing points to that any more: what is written is what is kept."""
    table = RefTable().point("current", A, 7).signed(A, signature("a")).point("other", B, 8).signed(B, signature("b"))
    for gone in (table.point("current", C, 9), table.without(["current"])):
        assert listed(gone).signatures == tuple(
            each for each in table.signatures if each.digest != signature("a").digest
        )
        assert signatures(listed(gone), A) == []
        assert signatures(listed(gone), B) == [signature("b").digest]


def test_a_new_signature_takes_the_place_of_the_old_one() -> None:
    """Of the same manifest, and of no other; whatever notes it came with, it says what it signs."""
    table = RefTable().point("a", A, 7).point("b", B, 8).signed(A, signature("a")).signed(B, signature("b"))
    again = listed(table.signed(A, signature("new", **{"io.pycontextify.signs": str(B), "more": "x"})))
    assert signatures(again, A) == [signature("new").digest]
    assert signatures(again, B) == [signature("b").digest]
    assert table.signatures_of(A)[0].digest == signature("a").digest


def test_signatures_that_say_nothing_come_last_and_stay() -> None:
    """Other tools list them so (a registry's client, say): each may be of anything, and is looked at when need be."""
    raw = json.loads(RefTable().point("latest", A, 7).point("other", B, 8).signed(A, signature("own")).to_bytes())
    bare = {**signature("bare").to_json(), "artifactType": SIGNATURE_TYPE}
    noted = {**signature("noted", **{"org.example": "x"}).to_json(), "artifactType": SIGNATURE_TYPE}
    raw["manifests"] = [bare, *raw["manifests"], noted]
    table = listed(RefTable.from_bytes(json.dumps(raw).encode()))
    others = [signature("bare").digest, signature("noted").digest]
    assert signatures(table, A) == [signature("own").digest, *others]
    assert signatures(table, B) == signatures(table, C) == others
    table = listed(table.without(["latest"]).signed(B, signature("b")))
    assert signatures(table, B) == [signature("b").digest, *others]
    assert signatures(table, A) == others
    assert signatures(listed(RefTable(signatures=table.signatures)), A) == others


def test_an_artifact_of_another_kind_is_no_signature() -> None:
    """Nor is one that says no kind."""
    raw = json.loads(RefTable().point("latest", A, 7).signed(A, signature("a")).to_bytes())
    for kind in ("application/vnd.dev.cosign.artifact.sig.v1+json", None, 1):
        raw["manifests"][1]["artifactType"] = kind
        assert RefTable.from_bytes(json.dumps(raw).encode()).signatures == ()


@pytest.mark.parametrize("key", ["digest", "size", "mediaType"])
@settings(max_examples=25)
@given(data=st.data())
def test_a_signature_of_the_wrong_kind_is_refused(key: str, data: st.DataObject) -> None:
    """It must be right in all it says, as a named entry must."""
    raw = json.loads(RefTable().point("latest", A, 7).signed(A, signature("a")).to_bytes())
    raw["manifests"][1][key] = data.draw(REF_FIELDS[key])
    with pytest.raises(ValidateError) as caught:
        RefTable.from_bytes(json.dumps(raw).encode())
    assert caught.value.code == "index_json_invalid"


@given(pointers=pointers, signed=st.lists(st.tuples(digests, st.text(max_size=5)), max_size=4), data=st.data())
def test_exactly_the_signatures_of_what_is_pointed_to_survive(
    pointers: list[tuple[str, Digest, int]], signed: list[tuple[Digest, str]], data: st.DataObject
) -> None:
    """For any refs and signatures, of what is named here and of what is not: the last of each that is named."""
    table = RefTable()
    for name, digest, size in pointers:
        table = table.point(name, digest, size)
    named = sorted({target.digest for target in table.refs.values()})
    if named:
        signed = signed + [(digest, "own") for digest in data.draw(st.lists(st.sampled_from(named), max_size=3))]
    for subject, name in signed:
        table = table.signed(subject, signature(name))
    last = {subject: signature(name).digest for subject, name in signed}
    for subject in {*last, *named}:
        kept = [last[subject]] if subject in last and subject in named else []
        assert signatures(listed(table), subject) == kept
