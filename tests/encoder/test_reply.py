"""Reading an endpoint's reply."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.encoder.reply import read_reply


def reply(*items: Any) -> bytes:
    """Serialise a reply."""
    return json.dumps({"data": items}).encode()


def item(vector: Any, index: Any = 0) -> dict[str, Any]:
    """Return one item of a reply."""
    return {"index": index, "embedding": vector}


def test_rows_are_in_the_order_of_the_texts() -> None:
    """The index counts, not the position."""
    rows = read_reply(reply(item([3, 4.5], 1), item([1, 2], 0)), 2)
    np.testing.assert_array_equal(rows, [[1.0, 2.0], [3.0, 4.5]])


def test_without_indexes_the_position_counts() -> None:
    """Some servers leave the index out."""
    np.testing.assert_array_equal(read_reply(reply({"embedding": [1]}, {"embedding": [2]}), 2), [[1.0], [2.0]])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"<html>sign in</html>", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no list of embeddings"),
        (b'{"error": "busy"}', "no list of embeddings"),
        (b'{"data": [1]}', "no list of embeddings"),
        (reply(), "0 embeddings for 1 texts"),
        (reply(item([1]), item([2], 1)), "2 embeddings for 1 texts"),
        (reply(item([1], 1)), "do not name each text once"),
        (reply(item([1], True)), "do not name each text once"),
        (reply(item([1], "0")), "do not name each text once"),
        (reply(item([])), "not a list of numbers"),
        (reply(item("AACAPw==")), "not a list of numbers"),
        (reply(item(["1"])), "not a list of numbers"),
        (reply(item([True])), "not a list of numbers"),
        (reply(item([[1]])), "not a list of numbers"),
        (reply({"index": 0}), "not a list of numbers"),
        (reply(item([float("nan")])), "not finite"),
        (reply(item([1, float("inf")])), "not finite"),
        (reply(item([10**400])), "not finite"),
    ],
)
def test_anything_else_is_refused(content: bytes, message: str) -> None:
    """Each fault has its sentence."""
    with pytest.raises(ValueError, match=message):
        read_reply(content, 1)


def test_dimensions_must_agree() -> None:
    """One model has one dimension."""
    with pytest.raises(ValueError, match="differ in dimension"):
        read_reply(reply(item([1, 2]), item([1], 1)), 2)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["data", "index", "embedding", "x"]), inner),
)


@given(JSON)
def test_no_reply_breaks_it(value: Any) -> None:
    """Whatever JSON comes: rows for each text, or ValueError."""
    try:
        rows = read_reply(json.dumps(value).encode(), 1)
    except ValueError:
        return
    assert rows.shape[0] == 1
    assert np.isfinite(rows).all()
