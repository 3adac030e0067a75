"""Attacks on updates, by the names that The Update Framework gives them (theupdateframework.io/docs/security).

The attacker has whatever the name says: the host, a mirror, an old key. Each time what was served goes on being served.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pycontextify.errors import PyContextifyError, TransientFetchError, UntrustedError, VerifyError
from pycontextify.hydration.sources import LayoutSource, Source
from pycontextify.hydration.transfer.fetch import Timeouts
from pycontextify.publish.directory import publish_directory
from pycontextify.publish.issue import Issue
from pycontextify.server.document import Facts, Situation, status_document
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.manifest import RefTable
from pycontextify.store.layout import Layout
from pycontextify.store.signed import add_signature, signature_of
from tests.fakes.acts import Drip, Endless
from tests.fakes.server import SnapshotServer
from tests.fakes.signers import key_of, signs
from tests.integration.conftest import FIRST, SECOND, Publisher, Replica
from tests.integration.test_hydration import source_at

MakeReplica = Callable[[Source], Replica]
TEAM = (key_of("team").public,)
SIGNED = Issue(sign=signs(key_of("team")))
THIRD = {**SECOND, "guide/third.md": "# Third\n\nThe walrus is newer than the zebra.\n"}


@pytest.fixture
async def mirror(tmp_path: Path, publisher: Publisher) -> AsyncIterator[SnapshotServer]:
    """Another host, which begins with what the first version was."""
    shutil.copytree(publisher.site, tmp_path / "mirror")
    async with SnapshotServer(tmp_path / "mirror") as server:
        yield server


@pytest.fixture
def publisher(publisher: Publisher) -> Publisher:
    """A publisher who signs."""
    publisher.publish(FIRST, SIGNED)
    return publisher


async def refused(here: Replica) -> PyContextifyError:
    """Hydrate, which must fail; what was served, and what the disk says, stay as they were."""
    before, refs = here.served(), here.layout.refs().refs
    with pytest.raises(PyContextifyError) as caught:
        await here.hydrate()
    assert here.served() == before
    assert here.layout.refs().refs == refs
    return caught.value


def replay(publisher: Publisher, kept: Path) -> None:
    """Put back what the host served once."""
    shutil.rmtree(publisher.site)
    shutil.copytree(kept, publisher.site)


@pytest.mark.parametrize("place", ["layout", "index.zip", "pair"])
async def test_arbitrary_installation(
    place: str, publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """The host gives out an index of its own, well-formed and unsigned, or signed by its own key."""
    here = replica(source_at(place, server.url().rstrip("/"))).trusting(keys=TEAM)
    await here.hydrate()
    for issue in (Issue(), Issue(sign=signs(key_of("attacker")))):
        publisher.publish(SECOND, issue)
        assert isinstance(await refused(here), UntrustedError)


@pytest.mark.parametrize("place", ["layout", "index.zip", "pair"])
async def test_rollback(
    place: str, tmp_path: Path, publisher: Publisher, server: SnapshotServer, *, replica: MakeReplica
) -> None:
    """The host gives out an older version, signed as it was then. That a newer one was seen outlives a restart, a reset
    and the loss of everything else in the directory."""
    kept = shutil.copytree(publisher.site, tmp_path / "kept")
    publisher.publish(SECOND, SIGNED)
    here = replica(source_at(place, server.url().rstrip("/"))).trusting(keys=TEAM)
    await here.hydrate()
    replay(publisher, kept)
    assert (await refused(here)).code == "version_lower"
    here.layout.write_refs(RefTable())
    shutil.rmtree(here.layout.blob_directory)
    with pytest.raises(UntrustedError, match="was there already"):
        await here.hydrate()
    assert here.layout.current() is None


@pytest.mark.parametrize("keys", [TEAM, ()], ids=["signed", "unsigned"])
async def test_a_rollback_that_is_asked_for(
    keys: tuple[()], tmp_path: Path, publisher: Publisher, server: SnapshotServer, *, replica: MakeReplica
) -> None:
    """By its digest, by `rollback`, or by saying that an older one is meant; from then on that is what was seen."""
    first = publisher.layout.current()
    assert first is not None
    kept = shutil.copytree(publisher.site, tmp_path / "kept")
    second = publisher.publish(SECOND, SIGNED)
    here = replica(LayoutSource((server.url("layout"),))).trusting(keys=keys)
    await here.hydrate()
    replay(publisher, kept)
    assert (await refused(here)).code == "version_lower"
    assert (await here.trusting(allow_older=True).hydrate()).generation == first
    assert (await here.trusting(allow_older=False).hydrate()).result == "unchanged"
    publisher.publish(SECOND, SIGNED)
    pinned = replica(LayoutSource((server.url("layout"),))).trusting(keys=keys)
    await pinned.hydrate()
    pinned.attempt = replace(pinned.attempt, source=LayoutSource((server.url("layout"),), pin=first))
    assert (await pinned.trusting(pinned=True).hydrate()).generation == first
    assert second != first


async def test_rollback_while_keys_change(
    tmp_path: Path, publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """What a key has signed counts for as long as that key is trusted, whichever others are."""
    kept = shutil.copytree(publisher.site, tmp_path / "kept")
    publisher.publish(SECOND, SIGNED)
    here = replica(LayoutSource((server.url("layout"),))).trusting(keys=TEAM)
    await here.hydrate()
    replay(publisher, kept)
    here.trusting(keys=(*TEAM, key_of("new key").public))
    assert (await refused(here)).code == "version_lower"
    assert (await here.trusting(allow_older=True).hydrate()).result == "installed"


async def test_fast_forward(publisher: Publisher, server: SnapshotServer, replica: MakeReplica) -> None:
    """Whoever had the key has published the highest version there is. A new key makes a new start, and nothing else."""
    here = replica(LayoutSource((server.url("layout"),))).trusting(keys=TEAM)
    generation = publisher.publish(SECOND)
    publish_directory(publisher.layout, generation, publisher.site / "layout", replace(SIGNED, supersede=2**63 - 1))
    await here.hydrate()
    shutil.rmtree(publisher.site / "layout")
    publisher.publish(THIRD, SIGNED)
    assert (await refused(here)).code == "version_lower"
    publisher.publish(THIRD, Issue(sign=signs(key_of("new key"))))
    here.trusting(keys=(key_of("new key").public,))
    assert (await here.hydrate()).result == "installed"
    assert here.find("walrus")[0] == "guide/third.md"


async def test_indefinite_freeze(
    tmp_path: Path, publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """The host holds back what is new. The old one expires: it is served on, the status says so, and nobody who comes
    now is given it."""
    now = datetime.now(UTC)
    publisher.publish(SECOND, replace(SIGNED, expires=now + timedelta(days=7)))
    here = replica(LayoutSource((server.url("layout"),))).trusting(keys=TEAM)
    generation = (await here.hydrate()).generation
    later = now + timedelta(days=8)
    assert (await here.trusting(now=lambda: later).hydrate()).result == "unchanged"
    assert here.find("live zebra")[0] == "guide/swap.md"
    facts = Facts(generation, here.layout.config(generation), 4, 4)
    assert status_document(Situation(facts, here.board.status), now)["health"]["status"] == "ok"
    health = status_document(Situation(facts, here.board.status), later)["health"]
    assert health["status"] == "degraded"
    assert "expired" in health["message"]
    late = replica(LayoutSource((server.url("layout"),))).trusting(keys=TEAM, now=lambda: later)
    assert (await refused(late)).code == "snapshot_expired"
    for place in ("index.zip", "pair"):
        late = replica(source_at(place, server.url().rstrip("/"))).trusting(keys=TEAM, now=lambda: later)
        assert (await refused(late)).code == "snapshot_expired"


async def test_endless_data(publisher: Publisher, server: SnapshotServer, replica: MakeReplica) -> None:
    """Whatever is asked for never ends: every document has its limit and every blob its size."""
    publisher.publish(SECOND, SIGNED)
    manifest = publisher.layout.manifest(publisher.layout.current() or Digest(""))
    blob = f"layout/blobs/sha256/{manifest.layers[-1].digest.hex}"
    for path, place in (
        ("layout/index.json", "layout"),
        (blob, "layout"),
        ("index.zip.minisig", "index.zip"),
        ("index.zip.sha256", "index.zip"),
    ):
        server.always(path, Endless())
        error = await refused(replica(source_at(place, server.url().rstrip("/"))).trusting(keys=TEAM))
        assert error.code == "size_exceeded", path
        assert server.body_bytes(path) < 32 << 20


async def test_extraneous_dependencies(publisher: Publisher, server: SnapshotServer, replica: MakeReplica) -> None:
    """The host adds blobs and refs of its own: what the signed manifest does not list is never asked for."""
    publisher.publish(SECOND, SIGNED)
    site = Layout(publisher.site / "layout")
    extra = site.add_bytes(b"more than was asked for")
    site.write_refs(site.refs().point("extra", extra, 23))
    here = replica(LayoutSource((server.url("layout"),))).trusting(keys=TEAM)
    await here.hydrate()
    assert server.hits(f"layout/blobs/sha256/{extra.hex}") == 0
    assert not here.layout.blob_path(extra).exists()


async def test_mix_and_match_of_a_layout(
    tmp_path: Path, publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """The signature of one snapshot is given out for another one."""
    old = publisher.site / "layout"
    table = Layout(old).refs()
    signature = signature_of(Layout(old), table, table.refs["latest"].digest)
    assert signature is not None
    generation = publisher.publish(SECOND)
    site = Layout(publisher.site / "layout")
    site.write_refs(site.refs().signed(generation, add_signature(site, generation, signature)))
    here = replica(LayoutSource((server.url("layout"),))).trusting(keys=TEAM)
    assert (await refused(here)).code == "signature_invalid"


@pytest.mark.parametrize("half", ["index.faiss", "index.sqlite"])
async def test_mix_and_match_of_a_pair(
    half: str, publisher: Publisher, server: SnapshotServer, replica: MakeReplica
) -> None:
    """The vectors of one build and the chunks of another, each rightly signed, with as many rows."""
    pair = publisher.site / "pair"
    kept = {path: path.read_bytes() for path in pair.glob(f"{half}*")}
    publisher.publish({name: text.replace("is", "was") for name, text in FIRST.items()}, SIGNED)
    for path, content in kept.items():
        path.write_bytes(content)
    here = replica(source_at("pair", server.url().rstrip("/"))).trusting(keys=TEAM)
    assert (await refused(here)).code == "pair_differs"


async def test_wrong_software(publisher: Publisher, server: SnapshotServer, replica: MakeReplica) -> None:
    """The host gives out another index of the same publisher: another channel, rightly signed."""
    here = replica(LayoutSource((server.url("layout"),))).trusting(keys=TEAM)
    await here.hydrate()
    publisher.publish(SECOND, replace(SIGNED, channel="nightly"))
    assert (await refused(here)).code == "channel_differs"
    assert (await here.trusting(channel="nightly").hydrate()).result == "installed"


async def test_malicious_mirrors_preventing_updates(
    publisher: Publisher, server: SnapshotServer, mirror: SnapshotServer, replica: MakeReplica, *, tmp_path: Path
) -> None:
    """The mirror that is asked first gives out what was good once, or what nobody signed: another one is asked, and the
    status tells of it."""
    both = LayoutSource((mirror.url("layout"), server.url("layout")))
    publisher.publish(SECOND, SIGNED)
    here = replica(LayoutSource((server.url("layout"),))).trusting(keys=TEAM)
    await here.hydrate()
    newest = publisher.publish(THIRD, SIGNED)
    assert (await here.hydrate_from(both)).generation == newest
    assert "mirror was passed over" in (here.board.status.notice or "")
    cold = replica(both).trusting(keys=TEAM)
    site = Layout(tmp_path / "mirror/layout")
    site.write_refs(replace(site.refs(), signatures=()))
    assert (await cold.hydrate()).generation == newest
    pinned = replica(replace(both, pin=newest)).trusting(keys=TEAM, pinned=True)
    assert (await pinned.hydrate()).generation == newest


async def test_slow_retrieval(publisher: Publisher, server: SnapshotServer, replica: MakeReplica) -> None:
    """A byte now and then, of a signature, a manifest or a blob: it is left, at 200 bytes a second over half a minute,
    which here are 1,000 over a tenth of a second."""
    publisher.publish(SECOND, SIGNED)
    layout = Layout(publisher.site / "layout")
    newest = layout.refs().refs["latest"].digest
    last = layout.manifest(newest).layers[-1].digest
    for path, place in (
        ("index.zip.minisig", "index.zip"),
        (f"layout/blobs/sha256/{newest.hex}", "layout"),
        (f"layout/blobs/sha256/{last.hex}", "layout"),
    ):
        server.always(path, Drip(size=1, pause=0.02))
        here = replica(source_at(place, server.url().rstrip("/"))).trusting(keys=TEAM)
        error = await refused(here.hurried(Timeouts(floor=1000.0, window=0.1)))
        assert (type(error), error.code) == (TransientFetchError, "too_slow"), path


async def test_key_compromise(publisher: Publisher, server: SnapshotServer, replica: MakeReplica) -> None:
    """A key that is no longer trusted is worth nothing, for old snapshots as for new ones."""
    here = replica(LayoutSource((server.url("layout"),))).trusting(keys=(key_of("new key").public,))
    publisher.publish(SECOND, SIGNED)
    error = await refused(here)
    assert isinstance(error, VerifyError)
    assert error.code == "signature_untrusted"
