"""How much a request may carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from pycontextify.server.doors import Refusal, turn_away

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["LARGEST_BODY", "WholeBodies"]

LARGEST_BODY = 1 << 18
"""In bytes. The largest search that `SearchArguments` lets through has less than two thirds of that, when every
character of it is escaped in JSON."""


class WholeBodies:
    """ASGI middleware that takes in the body of a request, and passes the request on when all of it is there.

    So nothing behind waits for a slow client, and what is too large is refused by what it says of its size, or else at
    the first byte too many.
    """

    def __init__(self, app: ASGIApp, *, most: int = LARGEST_BODY) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with 413; a client that leaves before the end gets no answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        announced = Headers(scope=scope).get("content-length", "")
        more = not announced.isdecimal() or int(announced) <= self._most
        within = more
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            within = len(body) <= self._most
            more = within and message.get("more_body", False)
        if within:
            await self._app(scope, _replaying(bytes(body), receive), send)
        else:
            await turn_away(_too_large(self._most), scope, receive, send)


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Return what gives the body, whole, and then what ``receive`` gives: the end."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _too_large(most: int) -> Refusal:
    return Refusal(413, "body_too_large", f"a request may carry {most:,} bytes; ask for less at once")
