"""With trusted keys set, what they have not signed never gets in, from no kind of source; what they have does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pycontextify.errors import PyContextifyError, UntrustedError
from pycontextify.hydration.sources import LayoutSource, Source
from pycontextify.publish.directory import publish_directory
from pycontextify.publish.issue import Issue
from pycontextify.snapshot.digest import Digest, parse_digest
from pycontextify.snapshot.manifest import MANIFEST_TYPE, Descriptor, RefTable
from pycontextify.snapshot.origin import SIGNED
from pycontextify.snapshot.referrer import Referrer
from pycontextify.store.layout import Layout
from pycontextify.store.signed import add_signature, signature_of
from tests.fakes.server import SnapshotServer
from tests.fakes.signers import key_of, signs
from tests.integration.conftest import FIRST, SECOND, Publisher, Replica
from tests.integration.test_hydration import source_at

PLACES = ("layout", "index.zip", "index.tar.zst", "pair")
MakeReplica = Callable[[Source], Replica]
TEAM = (key_of("team").public,)
SIGNED_BY_TEAM = Issue(sign=signs(key_of("team")))


@pytest.mark.parametrize("place", PLACES)
async def test_what_a_trusted_key_has_signed_is_taken(
    place: str, publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """From a layout, an archive and a pair; the generation remembers who vouched for it."""
    publisher.publish(SECOND, SIGNED_BY_TEAM)
    here = replica(source_at(place, server.url().rstrip("/"))).trusting(keys=TEAM)
    assert (await here.hydrate()).result == "installed"
    assert here.find("live zebra")[0] == "guide/swap.md"
    assert here.layout.refs().refs["current"].annotations[SIGNED] == str(TEAM[0])
    assert (await here.hydrate()).result == "unchanged"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("issue", "code"),
    [(Issue(), "signature_missing"), (Issue(sign=signs(key_of("somebody"))), "signature_untrusted")],
    ids=["unsigned", "by another key"],
)
async def test_what_none_has_signed_is_refused(
    place: str, issue: Issue, code: str, publisher: Publisher, *, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Before anything of it is fetched; what was served goes on being served, without a byte of it changed."""
    publisher.publish(FIRST, SIGNED_BY_TEAM)
    here = replica(source_at(place, server.url().rstrip("/"))).trusting(keys=TEAM)
    before = (await here.hydrate()).generation
    publisher.publish(SECOND, issue)
    stored = sorted(path.name for path in here.layout.blob_files())
    server.requests.clear()
    with pytest.raises(UntrustedError) as caught:
        await here.hydrate()
    assert caught.value.code == code
    assert caught.value.hint
    assert here.served() == before
    assert sorted(path.name for path in here.layout.blob_files()) == stored
    asked = [seen.path for seen in server.requests]
    assert not [path for path in asked if path.endswith((".faiss", ".sqlite", place))]


def _signature_files(site: Path) -> tuple[Path, list[Path]]:
    """Return the published manifest and the blobs that sign it."""
    layout = Layout(site)
    table = layout.refs()
    manifest = table.refs["latest"].digest
    listed = table.signatures_of(manifest)[0].digest
    layers = Referrer.from_bytes(layout.read(listed)).layers
    return layout.blob_path(manifest), [layout.blob_path(each) for each in (listed, layers[0].digest)]


