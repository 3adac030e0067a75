"""What goes over a client's pipe, watched: which requests are still owed an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Callable
    from types import TracebackType

    from mcp.shared._stream_protocols import ReadStream, WriteStream
    from mcp_types import RequestId

__all__ = ["Incoming", "Outgoing", "Owed"]


class Owed:
    """The requests that came in and have not been answered. ``on_answer`` is called after every answer."""

    def __init__(self, on_answer: Callable[[], None]) -> None:
        self._on_answer = on_answer
        self._ids: set[RequestId] = set()
        self._settled = anyio.Event()

    def came(self, message: object) -> None:
        """Take note of a message from the client; a request that it cancels is owed nothing."""
        match message:
            case JSONRPCRequest(id=number):
                self._ids.add(number)
            case JSONRPCNotification(method="notifications/cancelled", params={"requestId": number}):
                self._strike(number)

    def went(self, message: object) -> None:
        """Take note of a message to the client."""
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            self._strike(message.id)
            self._on_answer()

    def _strike(self, number: object) -> None:
        self._ids = {owed for owed in self._ids if owed != number}
        self._settled.set()

    async def settle(self, *, seconds: float) -> None:
        """Wait until nothing is owed, or for that long."""
        with anyio.move_on_after(seconds):
            while self._ids:
                self._settled = anyio.Event()
                await self._settled.wait()


class Incoming:
    """The client's messages. Their end is passed on once the client has its answers, or ``linger`` seconds later.

    The SDK's loop drops what it is working on when the stream ends: ``printf '…' | pycontextify`` would get no answer.
    """

    def __init__(self, stream: ReadStream[SessionMessage | Exception], owed: Owed, *, linger: float) -> None:
        self._stream = stream
        self._owed = owed
        self._linger = linger

    @property
    def last_context(self) -> contextvars.Context | None:
        """The context that the last item was sent in; the SDK looks for it."""
        return getattr(self._stream, "last_context", None)

    async def receive(self) -> SessionMessage | Exception:
        """Return the next item; raises anyio.EndOfStream after the last one."""
        try:
            item = await self._stream.receive()
        except anyio.EndOfStream:
            await self._owed.settle(seconds=self._linger)
            raise
        if isinstance(item, SessionMessage):
            self._owed.came(item.message)
        return item

    async def aclose(self) -> None:
        """Close the stream behind."""
        await self._stream.aclose()

    def __aiter__(self) -> Incoming:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


class Outgoing:
    """The messages to the client."""

    def __init__(self, stream: WriteStream[SessionMessage], owed: Owed) -> None:
        self._stream = stream
        self._owed = owed

    async def send(self, item: SessionMessage, /) -> None:
        """Hand a message to the writer."""
        await self._stream.send(item)
        self._owed.went(item.message)

    async def aclose(self) -> None:
        """Close the stream behind."""
        await self._stream.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()
