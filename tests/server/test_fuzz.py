"""Requests of any kind; the long run (`make test-system`) puts 10,000."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings

from tests.hostile.requests import Asked, check_answer, requests, serving


@pytest.fixture(scope="module")
def ask() -> Iterator[Callable[[Asked], int]]:
    """A server to put them to."""
    with serving() as ask:
        yield ask


@settings(max_examples=100, deadline=None)
@given(asked=requests)
def test_every_request_gets_an_answer(asked: Asked, ask: Callable[[Asked], int]) -> None:
    """Whatever method, path, query, headers and body: an answer of a kind that we give, and none without the token."""
    check_answer(asked, ask(asked))
