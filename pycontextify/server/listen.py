"""Serving HTTP on a socket that is ours: uvicorn without its signals and its log."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, cast

import anyio
import uvicorn

from pycontextify.server.connection import Limits, PatientConnection

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Listener"]

_CLOSING_SECONDS = 2
_LIMITS = Limits()


class _Quiet(uvicorn.Server):
    """uvicorn, with signals left to whoever started us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Leaving:
    """ASGI middleware that ends standing streams: once ``now`` is set, what reads a GET request sees its client leave.

    uvicorn waits for open responses, and an event stream stays open until its client leaves.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.now = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; a stream that is ended here is also ended properly on the wire."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        unfinished = False

        async def send_and_watch(message: Message) -> None:
            nonlocal unfinished
            unfinished = message["type"] == "http.response.start" or message.get("more_body", False)
            await send(message)

        async def receive_until_leaving() -> Message:
            message: Message = {"type": "http.disconnect"}
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._cancel_when_leaving, tasks.cancel_scope)
                message = await receive()
                tasks.cancel_scope.cancel()
            return message

        await self._app(scope, receive_until_leaving, send_and_watch)
        if unfinished and self.now.is_set():
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _cancel_when_leaving(self, scope: anyio.CancelScope) -> None:
        await self.now.wait()
        scope.cancel()


class Listener:
    """An ASGI application being served on a socket."""

    def __init__(self, app: ASGIApp, listening: socket.socket, limits: Limits = _LIMITS) -> None:
        self._socket = listening
        self._leaving = _Leaving(app)
        connection = partial(PatientConnection, limits=limits)
        self._server = _Quiet(
            uvicorn.Config(
                self._leaving,
                http=cast("type[asyncio.Protocol]", connection),
                h11_max_incomplete_event_size=limits.head_bytes,
                limit_concurrency=limits.connections + 1,  # it counts the connection that asks
                log_config=None,
                access_log=False,
                lifespan="on",
                ws="none",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=_CLOSING_SECONDS,
            )
        )

    async def run(self) -> None:
        """Serve until `stop`; requests that are being answered then have two seconds to end."""
        await self._server.serve([self._socket])

    def stop(self) -> None:
        """Ask `run` to return."""
        self._server.should_exit = True
        self._leaving.now.set()
