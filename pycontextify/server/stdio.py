"""MCP over standard input and output."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.from_thread
import anyio.lowlevel
from mcp.server.runner import serve_dual_era_loop
from mcp.server.stdio import stdio_server

from pycontextify.server.probe import answer_probes
from pycontextify.server.wire import Incoming, Outgoing, Owed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from anyio.streams.memory import MemoryObjectSendStream
    from mcp.server.lowlevel import Server
    from mcp.shared._stream_protocols import ReadStream, WriteStream
    from mcp.shared.message import SessionMessage

__all__ = ["serve_stdio", "serve_streams"]

_log = logging.getLogger(__name__)
_BLOCK = 1 << 16
_LONGEST_LINE = 1 << 22
"""In bytes, many times what the largest message takes that any tool has a use for."""
_LINGER_SECONDS = 3.0
"""For how long requests are still answered after the client has closed its end."""


async def serve_stdio(server: Server[Any], *, on_answer: Callable[[], None]) -> None:
    """Serve one client until it closes its end. ``on_answer`` is called whenever a request has been answered.

    From here on, file descriptor 0 reads as empty and 1 goes to stderr, so that stray output of a library never reaches
    the client.
    """
    try:
        # The SDK only iterates over it, and that is what _lines offers.
        lines = cast("anyio.AsyncFile[str]", _lines(_take_stdin()))
        async with stdio_server(stdin=lines) as (incoming, outgoing):
            await serve_streams(server, incoming, outgoing, on_answer=on_answer)
    except* OSError as group:
        _log.debug("the client no longer reads: %s", group.exceptions[0])


async def serve_streams(
    server: Server[Any],
    incoming: ReadStream[SessionMessage | Exception],
    outgoing: WriteStream[SessionMessage],
    *,
    on_answer: Callable[[], None],
) -> None:
    """Serve one client, in the era that its first request other than a probe belongs to, until ``incoming`` ends."""
    owed = Owed(on_answer)
    watched, answers = Incoming(incoming, owed, linger=_LINGER_SECONDS), Outgoing(outgoing, owed)
    async with server.lifespan(server) as state:
        rest = await answer_probes(server, watched, answers, state)
        options = server.create_initialization_options()
        await serve_dual_era_loop(server, rest, answers, lifespan_state=state, init_options=options)


def _take_stdin() -> int:
    """Return a private descriptor for standard input, and leave the null device in its place."""
    private = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return private


async def _lines(descriptor: int) -> AsyncIterator[str]:
    """Yield the lines of a file descriptor.

    A daemon thread reads them: a thread of anyio's pool could not be left behind when a signal ends the server while
    the client keeps its end open, and the process would hang until the client writes.
    """
    send, receive = anyio.create_memory_object_stream[str](0)
    token = anyio.lowlevel.current_token()
    threading.Thread(target=_pump, args=(descriptor, send, token), name="stdin", daemon=True).start()
    async with send, receive:
        async for line in receive:
            yield line


def _pump(descriptor: int, send: MemoryObjectSendStream[str], token: anyio.lowlevel.EventLoopToken) -> None:
    # Nobody waits for this thread, so it ends quietly, whichever way the event loop has ended before it.
    with contextlib.suppress(Exception):
        try:
            for line in _read_lines(descriptor):
                anyio.from_thread.run(send.send, line, token=token)
        finally:
            anyio.from_thread.run_sync(send.close, token=token)


def _read_lines(descriptor: int) -> Iterator[str]:
    """Yield lines. One without end is the end: where the next message begins is then anybody's guess."""
    rest = bytearray()
    while block := os.read(descriptor, _BLOCK):
        *ends, beginning = block.split(b"\n")
        for end in ends:
            yield (rest + end).decode("utf-8", "replace")
            rest.clear()
        rest += beginning
        if len(rest) > _LONGEST_LINE:
            _log.error("the client sends a line of more than %d MiB, and no message is that long", _LONGEST_LINE >> 20)
            return
    if rest:
        yield rest.decode("utf-8", "replace")
