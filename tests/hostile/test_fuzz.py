"""Every parser of what comes from elsewhere, a hundred times (`make test-system`: 10,000 times)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=100)
@given(data=st.data())
def test_no_parser_is_surprised(name: str, data: st.DataObject) -> None:
    """Whatever comes, the outcome is a value that holds together or a typed refusal."""
    target, strategy = TARGETS[name]
    target(data.draw(strategy))
