"""Publishing a layout: only what is missing is copied, and what comes out stands by itself."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pycontextify.errors import ConfigError, StoreError, UntrustedError, VerifyError
from pycontextify.index.model import Query
from pycontextify.index.validate import validate
from pycontextify.publish.directory import LATEST, publish_directory
from pycontextify.publish.issue import AS_IT_IS, Issue
from pycontextify.publish.signing import SecretKey
from pycontextify.snapshot.digest import Digest, digest_of, parse_digest
from pycontextify.snapshot.history import PREVIOUS
from pycontextify.snapshot.signature import parse_signature, prehash
from pycontextify.store.layout import Layout
from pycontextify.store.signed import add_signature, signature_of
from tests.fakes.encoder import TinyEncoder
from tests.fakes.generation import make_generation, open_view, store_generation
from tests.fakes.signers import OTHER, SIGNER, signs, vouched_by
from tests.publish.backed import BackedEncoder
from tests.store.oci import check_image_layout


def _files(root: Path) -> dict[str, bytes]:
    """Return what a static host would serve."""
    files = (path for path in root.rglob("*") if path.is_file() and ".pycontextify" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def test_what_is_published_stands_by_itself(layout: Layout, tmp_path: Path) -> None:
    """It opens, validates and answers as the original, without the original; and any OCI tool can read it."""
    generation = make_generation(layout, ["alpha text", "beta text"], ["gamma text"], deleted=["0.txt"], version=7)
    report = publish_directory(layout, generation, tmp_path / "site")
    with open_view(layout, generation) as view:
        expected = view.search(Query("beta text"))
    layout.root.rename(tmp_path / "gone")

    site = Layout(tmp_path / "site")
    check_image_layout(site.root)
    assert site.refs().refs.keys() == {LATEST}
    assert site.refs().refs[LATEST].digest == generation
    with open_view(site, generation) as view:
        validate(view)
        assert view.search(Query("beta text")) == expected
    assert (report.generation, report.version) == (generation, 7)
    assert report.files == (str(tmp_path / "site"),)
    assert report.bytes_copied == sum(blob.size for blob in site.manifest(generation).blobs)
    assert report.bytes_total == report.bytes_copied + site.size_of(generation)


def test_publishing_again_copies_nothing(layout: Layout, tmp_path: Path) -> None:
    """Not a byte changes, and the ref to the one before is not lost."""
    first = make_generation(layout, ["alpha"], version=1)
    second = make_generation(layout, ["alpha"], ["beta"], version=2)
    publish_directory(layout, first, tmp_path / "site")
    publish_directory(layout, second, tmp_path / "site")
    before = _files(tmp_path / "site")
    report = publish_directory(layout, second, tmp_path / "site")
    assert _files(tmp_path / "site") == before
    assert report.bytes_copied == 0
    assert report.bytes_total > 0
    assert Layout(tmp_path / "site").refs().refs[PREVIOUS].digest == first


def test_only_what_changed_is_copied(layout: Layout, tmp_path: Path) -> None:
    """A delta is the blobs that are new; what clients may be fetching stays."""
    first = make_generation(layout, ["alpha " * 50], version=1)
    publish_directory(layout, first, tmp_path / "site")
    before = _files(tmp_path / "site")
    second = make_generation(layout, ["alpha " * 50], ["beta"], version=2)
    report = publish_directory(layout, second, tmp_path / "site")
    site = Layout(tmp_path / "site")
    new = [blob for blob in site.manifest(second).blobs if f"blobs/sha256/{blob.digest.hex}" not in before]
    assert report.bytes_copied == sum(blob.size for blob in new)
    assert not {blob.digest for blob in new} & {layout.config(first).segments[0].vectors}
    after = _files(tmp_path / "site")
    assert all(after[name] == content for name, content in before.items() if name.startswith("blobs/"))
    assert (site.refs().refs[LATEST].digest, site.refs().refs[PREVIOUS].digest) == (second, first)
    check_image_layout(site.root)


def test_the_encoder_travels_along(layout: Layout, tmp_path: Path) -> None:
    """Its files are blobs like all others."""
    encoder = BackedEncoder(tmp_path / "model")
    generation = make_generation(layout, ["alpha"], encoder=encoder)
    assert publish_directory(layout, generation, tmp_path / "site").lacks is None
    site = Layout(tmp_path / "site")
    files = site.config(generation).encoder.files
    assert {name: site.read(digest) for name, digest in files.items()} == encoder.contents
    check_image_layout(site.root)


@pytest.mark.parametrize(
    ("provider", "needed"),
    [("onnx", "it is their built-in one or set as embedding_model"), ("http", "embedding_url, and")],
)
def test_an_index_without_its_encoder_is_published_without_it(
    layout: Layout, tmp_path: Path, provider: str, needed: str
) -> None:
    """As one that came as a pair of files, or was built with a service; the report says who will need the model."""
    config = layout.config(make_generation(layout, ["alpha"]))
    encoder = replace(config.encoder, id="minilm", provider=provider)
    report = publish_directory(layout, store_generation(layout, replace(config, encoder=encoder)), tmp_path / "site")
    assert report.lacks is not None
    assert "minilm is not included" in report.lacks
    assert needed in report.lacks


def test_files_can_be_read_by_whoever_may(layout: Layout, tmp_path: Path) -> None:
    """A web server of another user serves them: they have the permissions of the umask, not of a temporary file."""
    publish_directory(layout, make_generation(layout, ["alpha"]), tmp_path / "site")
    umask = os.umask(0)
    os.umask(umask)
    for name in _files(tmp_path / "site"):
        mode = stat.S_IMODE((tmp_path / "site" / name).stat().st_mode)
        assert mode & 0o444 == (0o444 & ~umask if os.name == "posix" else mode & 0o444), name


def test_a_torn_blob_at_the_target_is_copied_again(layout: Layout, tmp_path: Path) -> None:
    """What a broken upload left there is not taken for the blob."""
    generation = make_generation(layout, ["alpha"])
    publish_directory(layout, generation, tmp_path / "site")
    site = Layout(tmp_path / "site")
    torn = site.blob_path(site.config(generation).segments[0].vectors)
    torn.write_bytes(torn.read_bytes()[:10])
    report = publish_directory(layout, generation, site.root)
    assert report.bytes_copied == torn.stat().st_size > 10
    check_image_layout(site.root)


@pytest.mark.parametrize("damage", ["rotten", "cut", "missing"])
def test_a_damaged_blob_is_never_published(layout: Layout, tmp_path: Path, damage: str) -> None:
    """Typed, with a hint; what was published before stays what it was."""
    first = make_generation(layout, ["alpha"], version=1)
    publish_directory(layout, first, tmp_path / "site")
    before = (tmp_path / "site" / "index.json").read_bytes()
    second = make_generation(layout, ["beta"], version=2)
    blob = layout.blob_path(layout.config(second).segments[0].vectors)
    content = blob.read_bytes()
    blob.unlink()
    if damage != "missing":
        blob.write_bytes(content[:-1] if damage == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(StoreError if damage == "missing" else VerifyError) as caught:
        publish_directory(layout, second, tmp_path / "site")
    assert caught.value.hint
    assert (tmp_path / "site" / "index.json").read_bytes() == before
    check_image_layout(tmp_path / "site")


def test_a_target_that_is_a_file_is_a_store_error(layout: Layout, tmp_path: Path) -> None:
    """And the file stays."""
    (tmp_path / "site").write_bytes(b"precious")
    with pytest.raises(StoreError) as caught:
        publish_directory(layout, make_generation(layout, ["alpha"]), tmp_path / "site")
    assert caught.value.hint
    assert (tmp_path / "site").read_bytes() == b"precious"


def test_an_index_directory_can_be_published_in_place(layout: Layout) -> None:
    """The same directory as source and target: nothing to copy, and it has ``latest`` beside ``current``."""
    generation = make_generation(layout, ["alpha"])
    report = publish_directory(layout, generation, layout.root)
    assert report.bytes_copied == 0
    assert layout.refs().refs[LATEST].digest == generation == layout.current()


def test_the_report_is_json(layout: Layout, tmp_path: Path) -> None:
    """What `--json` prints."""
    generation = make_generation(layout, ["alpha"], version=3)
    report = publish_directory(layout, generation, tmp_path / "site").to_json()
    assert report["generation"] == generation
    assert report["version"] == 3
    assert report["bytes_copied"] < report["bytes_total"]


def test_two_encoders_make_two_generations(layout: Layout, tmp_path: Path) -> None:
    """The same texts under another model are published beside, not over, the first."""
    first = make_generation(layout, ["alpha"])
    second = make_generation(layout, ["alpha"], encoder=TinyEncoder(name="other"))
    for generation in (first, second):
        publish_directory(layout, generation, tmp_path / "site")
    site = Layout(tmp_path / "site")
    assert {site.config(digest).encoder.id for digest in (first, second)} == {"tiny", "other"}


# Signed, and on terms


def _signed(site: Layout) -> bytes:
    """Return the signature that is published of what is published, once it was found right."""
    latest = site.refs().refs[LATEST].digest
    signature = signature_of(site, site.refs(), latest)
    assert signature is not None
    assert vouched_by(SIGNER.public, site.read(latest), signature)
    return signature


def test_a_signature_is_published_with_what_it_signs(layout: Layout, tmp_path: Path) -> None:
    """The manifest stays byte for byte what it is unsigned, and so its digest; any OCI tool finds the signature."""
    generation = make_generation(layout, ["alpha"], version=7)
    report = publish_directory(layout, generation, tmp_path / "site", Issue(sign=signs()))
    site = Layout(tmp_path / "site")
    check_image_layout(site.root)
    assert report.generation == site.refs().refs[LATEST].digest == generation
    comment = parse_signature(_signed(site), asset="it").trusted_comment.decode()
    assert comment == f"file:{generation.hex}\tversion:7\tchannel:default"
    _, listed = json.loads((site.root / "index.json").read_bytes())["manifests"]
    assert listed["artifactType"] == "application/vnd.pycontextify.signature.v1"
    assert json.loads(site.read(parse_digest(listed["digest"])))["subject"]["digest"] == generation
    assert layout.refs().signatures == ()


def test_signing_again_changes_nothing(layout: Layout, tmp_path: Path) -> None:
    """With the same key the bytes are the same; another key's signature takes the place of the first one's."""
    generation = make_generation(layout, ["alpha"])
    publish_directory(layout, generation, tmp_path / "site", Issue(sign=signs()))
    before = _files(tmp_path / "site")
    report = publish_directory(layout, generation, tmp_path / "site", Issue(sign=signs()))
    assert _files(tmp_path / "site") == before
    assert report.bytes_copied == 0
    publish_directory(layout, generation, tmp_path / "site", Issue(sign=signs(OTHER)))
    site = Layout(tmp_path / "site")
    signature = signature_of(site, site.refs(), generation)
    assert signature is not None
    assert vouched_by(OTHER.public, site.read(generation), signature)
    assert len(site.refs().signatures) == 1
    check_image_layout(site.root)


def test_publishing_again_without_a_key_keeps_the_signature(layout: Layout, tmp_path: Path) -> None:
    """It is still that of this snapshot; the one before keeps its own until it goes."""
    first, second = (make_generation(layout, [f"text {n}"], version=n) for n in (1, 2))
    publish_directory(layout, first, tmp_path / "site", Issue(sign=signs()))
    publish_directory(layout, first, tmp_path / "site")
    site = Layout(tmp_path / "site")
    _signed(site)
    publish_directory(layout, second, tmp_path / "site")
    assert signature_of(site, site.refs(), second) is None
    assert signature_of(site, site.refs(), first) is not None
    third = make_generation(layout, ["text 3"], version=3)
    publish_directory(layout, third, tmp_path / "site")
    assert site.refs().signatures == ()
    check_image_layout(site.root)


def test_other_terms_make_another_snapshot_of_the_same_blobs(layout: Layout, tmp_path: Path) -> None:
    """Channel, end and version are in the config: that and the manifest are new, and nothing else is copied."""
    encoder = BackedEncoder(tmp_path / "model")
    generation = make_generation(layout, ["alpha"], ["beta"], deleted=["0.txt"], version=7, encoder=encoder)
    publish_directory(layout, generation, tmp_path / "site")
    before = _files(tmp_path / "site")
    end = datetime(2027, 1, 1, tzinfo=UTC)
    terms = Issue(channel="beta", expires=end, supersede=9, sign=signs())
    report = publish_directory(layout, generation, tmp_path / "site", terms)
    site = Layout(tmp_path / "site")
    check_image_layout(site.root)
    assert site.refs().refs[LATEST].digest == report.generation != generation
    assert site.refs().refs[PREVIOUS].digest == generation
    config = site.config(report.generation)
    assert config == replace(
        layout.config(generation), channel="beta", expires="2027-01-01T00:00:00Z", version=report.version
    )
    assert report.version == 9
    manifest = site.manifest(report.generation)
    assert manifest.layers == layout.manifest(generation).layers
    assert report.bytes_copied == manifest.config.size
    assert report.bytes_total == sum(blob.size for blob in manifest.blobs) + site.size_of(report.generation)
    new = _files(tmp_path / "site").keys() - before.keys()
    signed = site.refs().signatures[0].digest
    signature = _signed(site)
    assert new == {
        f"blobs/sha256/{digest.hex}"
        for digest in (report.generation, manifest.config.digest, signed, digest_of(signature), digest_of(b"{}"))
    }
    assert b"version:9\tchannel:beta\texpires:2027-01-01T00:00:00Z" in signature
    assert layout.refs().refs.keys() == {"current"}
    with open_view(site, report.generation, encoder) as view:
        validate(view)


def test_the_same_terms_again_change_nothing(layout: Layout, tmp_path: Path) -> None:
    """All but a new version, which is new each time."""
    generation = make_generation(layout, ["alpha"])
    terms = Issue(channel="beta", expires=datetime(2027, 1, 1, tzinfo=UTC), sign=signs())
    publish_directory(layout, generation, tmp_path / "site", terms)
    before = _files(tmp_path / "site")
    publish_directory(layout, generation, tmp_path / "site", terms)
    assert _files(tmp_path / "site") == before
    versions = [
        publish_directory(layout, generation, tmp_path / "site", replace(terms, supersede=5)).version for _ in range(3)
    ]
    assert versions == [5, 6, 7]


def test_an_older_version_is_not_published_over_a_newer_one(layout: Layout, tmp_path: Path) -> None:
    """Servers that have the newer one would refuse it. It goes before it when somebody says so."""
    old, new = (make_generation(layout, [f"text {n}"], version=n) for n in (1, 2))
    publish_directory(layout, new, tmp_path / "site", Issue(sign=signs()))
    before = _files(tmp_path / "site")
    with pytest.raises(ConfigError) as caught:
        publish_directory(layout, old, tmp_path / "site", Issue(sign=signs()))
    assert (caught.value.code, caught.value.asset) == ("version_lower", str(tmp_path / "site"))
    assert "--supersede" in (caught.value.hint or "")
    assert _files(tmp_path / "site") == before
    report = publish_directory(layout, old, tmp_path / "site", Issue(sign=signs(), supersede=0))
    site = Layout(tmp_path / "site")
    assert (report.version, site.config(report.generation).version) == (3, 3)
    assert site.config(report.generation).segments == layout.config(old).segments
    _signed(site)
    assert publish_directory(layout, old, tmp_path / "other").version == 1


def test_an_older_version_may_go_to_another_channel(layout: Layout, tmp_path: Path) -> None:
    """Versions of two channels are not compared."""
    old, new = (make_generation(layout, [f"text {n}"], version=n) for n in (1, 2))
    publish_directory(layout, new, tmp_path / "site")
    assert publish_directory(layout, old, tmp_path / "site", Issue(channel="old")).version == 1


def test_what_can_not_be_read_is_published_over(layout: Layout, tmp_path: Path) -> None:
    """A site whose newest snapshot has lost its manifest is no reason to leave it so."""
    old, new = (make_generation(layout, [f"text {n}"], version=n) for n in (1, 2))
    publish_directory(layout, new, tmp_path / "site")
    Layout(tmp_path / "site").blob_path(new).unlink()
    assert publish_directory(layout, old, tmp_path / "site").version == 1


def _hydrated(layout: Layout, manifest: bytes, key: SecretKey = SIGNER) -> Digest:
    """Make a manifest with its signature the current generation, as hydrating leaves them."""
    generation = layout.add_bytes(manifest)
    made = signs(key)(prehash(manifest), "x")
    layout.activate(generation, signature=add_signature(layout, generation, made))
    return generation


def test_a_signature_travels_with_its_snapshot(layout: Layout, tmp_path: Path) -> None:
    """Whoever mirrors what somebody else has signed needs no key; on terms of one's own it is not theirs any more."""
    generation = _hydrated(layout, layout.read(make_generation(layout, ["alpha"], version=7)))
    publish_directory(layout, generation, tmp_path / "site")
    site = Layout(tmp_path / "site")
    assert _signed(site) == signature_of(layout, layout.refs(), generation)
    check_image_layout(site.root)
    report = publish_directory(layout, generation, tmp_path / "own", Issue(channel="own"))
    assert Layout(tmp_path / "own").refs().signatures == ()
    assert report.generation != generation


