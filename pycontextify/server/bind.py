"""Taking an address to listen at."""

from __future__ import annotations

import socket

import anyio.to_thread

from pycontextify.errors import ConfigError

__all__ = ["address_of", "bind"]


async def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes any free one.

    Raises ConfigError when the address is taken, or not one of this machine.
    """
    return await anyio.to_thread.run_sync(_bind, host, port)


def _bind(host: str, port: int) -> socket.socket:
    place = f"{host}:{port}"
    try:
        family, *_, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except socket.gaierror as error:
        raise ConfigError(
            "not an address of this machine", code="host_unknown", asset=place, hint="use 127.0.0.1 or 0.0.0.0"
        ) from error
    except OSError as error:
        raise ConfigError(
            f"can't listen there ({error.strerror})",
            code="port_unavailable",
            asset=place,
            hint="stop what uses the port, choose another one, or take port 0 for any free one",
        ) from error


def address_of(listening: socket.socket) -> str:
    """Return the base URL that a listening socket is reached at."""
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
