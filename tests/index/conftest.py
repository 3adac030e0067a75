"""What the tests of the index share."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontextify.index.vectors import write_vectors
from tests.index.made import MANY


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vectors file that is just large enough for an inverted file; it holds `MANY`."""
    path = tmp_path_factory.mktemp("many") / "vectors"
    write_vectors(MANY, path)
    return path
