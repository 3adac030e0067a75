"""What all tests share: how hypothesis runs, Ctrl-C, a watch over the event loop, and an index directory to work in."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import HealthCheck, settings

from pycontextify.store.layout import Layout

_ASYNCHRONOUS = [f"pycontextify.{room}" for room in ("hydration", "library", "server", "cli")]

# No deadline: how long an example takes says nothing on a busy machine. The same examples every time: a run says
# something of the change, not of luck. `HYPOTHESIS_PROFILE=explore` looks for new ones.
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


# A shell has its background jobs ignore Ctrl-C, and the processes that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out, on Windows, what needs a pseudo-terminal."""
    if sys.platform == "win32":
        items[:] = [item for item in items if item.get_closest_marker("terminal") is None]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An empty index directory."""
    layout = Layout(tmp_path / "index")
    layout.create()
    return layout


@pytest.fixture(autouse=True)
def watch_the_loop() -> Iterator[None]:
    """Fail a test in which our asynchronous rooms block the loop: read or write a file, sleep, wait for a lock.

    The rooms below are synchronous throughout; a test may call them as it likes.
    """
    with blockbuster_ctx(_ASYNCHRONOUS):
        yield
