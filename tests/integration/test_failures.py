"""What can go wrong while hydrating: each time the old index goes on answering, and the error says why."""

from __future__ import annotations

import errno
import io
import json
import os
import tarfile
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import apsw
import numpy as np
import pytest

from pycontextify.errors import PyContextifyError, StoreError
from pycontextify.hydration.sources import ArchiveSource, LayoutSource, PairSource, Source
from pycontextify.index.vectors import Vectors, write_vectors
from pycontextify.snapshot.digest import digest_of
from pycontextify.snapshot.manifest import RefTable
from tests.fakes.acts import Cut, Status
from tests.fakes.encoder import TinyEncoder
from tests.fakes.server import SnapshotServer
from tests.integration.conftest import SECOND, Publisher, Replica

OTHER = {"other.md": "# Other\n\nSomething else altogether.\n", "more.md": "# More\n\nAnd more of it.\n"}


@dataclass(frozen=True)
class Scene:
    """A publisher whose files can be damaged, and the server in front of them."""

    publisher: Publisher
    server: SnapshotServer
    other: Publisher

    @property
    def site(self) -> Path:
        """What is served."""
        return self.publisher.site

    @property
    def layout(self) -> LayoutSource:
        """The published directory."""
        return LayoutSource((self.server.url("layout"),))

    def archive(self, name: str = "index.zip") -> ArchiveSource:
        """One of the archives."""
        return ArchiveSource((self.server.url(name),), name="index")

    @property
    def pair(self) -> PairSource:
        """The two files."""
        return PairSource((self.server.url("pair/index.faiss"),), (self.server.url("pair/index.sqlite"),))

    @property
    def newest_blob(self) -> str:
        """The path below the site of the published snapshot's last layer: the chunks of its newest segment."""
        generation = self.publisher.layout.current()
        assert generation is not None
        return f"layout/blobs/sha256/{self.publisher.layout.manifest(generation).layers[-1].digest.hex}"

    def rewrite(self, name: str, content: bytes) -> None:
        """Replace a file of the pair or an archive, its sidecar too: an honest publisher of something wrong."""
        (self.site / name).write_bytes(content)
        (self.site / f"{name}.sha256").write_text(f"{digest_of(content).hex}  {name}\n")

    def rewrite_vectors(self, content: bytes) -> None:
        """Replace the vectors of the pair by others that its chunks file says are its own."""
        self.rewrite("pair/index.faiss", content)
        chunks = self.site / "pair/index.sqlite"
        with closing(apsw.Connection(str(chunks))) as connection:
            named = json.dumps(digest_of(content))
            connection.execute("UPDATE meta SET value = ? WHERE key = 'vectors'", (named,))
        self.rewrite("pair/index.sqlite", chunks.read_bytes())


Damage = Callable[[Scene], Source]


def nothing_there(scene: Scene) -> Source:
    """404 for index.json."""
    return LayoutSource((scene.server.url("nowhere"),))


def server_broken(scene: Scene) -> Source:
    """500, three times."""
    scene.server.always("layout/index.json", Status(500))
    return scene.layout


def body_cut_short(scene: Scene) -> Source:
    """Every try ends before the first byte of a blob."""
    scene.server.always(scene.newest_blob, Cut(after=0))
    return scene.layout


def blob_tampered(scene: Scene) -> Source:
    """A blob with other bytes of the same size."""
    path = scene.site / scene.newest_blob
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    return scene.layout


def manifest_tampered(scene: Scene) -> Source:
    """A manifest that does not have the digest that index.json names."""
    target = RefTable.from_bytes((scene.site / "layout/index.json").read_bytes()).refs["latest"]
    (scene.site / "layout/blobs/sha256" / target.digest.hex).write_bytes(b"{}")
    return scene.layout


def index_json_is_a_page(scene: Scene) -> Source:
    """A host that answers everything with 200 and a page for people."""
    (scene.site / "layout/index.json").write_text("<html>Not found</html>")
    return scene.layout


