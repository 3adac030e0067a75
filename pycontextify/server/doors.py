"""Who may come in over HTTP: checks of Host, Origin and token round the whole application.

Where the status page is, and nowhere else, a badge (`pycontextify.server.badge`) may be shown in place of the token.

A web page that a user opens can send requests to 127.0.0.1, under the page's own name when that name is made to resolve
there (DNS rebinding). The SDK checks ``/mcp`` alone; here every route is behind the same door, and what is none too.
"""

from __future__ import annotations

import hmac
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from pycontextify.config.access import is_loopback
from pycontextify.server.badge import shows_badge

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = [
    "LOGIN",
    "Doors",
    "Refusal",
    "TurnAway",
    "admit",
    "admit_browser",
    "examine",
    "from_own_site",
    "is_page",
    "own_page",
    "refused",
    "turn_away",
]

LOGIN = "/status/login"
"""Where a browser shows the token, in a form. What is posted there comes in without one: it is what brings it."""

TurnAway: TypeAlias = "Callable[[Refusal, Scope, Receive, Send], Awaitable[None]]"
"""Answers a request that is refused."""

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


def is_page(path: str) -> bool:
    """Tell whether a path is the status page's: one where browsers come in with a badge."""
    return path in ("/status", "/status.json") or path.startswith("/status/")


def admit_browser(token: str | None, authorizations: list[str], cookies: list[str]) -> Refusal | None:
    """Return why a request for the status page is refused, or None: who shows no token may show a badge."""
    if token is not None and not authorizations and shows_badge(token, cookies):
        return None
    return admit(token, authorizations)


def own_page(hosts: list[str], origins: list[str]) -> Refusal | None:
    """Return why a request that changes something is refused, or None: a page that sends it must be ours.

    To `examine` all of loopback is one neighbourhood. But a badge goes along with what any page there sends, so here
    the port counts. (The scheme does not: TLS ends before us.)
    """
    if not origins:
        return None
    origin = _ORIGIN.fullmatch(origins[0])
    if len(origins) == 1 and origin is not None and origin["authority"].lower() == hosts[0].lower():
        return None
    return Refusal(403, "origin_refused", "only this server's own page may do that")


def from_own_site(sites: list[str]) -> bool:
    """Tell whether a browser says (Sec-Fetch-Site) that what it sends comes from a page of the very origin it asks.

    It does so over https and to loopback, and no script can write that header (https://www.w3.org/TR/fetch-metadata/).
    So it tells, where a proxy has put a Host of its own in place of the name in Origin, that the two were one.
    """
    return sites == ["same-origin"]


async def turn_away(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request with a refusal, and note it in the log."""
    _log.info("refused a request for %.200s: %s", scope.get("path", "?"), refusal.code)
    await refused(refusal)(scope, receive, send)


def refused(refusal: Refusal) -> JSONResponse:
    """Return the answer to a request that is refused."""
    headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else None
    return JSONResponse({"error": {"code": refusal.code, "message": refusal.message}}, refusal.status, headers)


class Doors:
    """ASGI middleware that decides about every request before anything else sees it.

    ``refuse`` answers those that are turned away.
    """

    def __init__(self, app: ASGIApp, *, bound: str, token: str | None, refuse: TurnAway = turn_away) -> None:
        self._app = app
        self._bound = bound
        self._token = token
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or have it answered with 421, 403 or 401."""
        refusal = None
        if scope["type"] != "lifespan":
            refusal = self._judge(scope.get("method", "GET"), scope["path"], Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await self._refuse(refusal, scope, receive, send)

    def _judge(self, method: str, path: str, headers: Headers) -> Refusal | None:
        hosts, origins, shown = (headers.getlist(name) for name in ("host", "origin", "authorization"))
        if is_page(path) and from_own_site(headers.getlist("sec-fetch-site")):
            origins = []
        refusal = examine(self._bound, hosts, origins)
        if refusal is not None or not is_page(path):
            return refusal or admit(self._token, shown)
        if (method, path) != ("POST", LOGIN) or shown:
            refusal = admit_browser(self._token, shown, headers.getlist("cookie"))
        if refusal is None and method not in ("GET", "HEAD"):
            refusal = own_page(hosts, origins)
        return refusal
