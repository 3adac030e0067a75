"""What all tests share: how hypothesis runs, and an index directory to work in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from pycontextify.store.layout import Layout

# No deadline: how long an example takes says nothing on a busy machine.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An empty index directory."""
    layout = Layout(tmp_path / "index")
    layout.create()
    return layout
