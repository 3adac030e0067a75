"""Numbered lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pycontextify.ingest.chunk.lines import lines_of


@given(st.text("ab \n\x0c\u2028"), st.data())
def test_size_is_that_of_the_text(text: str, data: st.DataObject) -> None:
    """Sizes come from offsets, so they are cheap; they must agree with what they stand for."""
    lines = lines_of(text)
    first = data.draw(st.integers(1, len(lines) + 1))
    last = data.draw(st.integers(first - 1, len(lines)))
    assert lines.size(first, last) == len(lines.text(first, last))


@given(st.text("ab \n\x0c\u2028"))
def test_the_lines_are_the_text(text: str) -> None:
    """Only a newline ends a line, and a final one begins no other."""
    lines = lines_of(text)
    assert lines.text(1, len(lines)) == text.removesuffix("\n")
    assert len(lines) == text.count("\n") + (not text.endswith("\n") and bool(text))


@given(st.text("ab \n"), st.integers(0, 40))
def test_at_is_the_first_line_from_an_offset_on(text: str, offset: int) -> None:
    """An offset in the middle of a line stands for the next line."""
    lines = lines_of(text)
    begins = [lines.starts[number - 1] for number in range(1, len(lines) + 1)]
    number = lines.at(min(offset, len(text)), base=1)
    assert all(begin < min(offset, len(text)) for begin in begins[: number - 1])
    assert all(begin >= min(offset, len(text)) for begin in begins[number - 1 :])


@given(st.text("ab \n", min_size=1), st.integers(0, 12), st.data())
def test_reach_is_the_last_line_that_still_fits(text: str, size: int, data: st.DataObject) -> None:
    """The line before the first when not even that one fits."""
    lines = lines_of(text)
    first = data.draw(st.integers(1, len(lines)))
    last = lines.reach(first, size)
    assert first - 1 <= last <= len(lines)
    assert lines.size(first, last) <= size
    assert last == len(lines) or lines.size(first, last + 1) > size


def test_blank_ends_are_trimmed() -> None:
    """Blank lines between chunks belong to none."""
    lines = lines_of("\n \n a\n\nb\n\t\n")
    assert lines.trimmed(1, len(lines)) == (3, 5)
    assert lines.trimmed(1, 2) is None
    assert lines.trimmed(4, 3) is None
    assert lines.indent(3) == 1
