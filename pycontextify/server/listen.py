"""Listening for HTTP: a socket that is ours, and uvicorn without its signals and its log."""

from __future__ import annotations

import contextlib
import logging
import socket
from functools import partial
from typing import TYPE_CHECKING, cast

import anyio
import anyio.to_thread
import uvicorn

from pycontextify.errors import ConfigError
from pycontextify.server.connection import Limits, PatientConnection

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Listener", "address_of", "bind"]

_log = logging.getLogger(__name__)
_CLOSING_SECONDS = 2
_LIMITS = Limits()


async def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes any free one.

    Raises ConfigError when the address is taken, or not one of this machine.
    """
    return await anyio.to_thread.run_sync(_bind, host, port)


def _bind(host: str, port: int) -> socket.socket:
    place = f"{host}:{port}"
    try:
        family, *_, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except socket.gaierror as error:
        raise ConfigError(
            "not an address of this machine", code="host_unknown", asset=place, hint="use 127.0.0.1 or 0.0.0.0"
        ) from error
    except OSError as error:
        raise ConfigError(
            f"can't listen there ({error.strerror})",
            code="port_unavailable",
            asset=place,
            hint="stop what uses the port, choose another one, or take port 0 for any free one",
        ) from error


def address_of(listening: socket.socket) -> str:
    """Return the base URL that a listening socket is reached at."""
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


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
