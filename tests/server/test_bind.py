"""Listening for HTTP."""

from __future__ import annotations

import socket

import pytest

from pycontextify.errors import ConfigError
from pycontextify.server.bind import address_of, bind


async def test_port_0_takes_any_free_one() -> None:
    """And the address says which."""
    with await bind("127.0.0.1", 0) as listening:
        assert address_of(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"


async def test_a_taken_port_is_a_configuration_error_with_a_hint() -> None:
    """The message names the address and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}: .*choose another") as raised:
            await bind("127.0.0.1", port)
    assert raised.value.code == "port_unavailable"


async def test_an_unknown_host_is_a_configuration_error() -> None:
    """Names are resolved before anything starts."""
    with pytest.raises(ConfigError) as raised:
        await bind("no-such-host.invalid", 0)
    assert raised.value.code == "host_unknown"


def test_ipv6_addresses_have_brackets() -> None:
    """As URLs want them; the socket need not be bound, so this runs without IPv6 too."""

    class Bound(socket.socket):
        def getsockname(self) -> tuple[str, int, int, int]:
            return ("::1", 8765, 0, 0)

    with Bound() as listening:
        assert address_of(listening) == "http://[::1]:8765"
