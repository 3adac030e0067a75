"""One HTTP connection, and how long its client may keep us waiting.

uvicorn ends a connection that idles between two requests. One that never sends its first, sends a request a byte at a
time, or does not take its answer would be kept for as long as the client likes.
"""

from __future__ import annotations

import json
import logging
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

__all__ = ["Limits", "PatientConnection"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may take up. Times are in seconds.

    ``connections`` are served at once, standing streams among them; those beyond are told 503, and when ``spare`` more
    are open, further ones are closed unheard. ``head`` is how long the beginning of a request (its line and headers)
    may take, counted from the moment at which it may come; ``body`` is how long the rest of it may take, and ``reply``
    how long what we have sent may lie about untaken.
    """

    connections: int = 200
    spare: int = 50
    head: float = 10.0
    body: float = 30.0
    reply: float = 60.0
    head_bytes: int = 1 << 14


class PatientConnection(H11Protocol):
    """uvicorn's connection, with clocks for what the client owes: the rest of a request, or taking an answer."""

    def __init__(self, *arguments: Any, limits: Limits, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._limits = limits
        self._owed: object = None
        self._asking: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wait for the first request; not when there are far too many who do."""
        super().connection_made(transport)
        # An answer is written in two parts, and waiting for leave to send the second one costs 40 ms. (asyncio asks for
        # this by itself only where a socket names its protocol, which one that was accepted on ours does not.)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Whatever the system does not take at once counts as untaken, so that one clock sees all of it.
        transport.set_write_buffer_limits(high=0)
        if len(self.connections) > self._limits.connections + self._limits.spare:
            transport.abort()
        else:
            self._mind()

    def data_received(self, data: bytes) -> None:
        """Take what came, and see what is still owed."""
        super().data_received(data)
        self._mind()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._mind()

    def shutdown(self) -> None:
        """End, once what is being answered has been; a request that has not come whole by now gets no more time."""
        super().shutdown()
        if self.conn.their_state is h11.SEND_BODY:
            self._be_done()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        super().connection_lost(exc)
        for clock in (self._asking, self._taking):
            if clock is not None:
                clock.cancel()

    def pause_writing(self) -> None:
        """Start the clock of an answer that is not taken."""
        super().pause_writing()
        self._taking = self.loop.call_later(self._limits.reply, self._give_up)

    def resume_writing(self) -> None:
        """Stop it: all has been taken."""
        super().resume_writing()
        if self._taking is not None:
            self._taking.cancel()

    def _mind(self) -> None:
        """Start the clock of what the client owes now; one that runs for the same goes on."""
        owed = self.conn.their_state
        if owed is self._owed or self.transport.is_closing():
            return
        self._owed = owed
        if self._asking is not None:
            self._asking.cancel()
        seconds = {h11.IDLE: self._limits.head, h11.SEND_BODY: self._limits.body}.get(owed)
        self._asking = None if seconds is None else self.loop.call_later(seconds, self._be_done)

    def _be_done(self) -> None:
        """Close a connection whose client did not come to the end of its request, and say so where it began one."""
        if self.transport.is_closing():
            return
        if self._owed is h11.SEND_BODY:
            tell = not self.cycle.response_started
            self.cycle.disconnected = True
        else:
            tell = bool(self.conn.trailing_data[0])
        if tell:
            _log.info("closed a connection: its request did not come whole in time")
            self.transport.write(_TOO_SLOW)
        self.transport.close()

    def _give_up(self) -> None:
        _log.info("closed a connection: what was sent to it was not taken in time")
        self.transport.abort()


def _too_slow() -> bytes:
    message = "the request did not come whole in time; send it without pauses"
    body = json.dumps({"error": {"code": "request_too_slow", "message": message}}).encode()
    head = f"HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


_TOO_SLOW = _too_slow()