def pin_does_not_match(scene: Scene) -> Source:
    """The archive is not the one that was pinned."""
    return ArchiveSource((scene.server.url("index.zip"),), name="index", pin=digest_of(b"another"))


def sidecar_does_not_match(scene: Scene) -> Source:
    """The .sha256 beside the archive belongs to another one."""
    (scene.site / "index.zip.sha256").write_text(f"{digest_of(b'another').hex}  index.zip\n")
    return scene.archive()


def sidecar_is_a_page(scene: Scene) -> Source:
    """The .sha256 is an error page."""
    (scene.site / "index.zip.sha256").write_text("<html>")
    return scene.archive()


def zip_corrupt(scene: Scene) -> Source:
    """A zip file cut in half, honestly published."""
    content = (scene.site / "index.zip").read_bytes()
    scene.rewrite("index.zip", content[: len(content) // 2])
    return scene.archive()


def tar_truncated(scene: Scene) -> Source:
    """A tar.gz that ends early."""
    content = (scene.site / "index.tar.gz").read_bytes()
    scene.rewrite("index.tar.gz", content[:-100])
    return scene.archive("index.tar.gz")


def archive_of_something_else(scene: Scene) -> Source:
    """A zip without the expected members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("README.md", "hello")
    scene.rewrite("index.zip", packed.getvalue())
    return scene.archive()


def member_escapes(scene: Scene) -> Source:
    """The right members, and one whose name leaves the directory."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(scene.site / "pair/index.faiss", "index.faiss")
        archive.write(scene.site / "pair/index.sqlite", "index.sqlite")
        archive.writestr("../../escaped.txt", "gotcha")
    scene.rewrite("index.zip", packed.getvalue())
    return scene.archive()


def member_is_a_link(scene: Scene) -> Source:
    """A tar in which NAME.sqlite is a symbolic link."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(scene.site / "pair/index.faiss", "index.faiss")
        link = tarfile.TarInfo("index.sqlite")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    scene.rewrite("index.tar", packed.getvalue())
    return scene.archive("index.tar")


def dimension_differs(scene: Scene) -> Source:
    """As many vectors as there are chunks, of another dimension."""
    vectors = Vectors.open(scene.site / "pair/index.faiss")
    path = scene.site / "wrong"
    write_vectors(np.eye(vectors.rows, 8, dtype=np.float32), path)
    vectors.close()
    scene.rewrite_vectors(path.read_bytes())
    return scene.pair


def rows_differ(scene: Scene) -> Source:
    """More vectors than there are chunks."""
    scene.other.publish(OTHER)
    scene.rewrite_vectors((scene.other.site / "pair/index.faiss").read_bytes())
    return scene.pair


def two_builds(scene: Scene) -> Source:
    """The two files of different builds, which may well fit each other otherwise."""
    scene.other.publish(OTHER)
    scene.rewrite("pair/index.faiss", (scene.other.site / "pair/index.faiss").read_bytes())
    return scene.pair


def not_an_index(scene: Scene) -> Source:
    """A .faiss file that is none."""
    scene.rewrite_vectors(b"IxF2" + bytes(1000))
    return scene.pair


def not_chunks(scene: Scene) -> Source:
    """A .sqlite file that is an SQLite database of somebody else."""
    path = scene.site / "theirs.sqlite"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE secrets(x)")
    connection.close()
    scene.rewrite("pair/index.sqlite", path.read_bytes())
    return scene.pair


CASES = [
    (nothing_there, "http_404"),
    (server_broken, "http_500"),
    (body_cut_short, "truncated"),
    (blob_tampered, "digest_mismatch"),
    (manifest_tampered, "digest_mismatch"),
    (index_json_is_a_page, "index_json_invalid"),
    (pin_does_not_match, "digest_mismatch"),
    (sidecar_does_not_match, "digest_mismatch"),
    (sidecar_is_a_page, "sidecar_invalid"),
    (zip_corrupt, "archive_truncated"),
    (tar_truncated, "archive_truncated"),
    (archive_of_something_else, "members_missing"),
    (member_escapes, "member_name_hostile"),
    (member_is_a_link, "member_not_regular"),
    (dimension_differs, "dimension_differs"),
    (rows_differ, "rows_differ"),
    (two_builds, "pair_differs"),
    (not_an_index, "vectors_kind"),
    (not_chunks, "chunks_schema"),
]


@pytest.fixture
async def scene(tmp_path: Path, publisher: Publisher) -> AsyncIterator[Scene]:
    """Something published, to be damaged."""
    (tmp_path / "other").mkdir()
    async with SnapshotServer(publisher.site) as server:
        yield Scene(publisher, server, Publisher(tmp_path / "other"))


@pytest.mark.parametrize(("damage", "code"), CASES, ids=[damage.__name__ for damage, _ in CASES])
async def test_the_old_index_goes_on_answering(
    damage: Damage, code: str, scene: Scene, replica: Callable[[Source], Replica]
) -> None:
    """Whatever is wrong: the attempt fails with its code, and everything is as it was before."""
    good = replica(scene.layout)
    before = (await good.hydrate()).generation
    scene.publisher.publish(SECOND)
    blobs = sorted(path.name for path in good.layout.blob_files())
    with pytest.raises(PyContextifyError) as caught:
        await good.hydrate_from(damage(scene))
    assert caught.value.code == code
    assert good.layout.current() == before
    assert good.find("time of day")[0] == "src/clock.py"
    assert good.find("live zebra")[0] != "guide/swap.md"
    assert sorted(path.name for path in good.layout.blob_files()) == blobs
    assert not (good.layout.root.parent / "escaped.txt").exists()
    with good.layout.lock(timeout=0):
        pass


@pytest.mark.parametrize(("damage", "code"), CASES, ids=[damage.__name__ for damage, _ in CASES])
async def test_an_empty_index_stays_empty_and_recovers(
    damage: Damage, code: str, scene: Scene, replica: Callable[[Source], Replica]
) -> None:
    """The same without an index before: nothing is served, and an honest source is taken afterwards."""
    here = replica(damage(scene))
    with pytest.raises(PyContextifyError) as caught:
        await here.hydrate()
    assert caught.value.code == code
    assert here.layout.current() is None
    assert here.find("anything") == []
    scene.other.publish(SECOND)
    sound = LayoutSource(((scene.other.site / "layout").as_uri(),))
    assert (await here.hydrate_from(sound)).result == "installed"
    assert here.find("live zebra")[0] == "guide/swap.md"


async def test_a_version_that_can_not_be_remembered_is_not_served(
    scene: Scene, replica: Callable[[Source], Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails at just that file: the attempt has failed, so nothing has changed; the next one goes through."""
    here = replica(scene.layout)
    before = (await here.hydrate()).generation
    scene.publisher.publish(SECOND)
    replaces = os.replace

    def replace(source: os.PathLike[str], target: os.PathLike[str]) -> None:
        if Path(target) == here.layout.state:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replaces(source, target)

    with monkeypatch.context() as disk:
        disk.setattr(os, "replace", replace)
        with pytest.raises(StoreError) as caught:
            await here.hydrate()
    assert caught.value.code == "disk_full"
    assert here.layout.current() == here.served() == before
    assert (await here.hydrate()).result == "installed"
    assert here.find("live zebra")[0] == "guide/swap.md"


async def test_vectors_of_another_encoder_are_refused(
    tmp_path: Path, scene: Scene, replica: Callable[[Source], Replica]
) -> None:
    """A chunks file that was built with another encoder than the config names does not get in."""
    (tmp_path / "stranger").mkdir()
    stranger = Publisher(tmp_path / "stranger", TinyEncoder(dimension=16))
    stranger.publish(SECOND)
    scene.publisher.publish(SECOND)
    vectors = (scene.site / "pair/index.faiss").read_bytes()
    scene.rewrite("pair/index.sqlite", (stranger.site / "pair/index.sqlite").read_bytes())
    scene.rewrite_vectors(vectors)
    with pytest.raises(PyContextifyError) as caught:
        await replica(scene.pair).hydrate()
    assert caught.value.code == "dimension_differs"