async def test_every_flipped_byte_is_refused_before_any_blob(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Of the manifest, of its signature, and of what ties the two together: nothing but those is ever asked for."""
    generation = publisher.publish(SECOND, SIGNED_BY_TEAM)
    manifest, signatures = _signature_files(publisher.site / "layout")
    here = replica(LayoutSource((server.url("layout"),))).trusting(keys=TEAM)
    small = {"index.json", manifest.name, *(path.name for path in signatures)}
    for file in (manifest, *signatures):
        content = file.read_bytes()
        for place in range(0, len(content), 23):
            file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            with pytest.raises(PyContextifyError) as caught:
                await here.hydrate()
            assert caught.value.code in ("digest_mismatch", "signature_invalid"), place
        file.write_bytes(content)
    assert {seen.path.rpartition("/")[2] for seen in server.requests} <= small
    assert here.served() is None
    assert (await here.hydrate()).generation == generation


def _tied_anew(site: Path, change: Callable[[bytes], bytes], *, which: str) -> None:
    """Change what is signed or what signs it, and tie it together again as somebody does who controls the host."""
    layout = Layout(site)
    table = layout.refs()
    target = table.refs["latest"]
    signature = signature_of(layout, table, target.digest) or b""
    manifest = layout.read(target.digest)
    if which == "manifest":
        manifest = change(manifest)
    else:
        signature = change(signature)
    generation = layout.add_bytes(manifest)
    table = RefTable().point("latest", generation, len(manifest))
    layout.write_refs(table.signed(generation, add_signature(layout, generation, signature)))


@pytest.mark.parametrize("which", ["manifest", "signature"])
async def test_a_host_can_change_neither(
    which: str, publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Every digest fits again, and the signature does not: refused before any blob is asked for."""
    publisher.publish(SECOND, SIGNED_BY_TEAM)
    site = publisher.site / "layout"
    layout = Layout(site)
    table = layout.refs()
    target = table.refs["latest"].digest
    original = layout.read(target) if which == "manifest" else signature_of(layout, table, target) or b""
    start = 0 if which == "manifest" else original.index(b"\n") + 1
    here = replica(LayoutSource((server.url("layout"),))).trusting(keys=TEAM)
    blobs = {blob.digest.hex for blob in layout.manifest(target).blobs}
    for place in range(start, len(original), 31):
        changed = original[:place] + bytes([original[place] ^ 2]) + original[place + 1 :]
        _tied_anew(site, partial(lambda content, _: content, changed), which=which)
        with pytest.raises(UntrustedError) as caught:
            await here.hydrate()
        assert caught.value.code in ("signature_invalid", "signature_untrusted"), place
        layout.write_refs(table)
    assert not blobs & {seen.path.rpartition("/")[2] for seen in server.requests}


@pytest.mark.parametrize("place", ["index.tar.zst", "index.zip", "pair"])
async def test_a_host_can_not_change_a_file_either(
    place: str, publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """The .sha256 beside it is the host's to write; the signature is not. Nothing of it is unpacked."""
    publisher.publish(SECOND, SIGNED_BY_TEAM)
    unsigned = replica(source_at(place, server.url().rstrip("/")))
    honest = {path: path.read_bytes() for path in publisher.site.rglob("*.minisig")}
    publisher.publish({**SECOND, "evil.md": "# Evil\n\nWhat was never signed.\n"})
    for path, content in honest.items():
        path.write_bytes(content)
    here = replica(source_at(place, server.url().rstrip("/"))).trusting(keys=TEAM)
    with pytest.raises(UntrustedError) as caught:
        await here.hydrate()
    assert caught.value.code == "signature_invalid"
    assert here.served() is None
    assert list(here.layout.blob_files()) == []
    assert (await unsigned.hydrate()).result == "installed"


async def test_keys_can_be_changed_without_a_gap(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Servers trust the new key as well, then the publisher changes over, then the old one is dropped."""
    old, new = key_of("old").public, key_of("new").public
    publisher.publish(FIRST, Issue(sign=signs(key_of("old"))))
    here = replica(LayoutSource((server.url("layout"),))).trusting(keys=(old,))
    await here.hydrate()
    here.trusting(keys=(old, new))
    assert (await here.hydrate()).result == "unchanged"
    publisher.publish(SECOND, Issue(sign=signs(key_of("new"))))
    assert (await here.hydrate()).result == "installed"
    here.trusting(keys=(new,))
    assert (await here.hydrate()).result == "unchanged"


async def test_what_came_in_unsigned_is_looked_at_again(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Once keys are set, what is served must be vouched for too; if it is, nothing is fetched but that."""
    here = replica(LayoutSource((server.url("layout"),)))
    before = (await here.hydrate()).generation
    here.trusting(keys=TEAM)
    with pytest.raises(UntrustedError) as caught:
        await here.hydrate()
    assert caught.value.code == "signature_missing"
    assert here.served() == before
    publish_directory(publisher.layout, before, publisher.site / "layout", SIGNED_BY_TEAM)
    assert (await here.hydrate()).generation == before
    assert here.board.status.bytes_fetched == 0
    assert here.layout.refs().refs["current"].annotations[SIGNED] == str(TEAM[0])
    assert (await here.hydrate()).result == "unchanged"


async def test_a_replica_passes_the_signature_on(
    tmp_path: Path, publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """What it publishes, others can verify: a mirror needs no key."""
    publisher.publish(SECOND, SIGNED_BY_TEAM)
    mirror = replica(LayoutSource((server.url("layout"),)))
    await mirror.trusting(keys=TEAM).hydrate()
    generation = mirror.layout.current() or parse_digest("")
    publish_directory(mirror.layout, generation, tmp_path / "mirror")
    other = replica(LayoutSource(((tmp_path / "mirror").as_uri(),))).trusting(keys=TEAM)
    assert (await other.hydrate()).generation == generation


async def test_a_pin_does_not_replace_a_signature(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """With keys set, what is pinned must be signed as well; its signature is found where the layout lists it."""
    unsigned = publisher.publish(FIRST)
    signed = publisher.publish(SECOND, SIGNED_BY_TEAM)

    def pinned(digest: Digest) -> Source:
        return LayoutSource((server.url("layout"),), pin=digest)

    with pytest.raises(UntrustedError) as caught:
        await replica(pinned(unsigned)).trusting(keys=TEAM, pinned=True).hydrate()
    assert caught.value.code == "signature_missing"
    here = replica(pinned(signed)).trusting(keys=TEAM, pinned=True)
    assert (await here.hydrate()).generation == signed


async def test_a_signature_that_says_no_subject_in_the_table_is_found(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """Other tools copy layouts and drop our annotation: what counts is the subject in the signature's manifest."""
    publisher.publish(SECOND, SIGNED_BY_TEAM)
    index = publisher.site / "layout/index.json"
    document = json.loads(index.read_bytes())
    for entry in document["manifests"]:
        if entry["artifactType"].endswith("signature.v1"):
            del entry["annotations"]
    index.write_text(json.dumps(document))
    here = replica(LayoutSource((server.url("layout"),))).trusting(keys=TEAM)
    assert (await here.hydrate()).result == "installed"


async def test_a_malformed_signature_does_not_hide_a_good_one(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """A layout may list several: what is no signature, and one that is somebody else's, are passed over."""
    publisher.publish(SECOND, SIGNED_BY_TEAM)
    site = Layout(publisher.site / "layout")
    table = site.refs()
    target = table.refs["latest"].digest
    noise = b"{}"
    stray = Descriptor(MANIFEST_TYPE, site.add_bytes(noise), len(noise))
    other = add_signature(site, target, signs(key_of("somebody"))(bytes(64), "of something else"))
    site.write_refs(replace(table, signatures=(stray, other, *table.signatures)))
    here = replica(LayoutSource((server.url("layout"),))).trusting(keys=TEAM)
    assert (await here.hydrate()).result == "installed"


async def test_without_keys_signatures_do_not_matter(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """No request is spent on them."""
    publisher.publish(SECOND, SIGNED_BY_TEAM)
    here = replica(LayoutSource((server.url("layout"),)))
    await here.hydrate()
    signatures = {path.name for path in _signature_files(publisher.site / "layout")[1]}
    assert not signatures & {seen.path.rpartition("/")[2] for seen in server.requests}


async def test_local_work_needs_no_signature(
    publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """What is served from local work stays served: keys are about what is fetched."""
    here = replica(LayoutSource((server.url("layout"),))).trusting(keys=TEAM)
    report = here.index({"mine.md": "# Mine\n\nWritten here.\n"})
    with pytest.raises(UntrustedError):
        await here.hydrate()
    assert here.served() == report.generation