def test_a_signature_that_says_nothing_does_not_stand_in_for_another(layout: Layout, tmp_path: Path) -> None:
    """Another tool has listed one without saying of what: that of this snapshot is still missing."""
    publish_directory(layout, make_generation(layout, ["first"], version=1), tmp_path / "site", Issue(sign=signs()))
    site = Layout(tmp_path / "site")
    bare = tuple(replace(each, annotations={}) for each in site.refs().signatures)
    site.write_refs(replace(site.refs(), signatures=bare))
    generation = _hydrated(layout, layout.read(make_generation(layout, ["second"], version=2)))
    publish_directory(layout, generation, tmp_path / "site")
    _signed(site)
    assert len(site.refs().signatures) == 2


def test_a_damaged_signature_is_replaced(layout: Layout, tmp_path: Path) -> None:
    """What a broken upload left of it is no signature that is there already."""
    generation = _hydrated(layout, layout.read(make_generation(layout, ["alpha"])))
    publish_directory(layout, generation, tmp_path / "site")
    site = Layout(tmp_path / "site")
    site.blob_path(digest_of(_signed(site))).unlink()
    publish_directory(layout, generation, tmp_path / "site")
    _signed(site)
    check_image_layout(site.root)


def test_a_manifest_of_somebody_elses_is_published_as_it_is(layout: Layout, tmp_path: Path) -> None:
    """Its very bytes, for they are what is signed: not canonical, with members that we do not know, config included."""
    made = make_generation(layout, ["alpha"], version=7)
    config = json.loads(layout.read(layout.manifest(made).config.digest))
    content = json.dumps({**config, "unknown": [1, 2]}, indent=2).encode()
    raw = json.loads(layout.read(made))
    raw["config"] |= {"digest": layout.add_bytes(content), "size": len(content)}
    generation = _hydrated(layout, json.dumps({**raw, "unknown": {"b": 1, "a": 2}}, indent=1).encode())
    for issue in (AS_IT_IS, Issue(sign=signs()), Issue(channel="default")):
        report = publish_directory(layout, generation, tmp_path / "site", issue)
        site = Layout(tmp_path / "site")
        assert report.generation == site.refs().refs[LATEST].digest == generation
        assert site.read(generation) == layout.read(generation)
        assert site.read(site.manifest(generation).config.digest) == content
        _signed(site)


def test_a_signer_that_fails_leaves_what_was_published(layout: Layout, tmp_path: Path) -> None:
    """A signature that was made elsewhere and does not fit, say."""
    publish_directory(layout, make_generation(layout, ["alpha"], version=1), tmp_path / "site", Issue(sign=signs()))
    before = (tmp_path / "site" / "index.json").read_bytes()

    def fail(prehashed: bytes, comment: str) -> bytes:
        raise UntrustedError("it does not fit", code="signature_invalid")

    with pytest.raises(UntrustedError):
        publish_directory(layout, make_generation(layout, ["beta"], version=2), tmp_path / "site", Issue(sign=fail))
    assert (tmp_path / "site" / "index.json").read_bytes() == before
    check_image_layout(tmp_path / "site")


def test_a_signature_can_be_added_in_place(layout: Layout) -> None:
    """The same directory as source and target: it is signed where it is."""
    generation = make_generation(layout, ["alpha"])
    publish_directory(layout, generation, layout.root, Issue(sign=signs()))
    _signed(layout)
    assert layout.current() == generation
    check_image_layout(layout.root)
