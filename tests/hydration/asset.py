"""The asset that the tests of HTTP ask for, and how they ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontextify.errors import PyContextifyError
from pycontextify.hydration.fetch import Fetcher
from pycontextify.hydration.transport import Download
from pycontextify.snapshot.digest import digest_of
from tests.fakes.server import SnapshotServer

__all__ = ["CONTENT", "failure", "ignore", "publish", "whole"]

CONTENT = bytes(range(256)) * 4096  # 1 MiB


def publish(site: Path) -> None:
    """Offer ``a.bin``, which is `CONTENT`, and an empty ``index.json``."""
    (site / "a.bin").write_bytes(CONTENT)
    (site / "index.json").write_bytes(b"{}")


def whole(server: SnapshotServer) -> Download:
    """The asset that all of these tests download."""
    return Download("a", server.url("a.bin"), digest_of(CONTENT), len(CONTENT))


def ignore(_count: int) -> None:
    """Want no progress."""


async def failure(fetcher: Fetcher, url: str) -> PyContextifyError:
    """Return the error that reading ``url`` must end in."""
    with pytest.raises(PyContextifyError) as caught:
        await fetcher.read(url, limit=100)
    return caught.value
