"""Probe, then handshake: answering ``server/discover`` without deciding the protocol era.

The SDK's loop takes the era of a connection from its first request: after a ``server/discover`` it refuses
``initialize`` (-32022). Some clients probe and then shake hands on the same pipe, so leading probes are answered here,
one by one, and the loop gets to see the stream from the first other request on.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
from mcp.server.connection import Connection
from mcp.server.runner import serve_one
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.inbound import InboundLadderRejection, classify_inbound_request
from mcp.shared.jsonrpc_dispatcher import handler_exception_to_error_data
from mcp.shared.message import SessionMessage
from mcp.shared.transport_context import TransportContext
from mcp_types import INTERNAL_ERROR, ErrorData, JSONRPCError, JSONRPCRequest, JSONRPCResponse

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Mapping
    from types import TracebackType

    from mcp.server.lowlevel import Server
    from mcp.shared._stream_protocols import ReadStream, WriteStream
    from mcp.shared.dispatcher import CallOptions
    from mcp_types import RequestId

__all__ = ["Replay", "answer_probes"]

_log = logging.getLogger(__name__)
_DISCOVER = "server/discover"
_KEPT = 8
"""Frames kept that came before the first request; the SDK's own loop keeps as many."""

T = TypeVar("T")


async def answer_probes(
    server: Server[Any],
    incoming: ReadStream[SessionMessage | Exception],
    outgoing: WriteStream[SessionMessage],
    lifespan_state: Any,
) -> Replay[SessionMessage | Exception]:
    """Answer every ``server/discover`` that comes before another request; return the stream as if none had come."""
    rest = Replay(incoming)
    async for item in incoming:
        request = item.message if isinstance(item, SessionMessage) else None
        if isinstance(request, JSONRPCRequest) and request.method == _DISCOVER:
            await outgoing.send(SessionMessage(await _answer(server, request, lifespan_state)))
            continue
        if isinstance(request, JSONRPCRequest):
            rest.keep(item)
            break
        if rest.kept < _KEPT:
            rest.keep(item)
    return rest


async def _answer(server: Server[Any], request: JSONRPCRequest, state: Any) -> JSONRPCResponse | JSONRPCError:
    route = classify_inbound_request({"method": request.method, "params": request.params})
    if isinstance(route, InboundLadderRejection):
        error = ErrorData(code=route.code, message=route.message, data=route.data)
        return JSONRPCError(jsonrpc="2.0", id=request.id, error=error)
    connection = Connection.from_envelope(route.protocol_version, route.client_info, route.client_capabilities)
    try:
        result = await serve_one(
            server, _Once(request.id), request.method, request.params, connection=connection, lifespan_state=state
        )
    except Exception as failure:  # noqa: BLE001 - the boundary to the wire: whatever it is, the client gets an answer
        known = handler_exception_to_error_data(failure)
        if known is None:
            _log.exception("answering a probe failed")
        error = known or ErrorData(code=INTERNAL_ERROR, message="Internal server error")
        return JSONRPCError(jsonrpc="2.0", id=request.id, error=error)
    return JSONRPCResponse(jsonrpc="2.0", id=request.id, result=result)


@dataclass(frozen=True, slots=True)
class _Once:
    """The SDK's dispatch context for one request that is answered outside its loop: there is no way back."""

    request_id: RequestId
    transport: TransportContext = field(default=TransportContext(kind="jsonrpc", can_send_request=False))
    can_send_request: bool = False
    message_metadata: None = None
    cancel_requested: anyio.Event = field(default_factory=anyio.Event)

    async def send_raw_request(
        self,
        method: str,
        params: Mapping[str, Any] | None,  # noqa: ARG002 - the SDK's signature
        opts: CallOptions | None = None,  # noqa: ARG002 - as above
    ) -> dict[str, Any]:
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Drop it: nobody asked."""

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Drop it: a probe takes no time."""


class Replay(Generic[T]):
    """A read stream that gives back what was taken from another one, then goes on with the rest of it."""

    def __init__(self, rest: ReadStream[T]) -> None:
        self._rest = rest
        self._kept: deque[tuple[contextvars.Context | None, T]] = deque()
        self.last_context: contextvars.Context | None = None

    @property
    def kept(self) -> int:
        """How many items are waiting to be given back."""
        return len(self._kept)

    def keep(self, item: T) -> None:
        """Give this item back later, in the context that its sender had."""
        self._kept.append((getattr(self._rest, "last_context", None), item))

    async def receive(self) -> T:
        """Return the next item; raises anyio.EndOfStream after the last one."""
        if self._kept:
            self.last_context, item = self._kept.popleft()
            return item
        item = await self._rest.receive()
        self.last_context = getattr(self._rest, "last_context", None)
        return item

    async def aclose(self) -> None:
        """Close the stream behind."""
        await self._rest.aclose()

    def __aiter__(self) -> Replay[T]:
        return self

    async def __anext__(self) -> T:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Replay[T]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()
