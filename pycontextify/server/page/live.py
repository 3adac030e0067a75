"""Keeping open pages current: server-sent events, of one watch that all of them share.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING

import anyio

from pycontextify.errors import NotReadyError

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from pycontextify.server.desk import Desk, Survey
    from pycontextify.server.document import Situation

__all__ = ["MOST_STREAMS", "Stream", "Watch", "events"]

MOST_STREAMS = 50
"""Of the connections there may be: those that only look leave most of them to those that ask."""

_PAUSE = 0.25
_HEARTBEAT = 5.0
_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-accel-buffering", b"no"),  # nginx would keep events back until it has a buffer full
]

Regions = Mapping[str, str]


class Watch:
    """What open pages show now: looked at four times a second while there are any, however many there are.

    ``render`` makes HTML of a survey, and is called when something has changed. A look that finds the situation as it
    was costs next to nothing; the disk is asked when another generation is served, or an attempt has ended.
    """

    def __init__(self, desk: Desk, render: Callable[[Survey], Awaitable[Regions]], clock: Callable[[], float]) -> None:
        self._desk = desk
        self._render = render
        self._clock = clock
        self._turn = anyio.Lock()
        self._looked: float | None = None
        self._situation: Situation | None = None
        self._survey: Survey | None = None
        self._regions: Regions = {}

    async def regions(self) -> Regions:
        """Return them. Raises NotReadyError (``busy``) when too many look at the status already."""
        async with self._turn:
            if self._looked is None or self._clock() - self._looked >= _PAUSE:
                await self._look()
                self._looked = self._clock()
            return self._regions

    async def _look(self) -> None:
        situation = await self._desk.glance()
        if situation == self._situation:
            return
        if self._survey is None or _landmarks(situation) != _landmarks(self._survey.situation):
            survey = await self._desk.survey()
        else:
            survey = self._survey.at(situation)
        self._regions = await self._render(survey)
        self._situation, self._survey = situation, survey


def _landmarks(situation: Situation) -> tuple[object, ...]:
    facts, history = situation.facts, situation.hydration.history
    return None if facts is None else facts.generation, history[:1], situation.opening


async def events(watch: Watch, sleep: Callable[[float], Awaitable[None]]) -> AsyncGenerator[bytes, None]:
    """Yield the regions that have changed, as JSON from names to HTML; first all of them. Runs until it is closed.

    While nothing changes, an event without any comes now and then, and shows either side that the other one is there.
    """
    sent: dict[str, str] = {}
    quiet = 0.0
    yield b"retry: 2000\n\n"
    while True:
        changed = {name: html for name, html in (await _latest(watch)).items() if sent.get(name) != html}
        if changed:
            sent |= changed
            quiet = 0.0
            yield f"data: {json.dumps(changed)}\n\n".encode()
        elif quiet >= _HEARTBEAT:
            quiet = 0.0
            yield b"data: {}\n\n"
        await sleep(_PAUSE)
        quiet += _PAUSE


async def _latest(watch: Watch) -> Regions:
    try:
        return await watch.regions()
    except NotReadyError:  # the next look may find a free place
        return {}


class Stream:
    """The ASGI application of an event stream: it ends when its client leaves, or the server does."""

    def __init__(self, watch: Watch, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._watch = watch
        self._sleep = sleep
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream, unless too many do so already; HEAD gets the head alone."""
        if self._open >= MOST_STREAMS:
            raise NotReadyError("too many pages are being kept current already", code="busy", hint="reload this one")
        self._open += 1
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
            else:
                await self._tell(receive, send)
        finally:
            self._open -= 1

    async def _tell(self, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as tasks, aclosing(events(self._watch, self._sleep)) as pieces:
            tasks.start_soon(_cancel_when_gone, receive, tasks.cancel_scope)
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _cancel_when_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
