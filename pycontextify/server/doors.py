"""Who may come in over HTTP: checks of Host, Origin and token round the whole application.

A web page that a user opens can send requests to 127.0.0.1, under the page's own name when that name is made to resolve
there (DNS rebinding). The SDK checks ``/mcp`` alone; here every route is behind the same door, and what is none too.
"""

from __future__ import annotations

import hmac
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from pycontextify.config.access import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Doors", "Refusal", "admit", "examine", "turn_away"]

_log = logging.getLogger(__name__)
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?", re.IGNORECASE)
_ORIGIN = re.compile(r"https?://(?P<authority>.+)", re.IGNORECASE)
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is turned away: an HTTP status and a sentence with what to do."""

    status: int
    code: str
    message: str


def examine(bound: str, hosts: list[str], origins: list[str]) -> Refusal | None:
    """Return why a request with these Host and Origin headers is refused, or None.

    Bound to a loopback address, only loopback names may be asked for (any port: tunnels change it), and only pages from
    loopback may ask. Bound to any other address we can't know the names we go by, so every Host is taken, and a page
    may ask only the host that it came from. Without an Origin it is no page that asks.
    """
    name = _name(hosts[0]) if len(hosts) == 1 else None
    local = is_loopback(bound)
    known = _LOOPBACK_NAMES | {f"[{bound}]" if ":" in bound else bound.lower()}
    if name is None or (local and name not in known):
        return Refusal(421, "host_refused", "this Host is not served here; use http://127.0.0.1 or http://localhost")
    if not origins:
        return None
    origin = _ORIGIN.fullmatch(origins[0]) if len(origins) == 1 else None
    page = None if origin is None else _name(origin["authority"])
    if page is None or page not in (known if local else {name}):
        return Refusal(403, "origin_refused", "pages of other sites may not use this server")
    return None


def _name(authority: str) -> str | None:
    match = _HOST.fullmatch(authority)
    return None if match is None else match["name"].lower()


def admit(token: str | None, authorizations: list[str]) -> Refusal | None:
    """Return why a request with these Authorization headers is refused, or None. Without a token, nothing is asked for.

    How long the comparison takes tells nothing of the token but its length.
    """
    if token is None:
        return None
    scheme, _, shown = authorizations[0].partition(" ") if authorizations else ("", "", "")
    if scheme.lower() != "bearer":
        return Refusal(401, "token_missing", "this server asks for its token: send Authorization: Bearer TOKEN")
    # Header values come as latin-1; what else a text may hold is no token of ours either.
    known = hmac.compare_digest(shown.strip(" ").encode("utf-8", "replace"), token.encode())
    if not known or len(authorizations) > 1:
        return Refusal(401, "token_refused", "this is not the token of this server (its PYCONTEXTIFY_HTTP_TOKEN)")
    return None


async def turn_away(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request with a refusal, and note it in the log."""
    _log.info("refused a request for %.200s: %s", scope.get("path", "?"), refusal.code)
    headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else None
    content = {"error": {"code": refusal.code, "message": refusal.message}}
    await JSONResponse(content, refusal.status, headers)(scope, receive, send)


class Doors:
    """ASGI middleware that asks `examine` and `admit` about every request before anything else sees it."""

    def __init__(self, app: ASGIApp, *, bound: str, token: str | None) -> None:
        self._app = app
        self._bound = bound
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with 421, 403 or 401."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = examine(self._bound, headers.getlist("host"), headers.getlist("origin")) or admit(
            self._token, headers.getlist("authorization")
        )
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await turn_away(refusal, scope, receive, send)
