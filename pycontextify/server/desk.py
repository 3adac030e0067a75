"""What tools and routes ask of the server, free of any protocol.

Everything that blocks runs in worker threads; a lease is taken in the thread that searches and never leaves it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread

from pycontextify.errors import NotReadyError, StoreError
from pycontextify.index.model import Answer, Overview, Query
from pycontextify.server.document import Facts, Situation
from pycontextify.server.lane import Lane
from pycontextify.server.progress import Report, Sleep, with_progress
from pycontextify.server.roots import absolute, confined
from pycontextify.server.searches import Noting, OnSearch, unheard
from pycontextify.server.words import hydrating, indexing

if TYPE_CHECKING:
    from pathlib import Path

    from pycontextify.index.live import LiveIndex
    from pycontextify.ingest.report import IndexProgress, IndexReport
    from pycontextify.library.generations import Generation
    from pycontextify.server.fill import Fill
    from pycontextify.server.parts import Engine, Searchable

__all__ = ["Clock", "Desk", "Survey"]

Clock = Callable[[], datetime]
"""The wall clock, in UTC."""

_SEARCHES_AT_ONCE, _SEARCHES_WAITING = 8, 64
_LOOKS_AT_ONCE, _LOOKS_WAITING = 4, 256
"""Looks at the status are quick, and all the connections there can be may wait for one."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Survey:
    """All that there is to see of a server: how it is, what its index holds, which generations there are."""

    situation: Situation
    overview: Overview
    generations: tuple[Generation, ...]

    def at(self, situation: Situation) -> Survey:
        """Return it with a later situation of the same index: what lies on the disk is as it was."""
        return replace(self, situation=replace(situation, disk=self.situation.disk))


