"""What the system tests share: a large published index, and nginx in front of it.

Figures that a test gives to ``record_property`` are told at the end of the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from pycontextify.publish.directory import publish_directory
from pycontextify.snapshot.digest import Digest
from pycontextify.store.layout import Layout
from tests.fakes.ballast import make_ballast
from tests.system.nginx import Nginx

__all__ = ["MakeNginx", "Published"]

_SIZE = 200_000_000


class MakeNginx(Protocol):
    """Starts an nginx that ends with the test; see `Nginx` for what it takes."""

    def __call__(self, site: Path, *, http: str = "", server: str = "", tls: bool = False) -> Nginx:
        """Return it when it accepts connections."""
        ...


@dataclass(frozen=True)
class Published:
    """A published layout, its generation, and how many bytes it takes to fetch. Only to be read: all tests share it."""

    site: Path
    generation: Digest
    size: int

    def blob(self, title: str) -> tuple[str, int]:
        """Return a blob's path at the server, and its size."""
        blobs = Layout(self.site).manifest(self.generation).blobs
        (found,) = (blob for blob in blobs if blob.title == title)
        return f"/blobs/sha256/{found.digest.hex}", found.size


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """An index of 200 MB, published as a layout."""
    home = tmp_path_factory.mktemp("published")
    built = Layout(home / "built")
    built.create()
    generation = make_ballast(built, home / "model", _SIZE)
    publish_directory(built, generation, home / "site")
    return Published(home / "site", generation, sum(blob.size for blob in built.manifest(generation).blobs))


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[MakeNginx]:
    """Start servers, which end with the test."""
    running: list[Nginx] = []

    def start(site: Path, *, http: str = "", server: str = "", tls: bool = False) -> Nginx:
        home = tmp_path / f"nginx-{len(running)}"
        home.mkdir()
        running.append(Nginx(home, site, http=http, server=server, tls=tls))
        running[-1].start()
        return running[-1]

    yield start
    for each in running:
        each.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell the figures, each once."""
    figures = [figure for report in terminalreporter.getreports("passed") for figure in report.user_properties]
    for what, value in dict.fromkeys(figures):
        terminalreporter.write_line(f"{what}: {value}")
