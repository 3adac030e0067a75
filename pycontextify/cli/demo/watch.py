"""Following the server's /status, as a dashboard would."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

__all__ = ["read_status"]

_SECONDS = 10.0


async def read_status(url: str) -> dict[str, Any]:
    """Return the status document of the server at ``url``."""
    return await anyio.to_thread.run_sync(_get, url)


def _get(url: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_SECONDS)
    try:
        connection.request("GET", "/status", headers={"Accept": "application/json"})
        document: dict[str, Any] = json.load(connection.getresponse())
    finally:
        connection.close()
    return document
