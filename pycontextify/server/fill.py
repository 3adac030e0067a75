"""Filling the index in the background, from the moment at which the server answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from pycontextify.errors import NotReadyError, PyContextifyError
from pycontextify.hydration.status import HydrationStatus

if TYPE_CHECKING:
    from pycontextify.index.live import LiveIndex
    from pycontextify.server.parts import Engine, Hydration, Searchable

__all__ = ["Fill", "LoadEngine"]

_log = logging.getLogger(__name__)
_OPENING_SECONDS = 5.0

LoadEngine = Callable[[], "Engine"]
"""Imports the rooms below and returns them; it blocks, for a second or so."""


class Fill:
    """Loads the engine, opens the local index, and then lets hydration run.

    ``initial`` is the hydration status until there is a service to ask; ``local`` tells whether there is a local index
    to open. Lives on the event loop.
    """

    def __init__(self, live: LiveIndex[Searchable], load: LoadEngine, initial: HydrationStatus, *, local: bool) -> None:
        self._live = live
        self._load = load
        self._initial = initial
        self._local = local
        self._loaded = anyio.Event()
        self._engine: Engine | None = None
        self._hydration: Hydration | None = None
        self.opening = True
        """Whether the local index has not been looked at yet."""
        self.fault: str | None = None
        """What stopped the background work for good, fit for people; None when nothing did."""
        self.damage: str | None = None
        """Why the local index could not be opened; it matters until there is another one."""

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
            self._hydration = engine.hydration(self._live)
            self._engine = engine
            if self._local:
                await self._open_current(engine)
            self._settle()
            await self._hydration.run()
        except PyContextifyError as error:
            _log.warning("the index can't be used: %s (code: %s)", error, error.code)
            self.fault = str(error)
        except Exception:  # noqa: BLE001 - a fault of ours must not take down what is being served
            _log.exception("filling the index failed")
            self.fault = "The background work of the server has failed; its log on stderr says why."
        finally:
            self._settle()

    async def _open_current(self, engine: Engine) -> None:
        """Serve the local index. When it is damaged, say so and go on: hydration may put a sound one in place."""

        def open_and_swap() -> None:
            view = engine.open_current()
            if view is not None:
                self._live.swap(view)

        try:
            await anyio.to_thread.run_sync(open_and_swap, abandon_on_cancel=True)
        except PyContextifyError as error:
            _log.warning("the local index can't be opened: %s (code: %s)", error, error.code)
            self.damage = f"The local index can't be opened: {error}."

    def _settle(self) -> None:
        self.opening = False
        self._loaded.set()
