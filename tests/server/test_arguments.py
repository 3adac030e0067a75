"""Arguments of the tools: what is taken, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pycontextify.server.arguments import SearchArguments


@pytest.mark.parametrize(
    ("given", "taken"),
    [(["a", "b"], ["a", "b"]), ('["a", "b"]', ["a", "b"]), ("a, b", ["a", "b"]), ("a", ["a"]), (None, None)],
)
def test_tags_are_taken_as_clients_write_them(given: object, taken: list[str] | None) -> None:
    """A list, a list that came as JSON text, or words with commas."""
    assert SearchArguments.model_validate({"query": "q", "tags": given}).tags == taken


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"query": ""},
        {"query": "q", "limit": 0},
        {"query": "q", "limit": 51},
        {"query": "q", "mode": "magic"},
        {"query": "q", "tags": "[1, {}]"},
        {"query": "q", "tags": "[" * 10_000},
        {"query": "q", "language": 5},
        {"query": "q", "lang": "python"},
    ],
)
def test_what_is_wrong_is_refused(wrong: dict[str, object]) -> None:
    """Also an argument that does not exist: ignored, it would look as if it had been heeded."""
    with pytest.raises(ValidationError):
        SearchArguments.model_validate(wrong)
