"""Byte ranges: which bytes of an asset are there, which are still wanted, and how HTTP says so. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["ContentRange", "Extents", "Span", "is_strong", "parse_content_range"]

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_STRONG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from ``start`` to before ``stop``; None: to the end, wherever that is."""

    start: int
    stop: int | None = None

    @property
    def header(self) -> str:
        """The value of a Range header that asks for it (RFC 9110, 14.2). There must be a byte in it."""
        return f"bytes={self.start}-{'' if self.stop is None else self.stop - 1}"


@dataclass(frozen=True, slots=True)
class ContentRange:
    """What a Content-Range header says: the bytes that follow, and the ``size`` of the whole where it is told."""

    start: int
    stop: int
    size: int | None


def parse_content_range(value: str | None) -> ContentRange | None:
    """Read a Content-Range header (RFC 9110, 14.4); None when it is missing or makes no sense."""
    match = _CONTENT_RANGE.fullmatch((value or "").strip())
    if match is None:
        return None
    start, stop = int(match[1]), int(match[2]) + 1
    size = None if match[3] == "*" else int(match[3])
    if stop <= start or (size is not None and stop > size):
        return None
    return ContentRange(start, stop, size)


def is_strong(etag: str | None) -> bool:
    """Tell whether an entity tag vouches for every single byte (RFC 9110, 8.8.1), as If-Range demands."""
    return etag is not None and _STRONG.fullmatch(etag) is not None


class Extents:
    """Which bytes of a file are there: spans that neither touch nor overlap, in order."""

    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        self._spans: list[tuple[int, int]] = []
        for start, stop in spans:
            self.add(start, stop)

    def add(self, start: int, stop: int) -> None:
        """Note that the bytes from ``start`` to before ``stop`` are there."""
        if stop <= start:
            return
        apart = [(low, high) for low, high in self._spans if high < start or low > stop]
        joined = [(low, high) for low, high in self._spans if high >= start and low <= stop]
        whole = (min([start, *(low for low, _ in joined)]), max([stop, *(high for _, high in joined)]))
        self._spans = sorted([*apart, whole])

    def cut(self, size: int) -> None:
        """Forget what lies at or beyond ``size``."""
        self._spans = [(low, min(high, size)) for low, high in self._spans if low < size]

    @property
    def total(self) -> int:
        """How many bytes are there."""
        return sum(high - low for low, high in self._spans)

    @property
    def frontier(self) -> int:
        """How many are there from the first byte on, without a gap."""
        return self._spans[0][1] if self._spans and self._spans[0][0] == 0 else 0

    @property
    def end(self) -> int:
        """Where the last of them ends."""
        return self._spans[-1][1] if self._spans else 0

    def gaps(self, size: int | None) -> Iterator[Span]:
        """Yield what is missing of a file of ``size`` bytes; without a size, the last gap has no end."""
        reached = 0
        for low, high in self._spans:
            if size is not None and low >= size:
                break
            if low > reached:
                yield Span(reached, low)
            reached = high
        if size is None or reached < size:
            yield Span(reached, size)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._spans)
