"""An engine without faiss, models or network: it searches by plain words and hydrates on command.

The hydration service is the real one; only what it runs is scripted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import anyio

from pycontextify.errors import IngestError, NotReadyError, PyContextifyError, StoreError
from pycontextify.hydration.attempt import Outcome
from pycontextify.hydration.board import StatusBoard
from pycontextify.hydration.service import HydrationService, Schedule
from pycontextify.hydration.status import AssetProgress, OnEnd, unheard
from pycontextify.index.live import LiveIndex
from pycontextify.index.model import Answer, Hit, Overview, Query
from pycontextify.ingest.report import IndexProgress, IndexReport, OnProgress, SkippedFile
from pycontextify.library.generations import Generation
from pycontextify.server.parts import Searchable
from pycontextify.snapshot.config import EncoderInfo, SegmentInfo, SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of

__all__ = ["FakeEngine", "FakeView", "ScriptedHydrator", "make_view"]

CREATED = "2026-11-22T10:00:00Z"


@dataclass
class FakeView:
    """A generation of one-line passages: ``passages`` maps a path to its text."""

    passages: dict[str, str]
    generation: Digest
    config: SnapshotConfig
    degraded: str | None = None
    closed: bool = False
    searched: int = 0
    gate: threading.Event | None = None
    """When given, a search waits for it: a slow one, on command."""

    @property
    def chunks(self) -> int:
        """One for each passage."""
        return len(self.passages)

    @property
    def documents(self) -> int:
        """One for each passage."""
        return len(self.passages)

    def search(self, query: Query) -> Answer:
        """Find the passages that hold the most words of the query."""
        assert not self.closed
        self.searched += 1
        if self.gate is not None:
            self.gate.wait(10)
        words = query.text.lower().split()
        scored = [
            (sum(word in text.lower() for word in words) / len(words), path) for path, text in self.passages.items()
        ]
        best = sorted(((score, path) for score, path in scored if score > 0), key=lambda item: (-item[0], item[1]))
        return Answer(tuple(self._hit(path, score) for score, path in best[: query.limit]), self.degraded)

    def _hit(self, path: str, score: float) -> Hit:
        text = self.passages[path]
        return Hit(
            *(path, "fake", 1, text.count("\n") + 1, "python", "function", path.removesuffix(".py"), ("old", "small")),
            *(score, score, None, text),
        )

    def overview(self) -> Overview:
        """Count the passages."""
        count = len(self.passages)
        return Overview(count, count, 1, {"fake": count}, {"python": count}, {"old": count, "small": count})

    def close(self) -> None:
        """Note that it happened."""
        assert not self.closed
        self.closed = True


def make_view(passages: dict[str, str] | None = None, *, version: int = 1, degraded: str | None = None) -> FakeView:
    """Return a view of some passages; equal arguments give equal generations."""
    held = {"tasks.py": "def wait_for(future, timeout):\n    ...", "queue.py": "class Queue:\n    ..."}
    held = held if passages is None else passages
    digest = digest_of(repr((held, version)).encode())
    config = SnapshotConfig(
        name="index",
        version=version,
        created=CREATED,
        encoder=EncoderInfo(id="fake-encoder", digest=digest, dimension=8),
        segments=(SegmentInfo(vectors=digest, chunks=digest, rows=len(held), documents=len(held)),),
    )
    return FakeView(held, digest, config, degraded)


@dataclass
class ScriptedHydrator:
    """Hydrates as it is told: `begin` has happened when it fetches, then it waits for `install` or `fail`."""

    board: StatusBoard
    live: LiveIndex[Searchable]
    fetching: anyio.Event = field(default_factory=anyio.Event)
    runs: int = 0
    _end: anyio.Event = field(default_factory=anyio.Event)
    _view: FakeView | None = None
    _error: PyContextifyError | None = None

    async def run(self) -> Outcome:
        """Announce 1,000,000 bytes, then wait to be told how it ends."""
        self.runs += 1
        self._end = anyio.Event()
        self.board.enter("fetching")
        self.board.plan((AssetProgress("segment 1 vectors", None, 1_000_000),))
        self.fetching.set()
        await self._end.wait()
        self.fetching = anyio.Event()
        if self._error is not None:
            raise self._error
        assert self._view is not None
        self.board.enter("activating")
        self.live.swap(self._view)
        return Outcome("installed", self._view.generation)

    def receive(self, done: int) -> None:
        """So many bytes have come."""
        self.board.landed("segment 1 vectors", done, done - self.board.status.bytes_fetched)

    def install(self, view: FakeView) -> None:
        """Let the running attempt end with this view being served."""
        self._view, self._error = view, None
        self._end.set()

    def fail(self, error: PyContextifyError) -> None:
        """Let the running attempt end with this error."""
        self._error = error
        self._end.set()


@dataclass
class FakeEngine:
    """Implements `pycontextify.server.parts.Engine`. ``source`` None: nothing is configured to hydrate from."""

    current: FakeView | None = None
    source: str | None = "https://host/index"
    needed: bool = True
    damaged: StoreError | None = None
    between: Callable[[], None] = lambda: None
    """Called between two files while indexing."""
    earlier: FakeView | None = None
    wanted: list[str | None] = field(default_factory=list)
    """What was to be gone back to, each time."""
    elsewhere: FakeView | None = None
    """What another process makes current."""
    resets: int = 0
    hydrator: ScriptedHydrator | None = None

    def open_best(self) -> tuple[Searchable | None, str | None]:
        """Return the current generation, and the damage as told."""
        return self.current, None if self.damaged is None else f"The local index can't be opened: {self.damaged}."

    def watch(self, live: LiveIndex[Searchable]) -> Callable[[], bool]:
        """Serve ``elsewhere`` once it is set."""

        def look() -> bool:
            found, self.elsewhere = self.elsewhere, None
            if found is not None:
                live.swap(found)
            return found is not None

        return look

    def roll_back(self, wanted: str | None) -> Searchable:
        """Go back to ``earlier``, whatever is wanted."""
        self.wanted.append(wanted)
        if self.earlier is None:
            raise NotReadyError("there is no generation before this one", code="no_generation")
        return self.earlier

    def generations(self) -> tuple[Generation, ...]:
        """The current one, and ``earlier``."""
        named = (("current", self.current), ("previous", self.earlier))
        return tuple(_described(ref, view) for ref, view in named if view is not None)

    def prune(self) -> None:
        """There is nothing to remove."""

    def disk_use(self) -> int:
        """A million bytes."""
        return 1_000_000

    def index_tree(
        self, root: Path, *, tags: Sequence[str], tree: str | None, base: Digest | None, progress: OnProgress
    ) -> tuple[IndexReport, Searchable]:
        """Index every file of a directory as one passage."""
        if not root.is_dir():
            raise IngestError("not a directory", code="tree_missing", asset=str(root))
        files = sorted(path for path in root.iterdir() if path.is_file())
        passages = {}
        for number, path in enumerate(files, start=1):
            progress(IndexProgress("embedding", number - 1, len(files)))
            self.between()
            passages[path.name] = path.read_text(encoding="utf-8")
        view = make_view(passages, version=2)
        report = IndexReport(
            *(view.generation, 2, True, len(files), len(files), len(files), 0, 0, 0),
            *(1, (SkippedFile("big.bin", "binary"),), 0.25),
        )
        return report, view

    def reset(self) -> None:
        """Forget the current generation."""
        self.resets += 1
        self.current = None

    def hydration(self, live: LiveIndex[Searchable], on_end: OnEnd = unheard) -> HydrationService:
        """Return the real service, around a scripted hydrator."""
        board = StatusBoard(self.source, now=lambda: datetime.now(UTC), monotonic=anyio.current_time, on_end=on_end)
        self.hydrator = ScriptedHydrator(board, live)

        async def needed() -> bool:
            return self.needed

        hydrator = None if self.source is None else self.hydrator
        return HydrationService(hydrator, board, Schedule(), needed=needed, random=lambda: 0.5)


def _described(ref: str, view: FakeView) -> Generation:
    config = view.config
    return Generation(
        digest=view.generation,
        refs=(ref,),
        version=config.version,
        created=config.created,
        documents=view.documents,
        size=1_000_000,
        local=False,
        signed_by=None,
        rolled_back=False,
        whole=True,
    )
