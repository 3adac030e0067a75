"""Installing a candidate: everything can go wrong up to the moment at which current moves, and nothing after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pycontextify.errors import StoreError, ValidateError
from pycontextify.hydration.candidate import Candidate
from pycontextify.hydration.install import Installation
from pycontextify.hydration.workers import Workers
from pycontextify.index.live import LiveIndex
from pycontextify.index.view import View
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.origin import SEEN
from pycontextify.store.layout import Layout
from tests.fakes.encoder import TinyEncoder
from tests.fakes.generation import make_generation


@dataclass
class Bench:
    """An index directory, what is served, and how views are opened: really, unless ``fails`` says otherwise."""

    layout: Layout
    workers: Workers
    built: Layout
    live: LiveIndex[View] = field(default_factory=LiveIndex)
    fails: Callable[[Digest], None] = lambda _: None
    opened: list[View] = field(default_factory=list)
    closed: list[Digest] = field(default_factory=list)

    @property
    def installation(self) -> Installation:
        """What is tested."""
        return Installation(self.layout, self.live, self.workers, self._open)

    def _open(self, generation: Digest, config: SnapshotConfig, blob: Callable[[Digest], Path]) -> View:
        self.fails(generation)
        ended = lambda: self.closed.append(generation)  # noqa: E731 - one line says it
        self.opened.append(View.open(generation, config, blob, TinyEncoder(), on_close=ended))
        return self.opened[-1]

    def candidate(self, *texts: str, version: int = 1) -> Candidate:
        """Stage a generation of these texts beside the layout's blobs."""
        generation = make_generation(self.built, list(texts), version=version)
        manifest = self.built.manifest(generation)
        staged = {}
        for blob in manifest.blobs:
            staged[blob.digest] = self.layout.partial / f"{blob.digest.hex}.part"
            staged[blob.digest].write_bytes(self.built.read(blob.digest))
        return Candidate(
            generation, self.built.config(generation), staged, (self.built.read(generation),), {SEEN: "[]"}
        )

    def served(self) -> Digest | None:
        """Tell what is served."""
        with self.live.lease() as view:
            return None if view is None else view.generation


@pytest.fixture
def bench(layout: Layout, workers: Workers, tmp_path: Path) -> Iterator[Bench]:
    """An empty index directory."""
    built = Layout(tmp_path / "built")
    built.create()
    bench = Bench(layout, workers, built)
    yield bench
    bench.live.swap(None)
    assert len(bench.closed) == len(bench.opened)


async def test_a_candidate_becomes_what_is_current_and_served(bench: Bench) -> None:
    """It is opened once more from its final place, and what it took the place of is closed."""
    candidates: list[Candidate] = []
    for version, texts in enumerate((["one"], ["one", "two"]), start=1):
        candidates.append(bench.candidate(*texts, version=version))
        candidate = candidates[-1]
        await bench.installation.validate(candidate)
        installed = await bench.installation.install(candidate)
        assert bench.served() == bench.layout.current() == candidate.generation
        assert not list(bench.layout.partial.iterdir())
    assert (installed.chunks, installed.documents, installed.kept_local) == (2, 2, False)
    assert bench.closed.count(candidates[0].generation) == 2  # where it was staged, and where it was served


async def test_taking_the_place_of_local_work_is_told(bench: Bench) -> None:
    """Whoever asked learns that it was kept."""
    make_generation(bench.layout, ["mine"])
    assert (await bench.installation.install(bench.candidate("theirs"))).kept_local


async def test_what_can_not_be_opened_in_its_place_changes_nothing(bench: Bench) -> None:
    """What was served is served, what was current is current."""
    first = bench.candidate("one")
    await bench.installation.install(first)
    second = bench.candidate("two", version=2)

    def fails(generation: Digest) -> None:
        if generation == second.generation:
            raise StoreError("too many open files", code="disk_failed")

    bench.fails = fails
    with pytest.raises(StoreError):
        await bench.installation.install(second)
    assert bench.served() == bench.layout.current() == first.generation


async def test_what_can_not_be_activated_is_closed(bench: Bench) -> None:
    """index.json can't be replaced: the view that was already open goes again."""
    first = bench.candidate("one")
    await bench.installation.install(first)
    second = bench.candidate("two", version=2)
    refs = (bench.layout.root / "index.json").read_bytes()
    (bench.layout.root / "index.json").unlink()
    (bench.layout.root / "index.json" / "in the way").mkdir(parents=True)
    with pytest.raises(StoreError):
        await bench.installation.install(second)
    assert bench.served() == first.generation
    assert second.generation in bench.closed
    (bench.layout.root / "index.json" / "in the way").rmdir()
    (bench.layout.root / "index.json").rmdir()
    (bench.layout.root / "index.json").write_bytes(refs)
    assert bench.layout.current() == first.generation


async def test_what_does_not_validate_is_not_committed(bench: Bench) -> None:
    """Its bytes stay where they were staged."""
    candidate = bench.candidate("one")

    def fails(_generation: Digest) -> None:
        raise ValidateError("not an index", code="rows_differ")

    bench.fails = fails
    with pytest.raises(ValidateError):
        await bench.installation.validate(candidate)
    assert bench.layout.blob_files() == []
    assert all(path.exists() for path in candidate.staged.values())


async def test_serving_what_is_stored(bench: Bench) -> None:
    """Where nothing is served, or where something else is and that is to be replaced; never twice."""
    first = make_generation(bench.layout, ["one"])
    second = make_generation(bench.layout, ["two"], version=2)
    installation = bench.installation
    await installation.serve(first, replacing=False)
    assert bench.served() == first
    await installation.serve(second, replacing=False)
    assert bench.served() == first
    await installation.serve(second, replacing=True)
    await installation.serve(second, replacing=True)
    assert bench.served() == second
    assert len(bench.opened) == 2


async def test_what_fails_to_prune_is_installed_all_the_same(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Old blobs stay for now: a ref that can't be read keeps everything."""
    await bench.installation.install(bench.candidate("one"))
    stray = bench.layout.add_bytes(b"needed by nobody")
    bench.layout.write_refs(bench.layout.refs().point("broken", Digest(f"sha256:{'0' * 64}"), 1))
    second = bench.candidate("two", version=2)
    await bench.installation.install(second)
    assert bench.served() == second.generation
    assert bench.layout.blob_path(stray).exists()
    assert "old blobs stay for now" in caplog.text
