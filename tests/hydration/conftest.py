"""What the tests of hydration share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.fetch import Fetcher
from pycontextify.hydration.workers import Workers
from tests.fakes.server import SnapshotServer
from tests.fakes.wire import client_of


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Hydration's threads."""
    with Workers() as workers:
        yield workers


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The directory that is served."""
    directory = tmp_path / "site"
    directory.mkdir()
    return directory


@pytest.fixture
async def server(site: Path) -> AsyncIterator[SnapshotServer]:
    """A host that serves `site`."""
    async with SnapshotServer(site) as server:
        yield server


@pytest.fixture
async def fetcher(workers: Workers) -> AsyncIterator[Fetcher]:
    """The HTTP transport, without retries."""
    async with Fetcher() as fetcher:
        yield fetcher


@pytest.fixture
def client(fetcher: Fetcher, workers: Workers) -> Client:
    """A client over HTTP that asks once."""
    return client_of(fetcher, workers)
