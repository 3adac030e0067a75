"""The composition root: one task group owns everything that runs."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from pycontextify.config.access import is_loopback
from pycontextify.errors import ConfigError
from pycontextify.hydration.status import HydrationStatus
from pycontextify.hydration.status import unheard as no_attempts
from pycontextify.index.live import LiveIndex
from pycontextify.redact import redact_url
from pycontextify.server.bind import address_of, bind
from pycontextify.server.desk import Clock, Desk
from pycontextify.server.engine import load_engine
from pycontextify.server.fill import Fill
from pycontextify.server.interpreter import be_responsive, use_one_arena
from pycontextify.server.lag import watch_lag
from pycontextify.server.logs import configure_logging
from pycontextify.server.notify import READY, STOPPING, tell
from pycontextify.server.protocol import build_server
from pycontextify.server.searches import unheard as no_searches
from pycontextify.server.signals import ending_signals
from pycontextify.server.stdio import serve_stdio
from pycontextify.server.tools import tools

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from pycontextify.config import Settings
    from pycontextify.server.listen import Listener
    from pycontextify.server.metrics import Metrics
    from pycontextify.server.parts import Engine, Searchable
    from pycontextify.server.web import Web

__all__ = ["run", "serve"]

_log = logging.getLogger(__name__)
_PATIENCE_SECONDS = 1.0
"""How long the background work waits for the first client, so that its imports do not slow the handshake down."""
_CLOSING_SECONDS = 3.5
_ENDING_SECONDS = 4.0
_EXIT_SECONDS = 0.5


def run(settings: Settings, *, load: Callable[[Settings], Engine] = load_engine) -> None:
    """Serve until the client leaves or a signal comes; what the ``serve`` verb does.

    Raises ConfigError when the address to listen at can't be had.
    """
    use_one_arena()
    configure_logging(settings.log_level, sys.stderr)
    ended = threading.Event()

    def on_ending() -> None:
        threading.Thread(target=_insist, args=(ended,), name="insist", daemon=True).start()

    try:
        anyio.run(partial(serve, settings, load=load, on_ending=on_ending))
    finally:
        ended.set()


def _insist(ended: threading.Event) -> None:
    """See to it that a thread which is stuck (in a request to a slow service, say) does not keep the process alive.

    1. The event loop has its time to end in order.
    2. Then whoever called us may go on for as long as they like.
    3. When the interpreter shuts down, the main thread counts as ended; what still runs then has no time left.
    """
    if not ended.wait(_ENDING_SECONDS):
        _log.warning("something does not end; leaving it behind")
        os._exit(1)
    threading.main_thread().join()
    time.sleep(_EXIT_SECONDS)
    os._exit(0)


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def serve(
    settings: Settings,
    *,
    load: Callable[[Settings], Engine] = load_engine,
    now: Clock = _utc_now,
    on_ending: Callable[[], None] = lambda: None,
) -> None:
    """Serve with these settings until the client leaves or a signal comes.

    ``load`` makes the rooms below; it is called in a worker thread, once the server answers. ``on_ending`` is called
    when the server begins to end. Raises ConfigError when the address to listen at can't be had.
    """
    ending = _Ending(on_ending)
    with ending_signals(ending.begin):
        for warning in settings.warnings:
            _log.warning("%s", warning)
        live: LiveIndex[Searchable] = LiveIndex()
        local = settings.auto_load and await anyio.Path(settings.index_dir, "index.json").is_file()
        listening = await _listening(settings)
        web = None if listening is None else await anyio.to_thread.run_sync(_web, *listening, settings.http_token)
        fill = Fill(
            live,
            partial(load, settings),
            _before_hydration(settings),
            local=local,
            follows=settings.auto_load,
            on_end=no_attempts if web is None else web.metrics.attempted,
            on_loaded=be_responsive,
        )
        desk = Desk(
            live,
            fill,
            roots=settings.allowed_roots,
            now=now,
            index_required=settings.require_index,
            on_search=no_searches if web is None else web.metrics.searched,
        )
        server = build_server(tools(desk))
        listener, metrics = (None, None) if web is None else (web.listener(server, desk), web.metrics)
        transports = _Transports(server, listener, metrics, stdio=settings.transport == "stdio")
        await _run_all(transports, fill, ending)
        await anyio.to_thread.run_sync(live.swap, None)


def _web(host: str, listening: socket.socket, token: str | None) -> Web:
    """Import what listening needs; blocks. A client on a pipe alone does not wait for it."""
    from pycontextify.server.web import Web

    return Web(host, listening, token)


class _Ending:
    """The end of the server, which comes once."""

    def __init__(self, on_ending: Callable[[], None]) -> None:
        self._on_ending = on_ending
        self._begun = anyio.Event()

    def begin(self, why: str) -> None:
        """Begin to end; ``why`` is for the log."""
        if not self._begun.is_set():
            _log.info("ending: %s", why)
            self._on_ending()
            self._begun.set()

    async def begun(self) -> None:
        """Wait until it begins."""
        await self._begun.wait()


def _before_hydration(settings: Settings) -> HydrationStatus:
    """What the status says until there is a hydration service to ask."""
    urls = settings.index_bootstrap_url or settings.index_bootstrap_archive or settings.index_bootstrap_faiss_url
    return HydrationStatus(state="idle", source=redact_url(urls[0])) if urls else HydrationStatus()


async def _listening(settings: Settings) -> tuple[str, socket.socket] | None:
    """Return the host and the socket to serve HTTP at.

    Under stdio the routes are an extra: without their port the client is still served. Raises ConfigError otherwise.
    """
    if settings.transport == "http":
        host, port = settings.host, settings.port
    elif settings.http is not None:
        host, port = settings.http.host, settings.http.port
    else:
        return None
    try:
        found = await bind(host, port)
    except ConfigError as error:
        if settings.transport == "http":
            raise
        _log.warning("serving without HTTP: %s (code: %s)", error, error.code)
        return None
    _log.info("listening at %s (/mcp, /status, /metrics, /livez, /readyz, /healthz)", address_of(found))
    if not is_loopback(host) and settings.http_token is None:
        _log.warning(
            "%s can be reached from other machines, and there is no authentication (insecure is set): whoever can "
            "reach it can search, index and reset; set PYCONTEXTIFY_HTTP_TOKEN unless something in front authenticates",
            host,
        )
    return host, found


@dataclass(frozen=True, slots=True)
class _Transports:
    """How clients reach the server: a pipe, HTTP, or both; with HTTP there are ``metrics`` to ask for."""

    server: Server[dict[str, Any]]
    listener: Listener | None
    metrics: Metrics | None
    stdio: bool


async def _run_all(reached: _Transports, fill: Fill, ending: _Ending) -> None:
    """Run the background work and the transports until the server is to end, then end them in order."""
    answering = anyio.Event()

    async def fill_once_answering() -> None:
        with anyio.move_on_after(_PATIENCE_SECONDS):
            await answering.wait()
        await fill.run()

    async def talk() -> None:
        await serve_stdio(reached.server, on_answer=answering.set)
        ending.begin("the client has left")

    async with anyio.create_task_group() as transports, anyio.create_task_group() as tasks:
        if reached.listener is not None:
            transports.start_soon(reached.listener.run)
        if reached.metrics is not None:
            tasks.start_soon(
                partial(watch_lag, reached.metrics.lagged, sleep=anyio.sleep, monotonic=time.monotonic), name="lag"
            )
        if reached.stdio:
            tasks.start_soon(talk)
        else:
            answering.set()
        tasks.start_soon(fill_once_answering)
        if not reached.stdio:
            tell(READY)
        await ending.begun()
        if not reached.stdio:
            tell(STOPPING)
        if reached.listener is not None:
            reached.listener.stop()
        transports.cancel_scope.deadline = anyio.current_time() + _CLOSING_SECONDS
        tasks.cancel_scope.cancel()
