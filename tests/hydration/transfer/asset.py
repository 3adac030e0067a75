"""The asset that the tests of HTTP ask for, and how they ask."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from pycontextify.errors import PyContextifyError
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.transport import Download
from pycontextify.snapshot.digest import digest_of
from tests.fakes.server import SnapshotServer
from tests.fakes.wire import content

__all__ = ["CONTENT", "failure", "noise", "publish", "read", "whole"]

CONTENT = bytes(range(256)) * 4096  # 1 MiB


def noise(size: int) -> bytes:
    """Bytes that nothing would guess, the same at every run."""
    return Random(size).randbytes(size)  # noqa: S311 - nothing is kept secret with them


def publish(site: Path) -> None:
    """Offer ``a.bin``, which is `CONTENT`, and an empty ``index.json``."""
    (site / "a.bin").write_bytes(CONTENT)
    (site / "index.json").write_bytes(b"{}")


def whole(server: SnapshotServer) -> Download:
    """The asset that all of these tests download."""
    return Download("a", (server.url("a.bin"),), digest_of(CONTENT), len(CONTENT))


async def read(client: Client, url: str) -> bytes:
    """Read a small document."""
    return await client.read([url], content, limit=100)


async def failure(client: Client, url: str) -> PyContextifyError:
    """Return the error that reading ``url`` must end in."""
    with pytest.raises(PyContextifyError) as caught:
        await read(client, url)
    return caught.value