class Desk:
    """One per server; every method runs on the event loop.

    ``roots`` are the directories that may be indexed; ``index_required``: without an index the server is not ready;
    ``on_search`` is told of every search. What looks or searches raises NotReadyError (``busy``) when too
    many do so already.
    """

    def __init__(
        self,
        live: LiveIndex[Searchable],
        fill: Fill,
        *,
        roots: Sequence[Path],
        now: Clock,
        sleep: Sleep = anyio.sleep,
        index_required: bool = False,
        on_search: OnSearch = unheard,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._live = live
        self._fill = fill
        self._roots = roots
        self._sleep = sleep
        self._index_required = index_required
        self._noting = Noting(on_search, monotonic, now)
        self._searching = Lane(threads=_SEARCHES_AT_ONCE, waiting=_SEARCHES_WAITING)
        self._looking = Lane(threads=_LOOKS_AT_ONCE, waiting=_LOOKS_WAITING)
        self._writing: str | None = None
        self.now = now

    async def situation(self) -> Situation:
        """Tell how the server is."""
        disk, situation = await self._with_view(lambda _view: self._fill.disk_use(), self._looking)
        return replace(situation, disk=disk)

    async def glance(self) -> Situation:
        """Tell how the server is, without looking at the disk. Equal to the one before while nothing has changed."""
        _, situation = await self._with_view(lambda _view: None, self._looking)
        return situation

    async def survey(self) -> Survey:
        """Tell all that there is to see. What can't be read is left out: the situation says why."""

        def look(view: Searchable | None) -> tuple[int | None, Overview, tuple[Generation, ...]]:
            generations: tuple[Generation, ...] = ()
            with suppress(StoreError):
                generations = self._fill.generations()
            return self._fill.disk_use(), Overview() if view is None else view.overview(), generations

        (disk, overview, generations), situation = await self._with_view(look, self._looking)
        return Survey(replace(situation, disk=disk), overview, generations)

    async def search(self, query: Query) -> tuple[Answer, Situation]:
        """Search the live view; without one the answer is empty and the situation says why."""
        return await self._noting.search(query.mode, partial(self._search, query))

    async def _search(self, query: Query) -> tuple[Answer, Situation]:
        def look_up(view: Searchable | None) -> Answer:
            return Answer(()) if view is None else view.search(query)

        await self._fill.opened()
        answer, situation = await self._with_view(look_up, self._searching)
        # Another search may have found the encoder back since: this answer is of words alone all the same.
        if answer.degraded is not None and situation.facts is not None:
            situation = replace(situation, facts=replace(situation.facts, degraded=answer.degraded))
        return answer, situation

    async def overview(self) -> tuple[Overview, Situation]:
        """Count what the live view holds."""
        await self._fill.opened()
        return await self._with_view(lambda view: Overview() if view is None else view.overview(), self._searching)

    async def _with_view(self, look: Callable[[Searchable | None], T], lane: Lane) -> tuple[T, Situation]:
        """Apply ``look`` to the live view in a worker thread; return that with the situation as of the same view."""

        def lease_and_look() -> tuple[T, Facts | None]:
            with self._live.lease() as view:
                return look(view), None if view is None else _facts(view)

        found, facts = await lane.run(lease_and_look)
        fault = self._fill.fault or self._fill.damage(None if facts is None else facts.generation)
        return found, Situation(
            facts, self._fill.status, self._fill.opening, fault, index_required=self._index_required
        )

    async def rehydrate(self, *, wait: bool, report: Report) -> Situation:
        """Start a hydration or join the running one; with ``wait``, report progress until it has ended.

        Being cancelled ends the waiting, not the hydration. Raises NotReadyError when there is no source.
        """
        hydration = await self._fill.hydration()

        def look() -> tuple[float | None, str]:
            status = hydration.status
            # At rest, the numbers are those of the attempt before.
            return (status.percent, hydrating(status)) if status.active else (None, "starting")

        if wait:
            await with_progress(partial(hydration.rehydrate, wait=True), look, report, self._sleep)
        else:
            await hydration.rehydrate(wait=False)
        return await self.situation()

    async def index_tree(self, path: str, tags: tuple[str, ...], tree: str | None, report: Report) -> IndexReport:
        """Index a directory and serve the result.

        Raises IngestError when it can't, or may not, be indexed, NotReadyError while something else is being written.
        Being cancelled gives the work up, and leaves the index as it was.
        """
        # What was judged is what is indexed: a link on the way that is changed by now leads nowhere else.
        root = await anyio.to_thread.run_sync(confined, absolute(path), self._roots)
        with self._one_writer("indexing"):
            engine = await self._fill.engine()
            latest: list[tuple[float | None, str]] = [(None, "looking for files")]

            def on_progress(progress: IndexProgress) -> None:
                anyio.from_thread.check_cancelled()
                latest[0] = indexing(progress)

            def index_and_swap() -> IndexReport:
                with self._live.lease() as served:
                    base = None if served is None else served.generation
                done, view = engine.index_tree(root, tags=tags, tree=tree, base=base, progress=on_progress)
                self._live.swap(view)
                return done

            work = partial(anyio.to_thread.run_sync, index_and_swap)
            return await with_progress(work, lambda: latest[0], report, self._sleep)

    async def roll_back(self, wanted: str | None) -> Situation:
        """Serve an earlier generation again, and make it current; None: the one before.

        Raises NotReadyError when there is none such, or while something else is being written.
        """
        with self._one_writer("going back"):
            engine: Engine = await self._fill.engine()

            def go_back() -> None:
                self._live.swap(engine.roll_back(wanted))

            await anyio.to_thread.run_sync(go_back)
        return await self.situation()

    async def reset(self) -> None:
        """Forget the index, on disk and in memory. Raises NotReadyError while something else is being written."""
        with self._one_writer("resetting"):
            engine: Engine = await self._fill.engine()
            await anyio.to_thread.run_sync(engine.reset)
            await anyio.to_thread.run_sync(self._live.swap, None)
            await anyio.to_thread.run_sync(engine.prune)

    @contextmanager
    def _one_writer(self, what: str) -> Iterator[None]:
        if self._writing is not None:
            raise NotReadyError(
                f"the server is busy {self._writing}", code="busy", hint="ask again when that has ended; search goes on"
            )
        self._writing = what
        try:
            yield
        finally:
            self._writing = None


def _facts(view: Searchable) -> Facts:
    return Facts(view.generation, view.config, view.chunks, view.documents, view.degraded)
