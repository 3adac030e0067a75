"""What the server is put together from, seen from here: the least that tools and routes need of the rooms below.

The rooms themselves need faiss, numpy, onnxruntime and aiohttp, so they are met through these Protocols and loaded by
`pycontextify.server.engine` once the server answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pycontextify.hydration.status import HydrationStatus, OnEnd
    from pycontextify.index.live import LiveIndex
    from pycontextify.index.model import Answer, Overview, Query
    from pycontextify.ingest.report import IndexReport, OnProgress
    from pycontextify.library.generations import Generation
    from pycontextify.snapshot.config import SnapshotConfig
    from pycontextify.snapshot.digest import Digest

__all__ = ["Engine", "Hydration", "Searchable"]


class Searchable(Protocol):
    """An open generation; `pycontextify.index.view.View` is one. Everything but its properties blocks."""

    @property
    def generation(self) -> Digest:
        """The digest of its manifest."""

    @property
    def config(self) -> SnapshotConfig:
        """What the snapshot says of itself."""

    @property
    def degraded(self) -> str | None:
        """Why meaning can't be searched now, or None."""

    @property
    def chunks(self) -> int:
        """How many chunks can be found."""

    @property
    def documents(self) -> int:
        """How many documents they come from."""

    def search(self, query: Query) -> Answer:
        """Find the chunks that answer a query, best first."""

    def overview(self) -> Overview:
        """Count what the generation holds."""

    def close(self) -> None:
        """Release what is held."""


class Hydration(Protocol):
    """`pycontextify.hydration.service.HydrationService`."""

    @property
    def status(self) -> HydrationStatus:
        """What it does now: a frozen value."""

    @property
    def deciding(self) -> bool:
        """Whether it is not known yet if there is anything to do."""

    async def run(self) -> None:
        """Hydrate when it is time to; runs until cancelled."""

    async def rehydrate(self, *, wait: bool) -> HydrationStatus:
        """Start an attempt or join the running one; with ``wait``, return when it has ended."""


class Engine(Protocol):
    """The rooms below, for one index directory. Every method blocks; none but the last is called on the event loop."""

    def open_best(self) -> tuple[Searchable | None, str | None]:
        """Open the current generation, or where that is damaged what is left; tell what was found damaged."""

    def watch(self, live: LiveIndex[Searchable]) -> Callable[[], bool]:
        """Return a function that serves what another process has made current since it was called last."""

    def roll_back(self, wanted: str | None) -> Searchable:
        """Make an earlier generation current again, and open it; None: the one before."""

    def generations(self) -> tuple[Generation, ...]:
        """Tell which generations there are, those served last first."""

    def prune(self) -> None:
        """Remove the blobs that nothing refers to and nobody has open."""

    def disk_use(self) -> int:
        """Count the bytes that the index directory takes up."""

    def index_tree(
        self, root: Path, *, tags: Sequence[str], tree: str | None, base: Digest | None, progress: OnProgress
    ) -> tuple[IndexReport, Searchable]:
        """Index a tree into a new generation and open that; ``base`` is what is served now.

        When ``progress`` raises, the work is given up.
        """

    def reset(self) -> None:
        """Remove every ref: the index directory then holds no generation."""

    def hydration(self, live: LiveIndex[Searchable], on_end: OnEnd) -> Hydration:
        """Return what hydrates this index, and tells ``on_end`` of every attempt. Does not block."""
