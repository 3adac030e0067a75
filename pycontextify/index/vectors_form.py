"""The form of a vectors file, gone through before FAISS sees a byte of it.

FAISS must not be handed just any bytes. Version 1.15.1 copies from beyond the end of a mapped file that ends within a
number (the first 25 bytes of a good file are a segmentation fault); the kind that a file names chooses among some forty
readers, and one of these opens whatever other file it is told to. So two kinds pass, field by field as FAISS's
``write_index`` lays them out, with sizes that fit each other and the file's length to the byte:

    flat        head IxSQ, quantizer, how many bytes of codes, codes
    inverted    head IwSq, lists, lists to probe, head IxFI, how many numbers of centroids, centroids, no direct map,
                quantizer, bytes a code, residuals or not, ilar, lists, bytes a code, sizes of the lists (full or sprs),
                and for each list its codes and its row numbers

What the codes, the centroids and the row numbers are is not looked at here.
"""

from __future__ import annotations

from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pycontextify.errors import ValidateError

__all__ = ["check_form"]

_HEAD = Struct("<4siqqqBi")  # kind, dimension, rows, two that are unused, trained or not, metric
_QUANTIZER = Struct("<iifQQQ")  # type, two about its training, dimension, bytes a code, how much it has learned
_COUNT = Struct("<Q")
_DIRECT_MAP = Struct("<BQ")  # type, length
_CODING = Struct("<QB")  # bytes a code, residuals or not
_LISTS = Struct("<4sQQ4s")  # kind, lists, bytes a code, how their sizes are written

_FLAT, _INVERTED, _CENTROIDS, _ARRAYS = b"IxSQ", b"IwSq", b"IxFI", b"ilar"
_INNER_PRODUCT = 0  # faiss.METRIC_INNER_PRODUCT
_FP16 = 4  # faiss.ScalarQuantizer.QT_fp16
_CODE_BYTES = 2
_CENTROID_BYTES = 4
_ROW_BYTES = 8
_MOST_DIMENSIONS = 1 << 20  # FAISS takes no more
_LISTS_PER_ROOT = 16
"""Lists for each square root of the rows: four times what is written. FAISS needs memory for each, even if empty."""


def check_form(path: Path) -> None:
    """Check that a file is laid out as `write_vectors` lays it out.

    Raises ValidateError when it is not, OSError when it can't be read.
    """
    with path.open("rb") as file:
        reader = _Reader(file, size=path.stat().st_size, name=path.name)
        kind, dimension, rows = reader.head(_FLAT, _INVERTED)
        if kind == _FLAT:
            _check_flat(reader, dimension, rows)
        else:
            _check_inverted(reader, dimension, rows)


class _Reader:
    """A file that is read field by field, never past its end, and the errors that name it."""

    def __init__(self, file: BinaryIO, *, size: int, name: str) -> None:
        self._file = file
        self._name = name
        self.left = size

    def fields(self, form: Struct) -> tuple[Any, ...]:
        """Read the next fields."""
        return form.unpack(self._read(form.size))

    def numbers(self, count: int) -> NDArray[np.uint64]:
        """Read so many 64-bit numbers."""
        return np.frombuffer(self._read(count * 8), dtype="<u8")

    def skip(self, size: int) -> None:
        """Pass over so many bytes."""
        self.require(size <= self.left)
        self._file.seek(size, 1)
        self.left -= size

    def head(self, *kinds: bytes) -> tuple[bytes, int, int]:
        """Read what every index begins with, when it is of one of these kinds; return kind, dimension and rows."""
        kind, dimension, rows, _, _, trained, metric = self.fields(_HEAD)
        self.require(kind.isalnum())
        if kind not in kinds or metric != _INNER_PRODUCT:
            raise self.other_kind(kind)
        self.require(0 < dimension <= _MOST_DIMENSIONS and rows >= 0 and trained == 1)
        return kind, dimension, rows

    def require(self, holds: bool) -> None:  # noqa: FBT001 - what it is about stands in the call
        """Raise ValidateError unless something holds of a file of ours."""
        if not holds:
            raise ValidateError(
                "the vectors file is damaged or of no kind this version reads",
                code="vectors_unreadable",
                asset=self._name,
                hint="publish or hydrate the index again",
            )

    def other_kind(self, kind: bytes) -> ValidateError:
        """Return the error for an index of another kind."""
        return ValidateError(
            f"the vectors file holds an index of a kind that this version does not serve ({kind!r})",
            code="vectors_kind",
            asset=self._name,
            hint="build the index with `pycontextify index`",
        )

    def _read(self, size: int) -> bytes:
        self.require(size <= self.left)
        content = self._file.read(size)
        self.require(len(content) == size)
        self.left -= size
        return content


def _check_flat(reader: _Reader, dimension: int, rows: int) -> None:
    _check_quantizer(reader, dimension)
    (codes,) = reader.fields(_COUNT)
    reader.require(codes == rows * dimension * _CODE_BYTES == reader.left)


def _check_inverted(reader: _Reader, dimension: int, rows: int) -> None:
    lists, _ = reader.fields(Struct("<QQ"))
    reader.require(lists > 0 and lists**2 <= _LISTS_PER_ROOT**2 * rows)
    _check_centroids(reader, dimension, lists)
    reader.require(reader.fields(_DIRECT_MAP) == (0, 0))
    _check_quantizer(reader, dimension)
    code_bytes, residuals = reader.fields(_CODING)
    reader.require(code_bytes == dimension * _CODE_BYTES)
    if residuals:
        raise reader.other_kind(_INVERTED + b" of residuals")
    _check_lists(reader, dimension, lists, rows)


def _check_centroids(reader: _Reader, dimension: int, lists: int) -> None:
    _, centroid_dimension, centroids = reader.head(_CENTROIDS)
    (numbers,) = reader.fields(_COUNT)
    reader.require((centroid_dimension, centroids, numbers) == (dimension, lists, lists * dimension))
    reader.skip(numbers * _CENTROID_BYTES)


def _check_quantizer(reader: _Reader, dimension: int) -> None:
    quantizer, _, _, coded_dimension, code_bytes, learned = reader.fields(_QUANTIZER)
    if quantizer != _FP16:
        raise reader.other_kind(f"quantizer {quantizer}".encode())
    reader.require((coded_dimension, code_bytes, learned) == (dimension, dimension * _CODE_BYTES, 0))


def _check_lists(reader: _Reader, dimension: int, lists: int, rows: int) -> None:
    kind, count, code_bytes, writing = reader.fields(_LISTS)
    if kind != _ARRAYS:
        raise reader.other_kind(kind)
    reader.require((count, code_bytes) == (lists, dimension * _CODE_BYTES))
    sizes = _list_sizes(reader, writing, lists)
    # A sum of 64-bit numbers may wrap around; of those that are no greater than the rows, as many as this, it can't.
    reader.require(int(sizes.max()) <= rows and int(sizes.sum()) == rows)
    reader.require(rows * (dimension * _CODE_BYTES + _ROW_BYTES) == reader.left)


def _list_sizes(reader: _Reader, writing: bytes, lists: int) -> NDArray[np.uint64]:
    (count,) = reader.fields(_COUNT)
    if writing == b"full":
        reader.require(count == lists)
        return reader.numbers(count)
    # Where most are empty: pairs of a list's number and its size.
    reader.require(writing == b"sprs" and 0 < count <= 2 * lists and count % 2 == 0)
    pairs = reader.numbers(count).reshape(-1, 2)
    reader.require(int(pairs[:, 0].max()) < lists and len(np.unique(pairs[:, 0])) == len(pairs))
    return pairs[:, 1]
