"""The HTTP side: ``/mcp``, the status and the probes of orchestrators, all behind one door."""

from __future__ import annotations

from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pycontextify.errors import NotReadyError
from pycontextify.server.bodies import WholeBodies
from pycontextify.server.desk import Desk
from pycontextify.server.document import status_document
from pycontextify.server.doors import Doors
from pycontextify.server.page.routes import Page

__all__ = ["build_app"]

_FRESH = {"Cache-Control": "no-store"}
_MOST_SESSIONS = 1000
"""Of the older protocol era; clients that do not end theirs leave them behind for half an hour."""


def build_app(server: Server[Any], desk: Desk, *, bound: str, token: str | None) -> ASGIApp:
    """Return the whole ASGI application for a server that listens on the host ``bound`` and asks for ``token``."""

    async def document() -> dict[str, Any]:
        return status_document(await desk.situation(), desk.now())

    async def livez(_request: Request) -> Response:
        # Looks at nothing: a restart cures no dependency.
        return JSONResponse({"live": True}, headers=_FRESH)

    async def readyz(_request: Request) -> Response:
        health = (await document())["health"]
        return JSONResponse(health, status_code=200 if health["ready"] else 503, headers=_FRESH)

    async def healthz(_request: Request) -> Response:
        return JSONResponse((await document())["health"], headers=_FRESH)

    page = Page(desk, token=token)
    own = {"/livez": livez, "/readyz": readyz, "/healthz": healthz}
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
