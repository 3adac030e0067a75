"""The operations that are broken, and the directories that they work on.

Everything is small and real: an index of a few files built with a tiny encoder, published, hydrated. Each `Act` says
which directory it changes, and which ref of that tells what came of it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import anyio

from pycontextify.hydration.attempt import Attempt
from pycontextify.hydration.board import StatusBoard
from pycontextify.hydration.install import Installation
from pycontextify.hydration.sources import LayoutSource
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.connect import open_client
from pycontextify.hydration.transfer.mirrors import Mirrors
from pycontextify.hydration.trust import Trust
from pycontextify.hydration.turns import Turns
from pycontextify.hydration.workers import Workers
from pycontextify.index.live import LiveIndex
from pycontextify.index.view import View
from pycontextify.ingest.report import IndexRequest
from pycontextify.ingest.update import update_index
from pycontextify.publish.directory import publish_directory
from pycontextify.snapshot.config import DEFAULT_CHANNEL, SnapshotConfig
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.history import generations
from pycontextify.store.layout import Layout
from pycontextify.store.prune import prune
from tests.fakes.encoder import TinyEncoder

__all__ = ["ACTS", "Act", "open_view", "prepare"]

ENCODER = TinyEncoder()
BUILT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
FIRST = {
    "retry.md": "# Retries\n\nA request is sent again after a pause.\n",
    "cache.md": "# Caching\n\nAnswers are kept until their validator changes.\n",
}
SECOND = {**FIRST, "swap.md": "# Swapping\n\nThe live zebra index is replaced while queries go on.\n"}


@dataclass(frozen=True)
class Act:
    """An operation on one of the directories below ``home``."""

    run: Callable[[Path], None]
    changes: str
    ref: str = "current"


def open_view(generation: Digest, config: SnapshotConfig, blob: Callable[[Digest], Path]) -> View:
    """Open a generation with the tiny encoder."""
    return View.open(generation, config, blob, ENCODER)


def prepare(home: Path) -> None:
    """Make the directories: ``built`` and ``replica`` hold the first generation, ``site`` offers the second.

    ``old-site`` is a published layout that still has the first; ``two`` is an index with both.
    """
    write_tree(home / "tree", FIRST)
    build(home / "built", home / "tree")
    first = Layout(home / "built")
    publish_directory(first, first.current() or Digest(""), home / "site")
    shutil.copytree(home / "site", home / "old-site")
    hydrate_replica(home)
    shutil.copytree(home / "built", home / "two")
    write_tree(home / "tree", SECOND)
    build(home / "two", home / "tree")
    second = Layout(home / "two")
    publish_directory(second, second.current() or Digest(""), home / "site")
    for layout in (first, second):
        layout.trees.unlink()  # which remembers where the tree was, and it is about to be copied elsewhere


def write_tree(root: Path, files: dict[str, str]) -> None:
    """Write a tree of files."""
    root.mkdir(exist_ok=True)
    for name, text in files.items():
        (root / name).write_text(text, encoding="utf-8")


def build(index: Path, tree: Path) -> None:
    """Bring an index up to date with the tree."""
    request = IndexRequest(root=tree, tree="tree")
    update_index(Layout(index), request, ENCODER, on_progress=lambda _: None, now=lambda: BUILT)


def hydrate_replica(home: Path) -> None:
    """Hydrate the replica from the site."""
    anyio.run(_hydrate, home)


async def _hydrate(home: Path) -> None:
    layout = Layout(home / "replica")
    board = StatusBoard("site", now=lambda: BUILT, monotonic=time.monotonic)
    live: LiveIndex[View] = LiveIndex()
    with Workers() as workers:

        def client() -> AbstractAsyncContextManager[Client]:
            return open_client(workers, Mirrors(time.monotonic), on_retry=board.retrying)

        attempt = Attempt(
            source=LayoutSource(((home / "site").as_uri(),)),
            layout=layout,
            board=board,
            workers=workers,
            turns=Turns(layout, board, workers),
            installation=Installation(layout, live, workers, open_view),
            open_client=client,
            trust=Trust(layout, lambda: BUILT, DEFAULT_CHANNEL),
        )
        board.begin("manual")
        try:
            await attempt.run()
        finally:
            live.swap(None)


def index_again(home: Path) -> None:
    """Index the tree, which has changed."""
    build(home / "built", home / "tree")


def publish_again(home: Path) -> None:
    """Publish the second generation where the first is published."""
    two = Layout(home / "two")
    publish_directory(two, two.current() or Digest(""), home / "old-site")


def go_back(home: Path) -> None:
    """Roll back from the second generation to the first."""
    layout = Layout(home / "two")
    first = Layout(home / "built").current()
    with layout.lock(timeout=5):
        layout.roll_back(next(each for each in generations(layout.refs()) if each.digest == first))


def prune_strays(home: Path) -> None:
    """Prune an index that has blobs which nothing refers to."""
    layout = Layout(home / "two", keep=1)
    with layout.lock(timeout=5):
        layout.activate(layout.current() or Digest(""))
        prune(layout)


ACTS = {
    "hydrate": Act(hydrate_replica, "replica"),
    "index": Act(index_again, "built"),
    "publish": Act(publish_again, "old-site", ref="latest"),
    "rollback": Act(go_back, "two"),
    "prune": Act(prune_strays, "two"),
}
