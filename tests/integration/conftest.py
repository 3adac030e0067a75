"""A publisher and replicas, made of the real parts; only the encoder is a small one."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from pycontextify.hydration.attempt import Attempt, Outcome
from pycontextify.hydration.board import StatusBoard
from pycontextify.hydration.install import Installation
from pycontextify.hydration.sources import Source
from pycontextify.hydration.status import Trigger
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.connect import Patience, open_client
from pycontextify.hydration.transfer.fetch import Timeouts
from pycontextify.hydration.transfer.mirrors import Mirrors
from pycontextify.hydration.trust import Trust
from pycontextify.hydration.turns import Turns
from pycontextify.hydration.workers import Workers
from pycontextify.index.live import LiveIndex
from pycontextify.index.model import Query
from pycontextify.index.view import View
from pycontextify.ingest.report import IndexReport, IndexRequest
from pycontextify.ingest.update import update_index
from pycontextify.publish.directory import publish_directory
from pycontextify.publish.issue import AS_IT_IS, Issue
from pycontextify.publish.pair import publish_archive, publish_pair
from pycontextify.snapshot.config import DEFAULT_CHANNEL, SnapshotConfig
from pycontextify.snapshot.digest import Digest
from pycontextify.store.layout import Layout
from tests.fakes.encoder import TinyEncoder
from tests.fakes.server import SnapshotServer

__all__ = ["Publisher", "Replica"]

FIRST = {
    "guide/retry.md": "# Retries\n\nA request is sent again after a pause that doubles each time.\n",
    "guide/cache.md": "# Caching\n\nAnswers are kept until their validator changes.\n",
    "src/clock.py": 'def wall_clock():\n    """Tell the time of day."""\n    return None\n',
}
SECOND = {**FIRST, "guide/swap.md": "# Swapping\n\nThe live zebra index is replaced while queries go on.\n"}


class Publisher:
    """Builds an index of some files and publishes it in every form below ``site``."""

    def __init__(self, home: Path, encoder: TinyEncoder | None = None) -> None:
        self.encoder = encoder or TinyEncoder()
        self.layout = Layout(home / "built")
        self.site = home / "site"
        self.site.mkdir()
        self._tree = home / "tree"

    def build(self, files: dict[str, str]) -> IndexReport:
        """Make the index hold these files and no others."""
        for old in self._tree.rglob("*"):
            if old.is_file():
                old.unlink()
        for name, text in files.items():
            path = self._tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        request = IndexRequest(root=self._tree, tree="tree")
        return update_index(
            self.layout, request, self.encoder, on_progress=lambda _: None, now=lambda: datetime.now(UTC)
        )

    def publish(self, files: dict[str, str], issue: Issue = AS_IT_IS) -> Digest:
        """Build and publish as a layout (``layout``), archives (``index.zip``, …) and a pair (``pair``)."""
        generation = self.build(files).generation
        report = publish_directory(self.layout, generation, self.site / "layout", issue)
        for name in ("index.zip", "index.tar", "index.tar.gz", "index.tgz", "index.tar.zst"):
            publish_archive(self.layout, generation, self.site / name, issue=issue)
        publish_pair(self.layout, generation, self.site / "pair", issue=issue)
        return report.generation


class Replica:
    """What a server hydrates with, without the server around it."""

    def __init__(self, home: Path, source: Source, workers: Workers, encoder: TinyEncoder | None) -> None:
        self.layout = Layout(home)
        self.live: LiveIndex[View] = LiveIndex()
        self.board = StatusBoard(source.label, now=lambda: datetime.now(UTC), monotonic=time.monotonic)

        def open_view(generation: Digest, config: SnapshotConfig, blob: Callable[[Digest], Path]) -> View:
            matches = encoder is not None and encoder.info.digest == config.encoder.digest
            return View.open(generation, config, blob, encoder if matches else None)

        self._open_view = open_view
        mirrors = Mirrors(time.monotonic)

        def client() -> AbstractAsyncContextManager[Client]:
            return open_client(workers, mirrors, on_retry=self.board.retrying, sleep=_no_sleep)

        self.attempt = Attempt(
            source,
            self.layout,
            self.board,
            workers,
            Turns(self.layout, self.board, workers),
            Installation(self.layout, self.live, workers, open_view),
            client,
            Trust(self.layout, lambda: datetime.now(UTC), DEFAULT_CHANNEL),
        )

    async def hydrate(self, trigger: Trigger = "manual") -> Outcome:
        """Hydrate once."""
        self.board.begin(trigger)
        outcome = await self.attempt.run()
        self.board.finish(outcome.result)
        return outcome

    def hurried(self, timeouts: Timeouts) -> Replica:
        """Be as impatient as this from now on."""

        def client() -> AbstractAsyncContextManager[Client]:
            patience = Patience(timeouts=timeouts)
            mirrors = Mirrors(time.monotonic)
            return open_client(
                self.attempt.workers, mirrors, on_retry=self.board.retrying, sleep=_no_sleep, patience=patience
            )

        self.attempt = replace(self.attempt, open_client=client)
        return self

    def trusting(self, **what: Any) -> Replica:
        """Ask this of snapshots from now on, as a server does that was started again with other settings."""
        self.attempt = replace(self.attempt, trust=replace(self.attempt.trust, **what))
        return self

    async def hydrate_from(self, source: Source) -> Outcome:
        """Hydrate once from another source, as a server does that was started again with other settings."""
        self.attempt = replace(self.attempt, source=source)
        return await self.hydrate()

    def index(self, files: dict[str, str], tree: str = "mine") -> IndexReport:
        """Index these files here, as `index_filebase` does, and serve the result."""
        root = self.layout.root.with_name(f"{self.layout.root.name}-{tree}")
        for name, text in files.items():
            root.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
            root.joinpath(name).write_text(text, encoding="utf-8")
        encoder = TinyEncoder()
        report = update_index(
            self.layout,
            IndexRequest(root=root, tree=tree),
            encoder,
            on_progress=lambda _: None,
            now=lambda: datetime.now(UTC),
        )
        self.serve(report.generation)
        return report

    def serve(self, generation: Digest) -> None:
        """Serve a stored generation."""
        self.live.swap(self._open_view(generation, self.layout.config(generation), self.layout.blob_path))

    def served(self) -> Digest | None:
        """Tell what is served."""
        with self.live.lease() as view:
            return None if view is None else view.generation

    def find(self, text: str) -> list[str]:
        """Return the paths that a query finds, best first."""
        with self.live.lease() as view:
            return [] if view is None else [hit.path for hit in view.search(Query(text)).hits]

    def close(self) -> None:
        """Let the live view go."""
        self.live.swap(None)


async def _no_sleep(_seconds: float) -> None:
    await anyio.lowlevel.checkpoint()


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    """An index of three files, published."""
    publisher = Publisher(tmp_path)
    publisher.publish(FIRST)
    return publisher


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Hydration's threads."""
    with Workers() as workers:
        yield workers


@pytest.fixture
async def server(publisher: Publisher) -> AsyncIterator[SnapshotServer]:
    """A host that serves what was published."""
    async with SnapshotServer(publisher.site) as server:
        yield server


@pytest.fixture
def replica(tmp_path: Path, workers: Workers, publisher: Publisher) -> Iterator[Callable[[Source], Replica]]:
    """Make replicas; each source gets a fresh one with an index directory of its own."""
    made: list[Replica] = []

    def make(source: Source) -> Replica:
        made.append(Replica(tmp_path / f"replica-{len(made)}", source, workers, publisher.encoder))
        return made[-1]

    yield make
    for each in made:
        each.close()
