"""Telling a supervisor: a real datagram socket on the other side."""

from __future__ import annotations

import secrets
import signal
import socket
import sys
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from pycontextify.server.notify import READY, STOPPING, address_of, tell
from tests.fakes.serving import serving

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no such sockets")


def listening(address: str) -> socket.socket:
    """Return a socket that datagrams can be sent to."""
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(address)
    receiver.settimeout(30)
    return receiver


def test_a_path_is_told(tmp_path: Path) -> None:
    """One datagram with the state as it is."""
    with listening(str(tmp_path / "notify")) as supervisor:
        assert tell(READY, {"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert supervisor.recv(100) == b"READY=1"


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has abstract names")
def test_an_abstract_name_is_told() -> None:
    """What systemd writes with an @ begins with a NUL."""
    name = f"pycontextify-{secrets.token_hex(8)}"
    with listening(f"\0{name}") as supervisor:
        assert tell(STOPPING, {"NOTIFY_SOCKET": f"@{name}"})
        assert supervisor.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("place", ["", "@", "relative", "vsock:2:1234"])
def test_nobody_is_told_where_there_is_nobody(place: str) -> None:
    """No supervisor, and those that a datagram on this machine does not reach."""
    assert address_of(place) is None
    assert not tell(READY, {"NOTIFY_SOCKET": place})
    assert not tell(READY, {})


def test_a_supervisor_that_has_gone_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The server goes on, and its log says why nobody was told."""
    assert not tell(READY, {"NOTIFY_SOCKET": str(tmp_path / "gone")})
    assert "can't be told READY=1" in caplog.text


async def test_a_server_says_when_it_listens_and_when_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once each; by the first, requests are answered."""
    with listening(str(tmp_path / "notify")) as supervisor:
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        async with serving(tmp_path) as server:
            assert await anyio.to_thread.run_sync(supervisor.recv, 100) == b"READY=1"
            assert (await server.status())["health"]["live"]
            await server.leave(signal.SIGTERM)
            assert await anyio.to_thread.run_sync(supervisor.recv, 100) == b"STOPPING=1"


async def test_under_stdio_nobody_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor that is a service itself has a socket in its environment; what it starts is not that service."""
    with listening(str(tmp_path / "notify")) as supervisor:
        supervisor.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        async with serving(tmp_path, stdio=True) as server:
            await server.status()
            await server.leave(None)
        with pytest.raises(BlockingIOError):
            supervisor.recv(100)
