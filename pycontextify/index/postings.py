"""The inverted index of a segment: for each word the rows that have it, and how much it says about each.

BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) with the inverse document frequency that
Lucene uses, which is never negative. What does not depend on the query is worked out when the index is built, as BM25S
does (Lù, "BM25S: Orders of magnitude faster lexical search via eager sparse scoring", arXiv:2407.03618): the part of a
score that the row's own count and length decide, f / (f + K1 (1 - B + B · length / mean length)), which lies between 0
and 1, in a byte. The score of a row is the sum, over the query's words, of idf · (K1 + 1) · that part.

A posting list is one byte w (1, 2 or 4); then for each row how many rows lie between it and the one before, in w bytes,
little-endian; then a byte for each row, its part in 255ths. So whatever bytes come, rows ascend.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Postings", "PostingsError", "Scores", "check", "unpack"]

K1, B = 1.2, 0.75
_SYMBOL, _PATH = 4, 2
"""A word in the name of the thing, or of its file, counts as so many in its text."""

_FULL = 255
_BLOCK = 256
"""Rows of which only the highest score is looked at first."""
_FEW = 64
"""Of so few numbers Python has the sum before numpy has begun."""
_WIDTHS: Mapping[int, np.dtype[np.unsignedinteger]] = {
    1: np.dtype("<u1"),
    2: np.dtype("<u2"),
    4: np.dtype("<u4"),
}


class PostingsError(ValueError):
    """Bytes that are no posting list, or one of rows that there are not."""


class Postings:
    """Collects the words of rows, given in their order; then tells each word's posting list."""

    def __init__(self) -> None:
        self._numbers: defaultdict[str, int] = defaultdict()
        self._numbers.default_factory = self._numbers.__len__
        self._words, self._counts = array("I"), array("f")
        self._distinct, self._lengths = array("I"), array("f")

    def add(self, symbol: Sequence[str], path: Sequence[str], text: Sequence[str]) -> None:
        """Add the next row, by the words of its three fields."""
        counts = Counter(text)
        for words, weight in ((symbol, _SYMBOL), (path, _PATH)):
            for word in words:
                counts[word] += weight
        self._words.extend(map(self._numbers.__getitem__, counts))
        self._counts.extend(counts.values())
        self._distinct.append(len(counts))
        self._lengths.append(len(symbol) + len(path) + len(text))

    def lists(self) -> Iterator[tuple[str, bytes]]:
        """Yield every word with its posting list, in the order of words."""
        words = np.frombuffer(self._words, np.uint32)
        rows = np.repeat(np.arange(len(self._distinct)), np.frombuffer(self._distinct, np.uint32))
        order = np.argsort(words, kind="stable")
        parts = self._parts(rows)[order].data
        ends = np.cumsum(np.bincount(words, minlength=len(self._numbers)))
        starts = ends - np.diff(ends, prepend=0)
        gaps = np.diff(rows[order], prepend=-1) - 1
        gaps[starts] = rows[order[starts]]
        most = np.maximum.reduceat(gaps, starts) if len(starts) else gaps
        packed = {width: gaps.astype(kind).view(np.uint8).data for width, kind in _WIDTHS.items()}
        widths = np.select([most < 1 << 8, most < 1 << 16], [1, 2], 4).tolist()
        for word, number in sorted(self._numbers.items()):
            start, end, width = int(starts[number]), int(ends[number]), widths[number]
            yield word, b"".join((bytes([width]), packed[width][start * width : end * width], parts[start:end]))

    def _parts(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        counts, lengths = np.frombuffer(self._counts, np.float32), np.frombuffer(self._lengths, np.float32)
        mean = lengths.mean(dtype=np.float64) if len(lengths) else 1.0
        slowed = (K1 * (1 - B + B * lengths / max(mean, 1.0))).astype(np.float32)
        parts = counts / (counts + slowed[rows])
        return np.asarray(np.maximum(np.rint(parts * _FULL), 1), dtype=np.uint8)


def check(content: bytes, rows: int) -> None:
    """Raise PostingsError unless bytes are a posting list of rows below ``rows``; quicker than to unpack it."""
    width, count = _form(content)
    if width == 1 and count < _FEW:
        last = sum(content[1 : 1 + count]) + count - 1
    else:
        last = int(_gaps(content, width, count).sum(dtype=np.int64)) + count - 1
    _check_last(last, rows)


def unpack(content: bytes, rows: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return the rows, int64 (n,), of a posting list and their parts, uint8 (n,), n at least 1.

    Raises PostingsError unless it is one, of rows below ``rows``.
    """
    width, count = _form(content)
    found = _gaps(content, width, count).astype(np.int64)
    found += 1
    np.cumsum(found, out=found)
    found -= 1
    _check_last(int(found[-1]), rows)
    return found, np.frombuffer(content, np.uint8, count, offset=1 + width * count)


def _form(content: bytes) -> tuple[int, int]:
    """Return the width of a posting list's gaps, and how many rows it has."""
    width = content[0] if content else 0
    count, rest = divmod(len(content) - 1, width + 1)
    if width not in _WIDTHS or rest or not count:
        raise PostingsError("it is no list of rows")
    return width, count


def _gaps(content: bytes, width: int, count: int) -> NDArray[np.unsignedinteger]:
    return np.frombuffer(content, _WIDTHS[width], count, offset=1)


def _check_last(last: int, rows: int) -> None:
    if last >= rows:
        raise PostingsError("it lists rows that there are not")


class Scores:
    """The scores of all rows of a segment for one query: words are added, then the best are told."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._scores = np.zeros(rows, np.float32)

    def add(self, rows: NDArray[np.int64], parts: NDArray[np.uint8]) -> None:
        """Add what a word says about rows."""
        having = len(rows)
        rarity = math.log(1 + (self.rows - having + 0.5) / (having + 0.5))
        np.add.at(self._scores, rows, parts * np.float32(rarity * (K1 + 1) / _FULL))

    def best(
        self, limit: int, allowed: NDArray[np.bool_] | None, deleted: NDArray[np.bool_] | None
    ) -> dict[int, float]:
        """Return the rows with the highest scores, best first, equal ones in their order: at most ``limit``.

        ``allowed`` and ``deleted`` are masks, bool (rows,): what must and what must not be returned.
        """
        if allowed is not None:
            self._scores[~allowed] = 0
        if deleted is not None:
            self._scores[deleted] = 0
        if limit <= 0 or not self.rows:
            return {}
        found = self._promising(limit)
        scores = self._scores[found]
        order = np.lexsort((found, -scores))[:limit]
        return dict(zip(found[order].tolist(), scores[order].tolist(), strict=True))

    def _promising(self, limit: int) -> NDArray[np.int64]:
        """Return rows with scores above 0 among which the best ``limit`` are, and few others.

        So many blocks of rows have one at least that reaches what is the lowest of their highest: only blocks that do
        are looked at. (To order all scores that are not 0 takes fifteen times as long.)
        """
        highest = np.maximum.reduceat(self._scores, np.arange(0, self.rows, _BLOCK))
        least = np.partition(highest, -limit)[-limit] if limit < len(highest) else np.float32(0)
        least = max(least, np.finfo(np.float32).tiny)
        blocks = np.flatnonzero(highest >= least)[:, np.newaxis] * _BLOCK
        rows = (blocks + np.arange(_BLOCK)).reshape(-1)
        rows = rows[: np.searchsorted(rows, self.rows)]
        found: NDArray[np.int64] = rows[self._scores[rows] >= least]
        return found
