"""The default encoder, opened once for all tests, and an endpoint for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pycontextify.encoder.default import find_default
from pycontextify.encoder.onnx import OnnxEncoder, open_model
from tests.encoder.service import EmbeddingService, running_service


@pytest.fixture(scope="session")
def default() -> OnnxEncoder:
    """The default encoder. It never changes, so that tests can share it."""
    return open_model(find_default(), threads=2)


@pytest.fixture
def service() -> Iterator[EmbeddingService]:
    """An embeddings endpoint that answers well until it is told otherwise."""
    with running_service() as service:
        yield service
