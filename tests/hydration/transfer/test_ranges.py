"""Ranges: what HTTP says of them, and the arithmetic of what is there and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.hydration.transfer.ranges import ContentRange, Extents, Span, is_strong, parse_content_range


@pytest.mark.parametrize(
    ("span", "header"),
    [(Span(0), "bytes=0-"), (Span(5), "bytes=5-"), (Span(0, 1), "bytes=0-0"), (Span(5, 9), "bytes=5-8")],
)
def test_a_span_asks_for_its_bytes(span: Span, header: str) -> None:
    """HTTP counts the last byte in."""
    assert span.header == header


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ("bytes 0-0/1", ContentRange(0, 1, 1)),
        (" bytes 5-9/100 ", ContentRange(5, 10, 100)),
        ("bytes 5-9/*", ContentRange(5, 10, None)),
        (None, None),
        ("", None),
        ("bytes */100", None),
        ("bytes 9-5/100", None),
        ("bytes 5-100/100", None),
        ("bytes 5-9", None),
        ("bytes -5-9/100", None),
        ("octets 5-9/100", None),
        ("bytes 5-9/100, bytes 20-29/100", None),
        (f"bytes 0-{'9' * 40}/*", None),
    ],
)
def test_content_range(value: str | None, meaning: ContentRange | None) -> None:
    """What makes no sense is as good as missing."""
    assert parse_content_range(value) == meaning


@given(st.text(max_size=40))
def test_content_range_never_raises(value: str) -> None:
    """The header is the server's."""
    told = parse_content_range(value)
    assert told is None or 0 <= told.start < told.stop


@pytest.mark.parametrize(
    ("etag", "strong"),
    [
        ('"a"', True),
        ('""', True),
        (None, False),
        ("", False),
        ('W/"a"', False),
        ("a", False),
        ('"a', False),
        ('"a"b"', False),
    ],
)
def test_strong_validators(etag: str | None, *, strong: bool) -> None:
    """A weak one does not vouch for bytes; what is malformed vouches for nothing."""
    assert is_strong(etag) is strong


SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12)


@given(SPANS, st.integers(0, 30))
def test_extents_are_a_set_of_bytes(spans: list[tuple[int, int]], size: int) -> None:
    """Whatever is added in whatever order: the same as counting bytes one by one."""
    extents = Extents(spans)
    there = {byte for start, stop in spans for byte in range(start, stop)}
    assert {byte for start, stop in extents for byte in range(start, stop)} == there
    assert extents.total == len(there)
    assert extents.frontier == next(byte for byte in range(40) if byte not in there)
    assert extents.end == max(there, default=-1) + 1
    missing = {byte for gap in extents.gaps(size) for byte in range(gap.start, gap.stop or 0)}
    assert missing == set(range(size)) - there
    edges = [edge for span in extents for edge in span]
    assert edges == sorted(set(edges))


@given(SPANS, st.integers(0, 30))
def test_extents_can_be_cut(spans: list[tuple[int, int]], size: int) -> None:
    """A file that is shorter than its journal says holds no more than it holds."""
    extents = Extents(spans)
    extents.cut(size)
    there = {byte for start, stop in spans for byte in range(start, stop)}
    assert {byte for start, stop in extents for byte in range(start, stop)} == {byte for byte in there if byte < size}


def test_without_a_size_the_last_gap_has_no_end() -> None:
    """Something may always follow."""
    assert list(Extents([(0, 5), (7, 9)]).gaps(None)) == [Span(5, 7), Span(9)]
    assert list(Extents().gaps(None)) == [Span(0)]
