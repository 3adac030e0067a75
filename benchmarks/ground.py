"""What figures are measured on: indexes, published and served by nginx, made when the first figure asks for them."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.child import part
from benchmarks.corpus import Lines, Sample, make_index
from benchmarks.progress import under_way
from pycontextify.encoder.default import find_default
from pycontextify.encoder.onnx import OnnxEncoder, open_model
from pycontextify.publish.directory import publish_directory
from pycontextify.publish.issue import Issue
from pycontextify.publish.pair import publish_archive
from pycontextify.publish.signing import generate_key, sign
from pycontextify.snapshot.digest import Digest
from pycontextify.store.layout import Layout
from tests.system.nginx import Nginx

__all__ = ["SCALES", "Ground", "Published", "Scale", "made_by", "making"]

_ROOT = Path(__file__).resolve().parent.parent
_MAKING = ("benchmarks", "pycontextify/index", "pycontextify/publish", "pycontextify/snapshot")

_KEY = generate_key(lambda size: bytes(range(size)))
_SIGNED = Issue(sign=partial(sign, _KEY))
"""How everything is published: whoever hydrates it trusts the key."""


@contextmanager
def making(what: str) -> Iterator[None]:
    """Tell that something is being made, and leave the disk nothing to do for it while something is measured."""
    with under_way(what):
        yield
        os.sync()


def made_by() -> str:
    """Return a name for the code that makes indexes: what other code has made is not taken for its own."""
    paths = sorted(path for place in _MAKING for path in (_ROOT / place).glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the indexes are, in chunks; how often each pair is measured; how many chunks are really embedded."""

    name: str
    small: int
    middle: int
    large: int
    times: int
    embedded: int

    @property
    def sizes(self) -> tuple[int, int, int]:
        """The three, in order."""
        return self.small, self.middle, self.large


SCALES = {
    scale.name: scale
    for scale in (
        Scale("full", small=10_000, middle=100_000, large=1_000_000, times=2, embedded=1_000),
        Scale("small", small=2_000, middle=12_000, large=60_000, times=3, embedded=300),
        Scale("tiny", small=20, middle=40, large=80, times=1, embedded=20),
    )
}
"""The full one is told, CI runs the small one, and tests the tiny one, whose figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Published:
    """An index: the directory that it was built in, the one that it is published in, and what serves that."""

    rows: int
    built: Layout
    site: Path
    host: Callable[[], Nginx]

    @property
    def url(self) -> str:
        """The address that it is served at."""
        return f"{self.host().url}/{self.site.name}"

    @property
    def blobs(self) -> dict[str, int]:
        """The blobs of its segment and its encoder: the path of each below the site, and its size in bytes."""
        layers = self.built.manifest(self.generation).layers
        return {f"blobs/sha256/{blob.digest.hex}": blob.size for blob in layers}

    @property
    def generation(self) -> Digest:
        """The digest of its manifest."""
        generation = self.built.current()
        assert generation is not None
        return generation

    @property
    def size(self) -> int:
        """How many bytes they are."""
        return sum(self.blobs.values())


@dataclass
class Ground:
    """A directory to make indexes in, and an nginx for them. Closed by `close`.

    What is there already is used again: the same scale gives the same indexes. ``peers`` is the Python of the
    environment that peers are installed in; without one they are not compared with.
    """

    home: Path
    scale: Scale
    peers: Path | None = None
    _hosts: list[Nginx] = field(default_factory=list)

    @cached_property
    def key(self) -> str:
        """The public key of whoever signed what is published."""
        return str(_KEY.public)

    @cached_property
    def encoder(self) -> OnnxEncoder:
        """The default encoder."""
        return open_model(find_default())

    @cached_property
    def lines(self) -> Lines:
        """Texts."""
        return Lines()

    @cached_property
    def sample(self) -> Sample:
        """Vectors that the encoder really made."""
        path = self.home / f"sample-{self.scale.embedded}.f32"
        if not path.exists():
            texts = [self.lines.spread(number, self.scale.embedded) for number in range(self.scale.embedded)]
            path.write_bytes(self.encoder.embed_passages(texts).tobytes())
        return Sample.of(np.fromfile(path, np.float32).reshape(self.scale.embedded, -1))

    @cached_property
    def host(self) -> Nginx:
        """An nginx that serves everything below ``home``."""
        place = self.home / "nginx"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        self._hosts.append(Nginx(place, self.home))
        self._hosts[-1].start()
        return self._hosts[-1]

    def index(self, rows: int) -> Published:
        """Return an index of so many chunks, published as a signed layout."""
        built, site = Layout(self.home / f"built-{rows}"), self.home / f"site-{rows}"
        if not (site / "index.json").exists():
            shutil.rmtree(built.root, ignore_errors=True)
            with making(f"an index of {rows:,} chunks"), self.empty(f"staging-{rows}") as staging:
                built.create()
                generation = make_index(
                    built, rows, staging, lines=self.lines, sample=self.sample, encoder=self.encoder
                )
                publish_directory(built, generation, site, _SIGNED)
        return Published(rows, built, site, lambda: self.host)

    def archive(self, index: Published, kind: str) -> Path:
        """Return an index as a signed archive, published beside the layouts."""
        path = self.home / f"index-{index.rows}.{kind}"
        if not path.exists():
            with making(f"{kind} of {index.rows:,} chunks"):
                publish_archive(index.built, index.generation, path, issue=_SIGNED)
        return path

    def archives(self, index: Published, kinds: Iterable[str]) -> list[Path]:
        """Return several, which are made side by side."""
        with ThreadPoolExecutor() as makers:
            return list(makers.map(partial(self.archive, index), kinds))

    def peer(self, name: str, *arguments: object) -> Any:
        """Run what a peer does in the environment of theirs; return what it tells."""
        assert self.peers is not None
        return part(f"peers.{name}", *arguments, python=self.peers)

    @property
    def large(self) -> Published:
        """The large index."""
        return self.index(self.scale.large)

    @property
    def middle(self) -> Published:
        """The one between."""
        return self.index(self.scale.middle)

    @property
    def small(self) -> Published:
        """The small index."""
        return self.index(self.scale.small)

    @contextmanager
    def empty(self, name: str) -> Iterator[Path]:
        """Lend an empty directory, gone afterwards."""
        path = self.home / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def close(self) -> None:
        """End nginx."""
        for host in self._hosts:
            host.close()
