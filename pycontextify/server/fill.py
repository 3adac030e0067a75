"""Filling the index in the background, from the moment at which the server answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from pycontextify.errors import NotReadyError, PyContextifyError
from pycontextify.hydration.status import HydrationStatus, OnEnd, unheard
from pycontextify.hydration.workers import together

if TYPE_CHECKING:
    from pycontextify.index.live import LiveIndex
    from pycontextify.library.generations import Generation
    from pycontextify.server.parts import Engine, Hydration, Searchable
    from pycontextify.snapshot.digest import Digest

__all__ = ["Fill", "LoadEngine"]

_log = logging.getLogger(__name__)
_OPENING_SECONDS = 5.0
_LOOK_SECONDS = 1.0

LoadEngine = Callable[[], "Engine"]
"""Imports the rooms below and returns them; it blocks, for a second or so."""


class Fill:
    """Loads the engine, opens the local index, and then lets hydration run.

    ``initial`` is the hydration status until there is a service to ask; ``local`` tells whether there is a local index
    to open, ``follows`` whether to serve what other processes make of it; ``on_end`` is told of every attempt to
    hydrate, ``on_loaded`` once that everything is imported and what there was is open. Lives on the event loop.
    """

    def __init__(
        self,
        live: LiveIndex[Searchable],
        load: LoadEngine,
        initial: HydrationStatus,
        *,
        local: bool,
        follows: bool = True,
        on_end: OnEnd = unheard,
        on_loaded: Callable[[], None] = lambda: None,
    ) -> None:
        self._live = live
        self._load = load
        self._initial = initial
        self._local = local
        self._follows = follows
        self._on_end = on_end
        self._on_loaded = on_loaded
        self._loaded = anyio.Event()
        self._engine: Engine | None = None
        self._hydration: Hydration | None = None
        self._settled = False
        self.fault: str | None = None
        """What stopped the background work for good, fit for people; None when nothing did."""
        self._damage: str | None = None
        self._damaged: Digest | None = None

    @property
    def opening(self) -> bool:
        """Whether the local index has not been looked at yet, or it is not known yet if there is one to fetch."""
        return not self._settled or (self.fault is None and self._hydration is not None and self._hydration.deciding)

    def damage(self, served: Digest | None) -> str | None:
        """Return what was found damaged at the start, for as long as what was left then is what is ``served``."""
        mended = any(record.result in ("installed", "unchanged") for record in self.status.history)
        return None if mended or served != self._damaged else self._damage

    def disk_use(self) -> int | None:
        """Count the bytes that the index directory takes up; None until that can be told. Blocks."""
        return None if self._engine is None else self._engine.disk_use()

    def generations(self) -> tuple[Generation, ...]:
        """Tell which generations there are; none until that can be told. Blocks."""
        return () if self._engine is None else self._engine.generations()

    @property
    def status(self) -> HydrationStatus:
        """What hydration does now."""
        return self._initial if self._hydration is None else self._hydration.status

    async def opened(self) -> None:
        """Wait until a local index, if there is one, is open, but not for long: it is a matter of a second or two."""
        if self._local:
            with anyio.move_on_after(_OPENING_SECONDS):
                await self._loaded.wait()

    async def engine(self) -> Engine:
        """Return the engine, once it is loaded. Raises NotReadyError when it can't be."""
        await self._loaded.wait()
        if self._engine is None:
            raise NotReadyError(self.fault or "the index can't be used", code="engine_unavailable")
        return self._engine

    async def hydration(self) -> Hydration:
        """Return the hydration service, once there is one. Raises NotReadyError when it doesn't run."""
        await self._loaded.wait()
        if self._hydration is None or self.fault is not None:
            raise NotReadyError(self.fault or "hydration does not run", code="engine_unavailable")
        return self._hydration

    async def run(self) -> None:
        """Do all that, until cancelled. Never raises: the server goes on answering with what it has."""
        try:
            engine = await anyio.to_thread.run_sync(self._load, abandon_on_cancel=True)
            self._hydration = engine.hydration(self._live, self._on_end)
            self._engine = engine
            if self._local:
                await self._open_best(engine)
            self._on_loaded()
            self._settle()
            await together(self._hydration.run, partial(self._watch, engine))
        except PyContextifyError as error:
            _log.warning("the index can't be used: %s (code: %s)", error, error.code)
            self.fault = str(error)
        except Exception:  # noqa: BLE001 - a fault of ours must not take down what is being served
            _log.exception("filling the index failed")
            self.fault = "The background work of the server has failed; its log on stderr says why."
        finally:
            self._settle()

    async def _open_best(self, engine: Engine) -> None:
        """Serve the local index, or what is left of it, and go on: hydration may put a sound one in place."""

        def open_and_swap() -> None:
            view, self._damage = engine.open_best()
            if view is not None:
                self._damaged = view.generation
                self._live.swap(view)

        await anyio.to_thread.run_sync(open_and_swap, abandon_on_cancel=True)

    async def _watch(self, engine: Engine) -> None:
        """Serve what other processes make current, unless this server was told to leave the directory alone."""
        if not self._follows:
            return
        look = await anyio.to_thread.run_sync(engine.watch, self._live, abandon_on_cancel=True)
        while True:
            await anyio.sleep(_LOOK_SECONDS)
            await anyio.to_thread.run_sync(look, abandon_on_cancel=True)

    def _settle(self) -> None:
        self._settled = True
        self._loaded.set()
