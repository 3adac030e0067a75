"""What a server that listens for HTTP needs beside the tools. It is imported by such a server alone."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from pycontextify.server.listen import Listener
from pycontextify.server.metrics import Metrics
from pycontextify.server.routes import build_app

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from pycontextify.server.desk import Desk

__all__ = ["Web"]


class Web:
    """The metrics of a server, and what serves them with all other routes at a socket."""

    def __init__(self, host: str, listening: socket.socket, token: str | None) -> None:
        self.metrics = Metrics()
        self._host = host
        self._listening = listening
        self._token = token

    def listener(self, server: Server[dict[str, Any]], desk: Desk) -> Listener:
        """Return what serves the routes, once it runs."""
        app = build_app(server, desk, bound=self._host, token=self._token, metrics=self.metrics.route(desk))
        return Listener(app, self._listening)
