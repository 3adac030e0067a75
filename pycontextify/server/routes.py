"""The HTTP side: ``/mcp``, the status and the probes of orchestrators, all behind one door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pycontextify.errors import NotReadyError
from pycontextify.server.bodies import WholeBodies
from pycontextify.server.desk import Desk
from pycontextify.server.doors import Doors
from pycontextify.server.health import health_routes
from pycontextify.server.page.routes import Page

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["build_app"]

_FRESH = {"Cache-Control": "no-store"}
_MOST_SESSIONS = 1000
"""Of the older protocol era; clients that do not end theirs leave them behind for half an hour."""


def build_app(
    server: Server[Any],
    desk: Desk,
    *,
    bound: str,
    token: str | None,
    metrics: Callable[[Request], Awaitable[Response]] | None = None,
) -> ASGIApp:
    """Return the whole ASGI application for a server that listens on the host ``bound`` and asks for ``token``.

    ``metrics`` answers at /metrics; None: nothing does.
    """
    page = Page(desk, token=token)
    own = dict(health_routes(desk))
    if metrics is not None:
        own["/metrics"] = metrics
    app = server.streamable_http_app(
        # Doors checks Host and Origin, on this route as on all others.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        max_sessions=_MOST_SESSIONS,
        custom_starlette_routes=[
            *(Route(path, endpoint, methods=["GET"]) for path, endpoint in own.items()),
            *page.routes(),
        ],
    )
    app.add_exception_handler(NotReadyError, _not_ready)
    return Doors(WholeBodies(app), bound=bound, token=token, refuse=page.refuse)


def _not_ready(_request: Request, error: Exception) -> Response:
    code = error.code if isinstance(error, NotReadyError) else "not_ready"
    return JSONResponse({"error": {"code": code, "message": str(error)}}, status_code=503, headers=_FRESH)
