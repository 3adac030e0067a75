"""Every parser of what comes from elsewhere, 10,000 times."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile.requests import Asked, check_answer, requests, serving
from tests.hostile.targets import TARGETS

pytestmark = pytest.mark.system


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_parser_is_surprised(name: str, data: st.DataObject) -> None:
    """Whatever comes, the outcome is a value that holds together or a typed refusal."""
    target, strategy = TARGETS[name]
    target(data.draw(strategy))


@pytest.fixture(scope="module")
def ask() -> Iterator[Callable[[Asked], int]]:
    """A server to put requests to."""
    with serving() as ask:
        yield ask


@pytest.mark.timeout(600)
@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(asked=requests)
def test_every_request_gets_an_answer(asked: Asked, ask: Callable[[Asked], int]) -> None:
    """Whatever method, path, query, headers and body: an answer of a kind that we give, and none without the token."""
    check_answer(asked, ask(asked))
