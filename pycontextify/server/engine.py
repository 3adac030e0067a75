"""The rooms below, for one index directory. What is heavy is imported when `load_engine` is called, and not before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pycontextify.config import Settings
    from pycontextify.hydration.service import HydrationService
    from pycontextify.hydration.status import HydrationStatus, OnEnd
    from pycontextify.hydration.workers import Workers
    from pycontextify.index.live import LiveIndex
    from pycontextify.index.view import View
    from pycontextify.ingest.report import IndexReport, OnProgress
    from pycontextify.library.generations import Generation
    from pycontextify.library.workspace import Workspace
    from pycontextify.server.parts import Searchable
    from pycontextify.snapshot.digest import Digest

__all__ = ["LocalEngine", "load_engine"]


def load_engine(settings: Settings) -> LocalEngine:
    """Import what faiss, SQLite, aiohttp and the encoders need, and return the engine. Blocks for a second or so."""
    from pycontextify.library.workspace import Workspace

    return LocalEngine(Workspace(settings))


class LocalEngine:
    """Implements `pycontextify.server.parts.Engine` on a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def open_best(self) -> tuple[View | None, str | None]:
        """Open the current generation, or the newest that is whole, and tell what was found damaged."""
        from pycontextify.library.recovery import open_best

        opened = open_best(self._workspace)
        return opened.view, opened.damage

    def watch(self, live: LiveIndex[Searchable]) -> Callable[[], bool]:
        """Return a function that serves what another process has made current."""
        from pycontextify.library.watch import CurrentWatch

        return CurrentWatch(self._workspace, live).look

    def roll_back(self, wanted: str | None) -> View:
        """Make an earlier generation current again."""
        from pycontextify.library.generations import roll_back

        return roll_back(self._workspace, wanted)

    def generations(self) -> tuple[Generation, ...]:
        """Tell which generations there are."""
        from pycontextify.library.generations import list_generations

        return list_generations(self._workspace.layout)

    def prune(self) -> None:
        """Remove the blobs that nothing refers to and nobody has open."""
        self._workspace.prune()

    def disk_use(self) -> int:
        """Count the bytes of all blobs."""
        return self._workspace.layout.disk_use()

    def index_tree(
        self, root: Path, *, tags: Sequence[str], tree: str | None, base: Digest | None, progress: OnProgress
    ) -> tuple[IndexReport, View]:
        """Bring a tree up to date and open the result.

        Without ``auto_persist`` the new generation is served but does not become the current one, so the next run goes
        on from what is served, ``base``; otherwise it goes on from what is current, which another process may have
        written.
        """
        persist = self._workspace.settings.auto_persist
        report = self._workspace.index_tree(
            root, tree=tree, tags=tags, base=None if persist else base, activate=persist, on_progress=progress
        )
        return report, self._workspace.open(report.generation)

    def reset(self) -> None:
        """Forget every generation."""
        self._workspace.reset()

    def hydration(self, live: LiveIndex[Searchable], on_end: OnEnd) -> _WithWorkers:
        """Return the hydration service; its threads end when it does."""
        from pycontextify.hydration.workers import Workers
        from pycontextify.library.hydrating import hydration_service

        workers = Workers()
        return _WithWorkers(hydration_service(self._workspace, live, workers, on_end), workers)


class _WithWorkers:
    """A hydration service with the threads that it works with."""

    def __init__(self, service: HydrationService, workers: Workers) -> None:
        self._service = service
        self._workers = workers

    @property
    def status(self) -> HydrationStatus:
        """What hydration does now."""
        return self._service.status

    @property
    def deciding(self) -> bool:
        """Whether it is not known yet if there is anything to do."""
        return self._service.deciding

    async def run(self) -> None:
        """Hydrate when it is time to, until cancelled."""
        with self._workers:
            await self._service.run()

    async def rehydrate(self, *, wait: bool) -> HydrationStatus:
        """Start an attempt now, or join the running one."""
        return await self._service.rehydrate(wait=wait)
