"""Telling a supervisor how the server is: one datagram, as sd_notify(3) describes it. Without a supervisor, nothing."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

__all__ = ["READY", "STOPPING", "address_of", "tell"]

READY = "READY=1"
"""The server listens."""

STOPPING = "STOPPING=1"
"""It has begun to end."""

_log = logging.getLogger(__name__)


def address_of(place: str) -> str | None:
    """Return the address that NOTIFY_SOCKET stands for: a path, or with @ a name in Linux's abstract namespace.

    None for what this can't reach: systemd also writes vsock addresses there, for virtual machines.
    """
    if place.startswith("@"):
        return f"\0{place[1:]}" if len(place) > 1 else None
    return place if place.startswith("/") else None


def tell(state: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send a state to whoever NOTIFY_SOCKET names; return whether it was sent. Never blocks, never raises."""
    address = address_of(environment.get("NOTIFY_SOCKET", ""))
    if address is None or not hasattr(socket, "AF_UNIX"):
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.settimeout(0)
            to.sendto(state.encode(), address)
    except OSError as error:
        _log.warning("the supervisor can't be told %s (%s)", state, error.strerror or error)
        return False
    return True
