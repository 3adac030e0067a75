"""Clients for tests: real transports, one attempt or a policy, and a clock that does not wait."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from pycontextify.hydration.transfer.client import Client, Document
from pycontextify.hydration.transfer.mirrors import Mirrors
from pycontextify.hydration.transfer.retry import RetryNote, RetryPolicy
from pycontextify.hydration.transfer.slots import Slots
from pycontextify.hydration.transfer.transport import Transport
from pycontextify.hydration.transfer.wire import Wire
from pycontextify.hydration.workers import Workers
from tests.fakes.clock import FakeClock

__all__ = ["client_of", "content", "wire_of"]

ONCE = RetryPolicy(attempts=1)


def wire_of(
    transport: Transport,
    workers: Workers,
    *,
    policy: RetryPolicy = ONCE,
    clock: FakeClock | None = None,
    random: Callable[[], float] = lambda: 0.5,
    notes: list[RetryNote] | None = None,
    connections: int = 4,
    piece: int = 16 << 20,
) -> Wire:
    """Return a wire over one transport; by default everything is asked for once."""
    clock = clock or FakeClock()
    return Wire(
        transport=transport,
        mirrors=Mirrors(clock),
        policy=policy,
        slots=Slots(connections),
        downloads=anyio.CapacityLimiter(2 * connections),
        workers=workers,
        on_retry=(notes if notes is not None else []).append,
        sleep=clock.sleep,
        random=random,
        monotonic=clock,
        piece=piece,
    )


def client_of(transport: Transport, workers: Workers, *, policy: RetryPolicy = ONCE) -> Client:
    """Return a client over one transport."""
    return Client(wire_of(transport, workers, policy=policy))


def content(document: Document) -> bytes:
    """Accept a document whatever it holds."""
    return document.content or b""
