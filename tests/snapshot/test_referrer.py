"""The manifest that ties a signature file to what it signs, in OCI form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pycontextify.errors import UntrustedError
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.manifest import MANIFEST_TYPE, SIGNATURE_TYPE, Descriptor
from pycontextify.snapshot.referrer import EMPTY_CONFIG, SIGNATURE_FILE_TYPE, Referrer, build_referrer
from tests.snapshot.strategies import (
    anything,
    counts,
    digests,
    wrong_counts,
    wrong_digests,
    wrong_lists,
    wrong_objects,
    wrong_texts,
)

A = digest_of(b"a")
SUBJECT = Descriptor(MANIFEST_TYPE, A, 10, {"org.opencontainers.image.ref.name": "latest"})
CONTENT = build_referrer(SUBJECT, b"signature")


def refused(content: bytes) -> None:
    """Check that something is refused as the manifest of a signature."""
    with pytest.raises(UntrustedError) as caught:
        Referrer.from_bytes(content)
    assert caught.value.code == "signature_invalid"
    assert caught.value.hint
    assert len(str(caught.value)) < 300


def test_it_is_an_oci_manifest_with_a_subject() -> None:
    """As manifest.md has it: a bare descriptor of what is signed, the empty config, and the signature as its layer."""
    assert json.loads(CONTENT) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.pycontextify.signature.v1",
        "config": {
            "mediaType": "application/vnd.oci.empty.v1+json",
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "size": 2,
        },
        "layers": [{"mediaType": SIGNATURE_FILE_TYPE, "digest": str(digest_of(b"signature")), "size": 9}],
        "subject": {"mediaType": MANIFEST_TYPE, "digest": str(A), "size": 10},
    }
    assert EMPTY_CONFIG == b"{}"


@given(digest=digests, size=counts, signature=st.binary(max_size=50))
def test_what_is_built_is_read_again(digest: Digest, size: int, signature: bytes) -> None:
    """What is signed and where the signature is come back; equal ones have equal bytes."""
    content = build_referrer(Descriptor(MANIFEST_TYPE, digest, size), signature)
    read = Referrer.from_bytes(content)
    assert read.subject == digest
    assert [(layer.digest, layer.size) for layer in read.layers] == [(digest_of(signature), len(signature))]
    assert [blob.digest for blob in read.blobs] == [digest_of(EMPTY_CONFIG), digest_of(signature)]
    assert build_referrer(Descriptor(MANIFEST_TYPE, digest, size, {"any": "notes"}), signature) == content


@pytest.mark.parametrize(("layers", "taken"), [(0, False), (1, True), (8, True), (9, False)])
def test_there_are_a_few_signatures_at_most(layers: int, *, taken: bool) -> None:
    """One at least; and a host can't have a server fetch thousands."""
    raw = json.loads(CONTENT)
    raw["layers"] = raw["layers"] * layers
    content = json.dumps(raw).encode()
    if taken:
        assert len(Referrer.from_bytes(content).layers) == layers
    else:
        refused(content)


FIELDS: dict[str, SearchStrategy[Any]] = {
    "artifactType": wrong_texts | st.text(max_size=20),
    "subject": wrong_objects,
    "subject.mediaType": wrong_texts,
    "subject.digest": wrong_digests,
    "subject.size": wrong_counts,
    "config": wrong_objects,
    "config.digest": wrong_digests,
    "layers": wrong_lists | st.lists(wrong_objects, min_size=1),
    "layers.0.mediaType": wrong_texts,
    "layers.0.digest": wrong_digests,
    "layers.0.size": wrong_counts,
    "layers.0.annotations": wrong_objects,
}


@pytest.mark.parametrize("path", FIELDS)
@settings(max_examples=25)
@given(data=st.data())
def test_a_field_of_the_wrong_kind_is_refused(path: str, data: st.DataObject) -> None:
    """Every field, given everything that it must not be."""
    raw = json.loads(CONTENT)
    place = raw
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    for step in steps:
        place = place[step]
    place[last] = data.draw(FIELDS[path])
    refused(json.dumps(raw).encode())


@pytest.mark.parametrize("missing", ["artifactType", "subject", "config", "layers"])
def test_a_missing_field_is_refused(missing: str) -> None:
    """A manifest without a subject signs nothing."""
    raw = json.loads(CONTENT)
    del raw[missing]
    refused(json.dumps(raw).encode())


@given(content=st.binary(max_size=300) | anything.map(lambda value: json.dumps(value).encode()))
def test_arbitrary_bytes_raise_nothing_else(content: bytes) -> None:
    """An UntrustedError and no other: a page that a host sends in its place says nothing of what is signed."""
    refused(content)


def test_an_index_is_no_signature() -> None:
    """The manifest of a snapshot that has a subject, say."""
    raw = {**json.loads(CONTENT), "artifactType": "application/vnd.pycontextify.index.v1"}
    assert SIGNATURE_TYPE not in raw.values()
    refused(json.dumps(raw).encode())
