"""Vectors of a run that has not ended, in a file: one that is broken off need not embed again what it had embedded.

The file is named after the encoder, whose digest says whether vectors are comparable, and grows record by record: the
SHA-256 of a passage, its vector, and a checksum of both. Nothing is flushed to the disk: a record that a power cut has
spoilt, and whatever follows it, counts for nothing. Call all of it with the writers' lock held.
"""

from __future__ import annotations

import hashlib
import logging
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from pycontextify.snapshot.config import EncoderInfo
from pycontextify.store.layout import Layout

__all__ = ["KeptVectors", "keeping"]

_LOG = logging.getLogger(__name__)
_KEY_BYTES = 32


@contextmanager
def keeping(layout: Layout, info: EncoderInfo) -> Iterator[KeptVectors]:
    """Lend what an earlier run has left, to go on with; gone when the block ends well, kept when it does not.

    Where the disk fails nothing is kept, and nothing else goes wrong.
    """
    path = layout.kept_vectors(info.digest)
    kept = KeptVectors(path, info.dimension)
    try:
        yield kept
    finally:
        kept.close()
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _LOG.info("what a run had kept is left for later: %s", error.strerror)


class KeptVectors:
    """The vectors in a file, by their passages; for one thread. The file is there once something is in it."""

    def __init__(self, path: Path, dimension: int) -> None:
        self._path = path
        self._record = np.dtype([("key", "u1", _KEY_BYTES), ("vector", "<f4", dimension), ("sum", "<u4")])
        self._vectors: dict[bytes, NDArray[np.float32]] = {}
        self._file: BinaryIO | None = None
        self._failed = False
        with self._forgiving():
            self._read()

    def get(self, passage: str) -> NDArray[np.float32] | None:
        """Return the vector of a passage; None where it is not kept."""
        return self._vectors.get(_key(passage))

    def add(self, passages: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Keep vectors: row i, float32, is that of passage i."""
        if self._failed or not passages:
            return
        records = np.empty(len(passages), dtype=self._record)
        records["key"] = [np.frombuffer(_key(passage), dtype=np.uint8) for passage in passages]
        records["vector"] = vectors
        records["sum"] = [_checksum(record.tobytes()) for record in records]
        with self._forgiving():
            self._file = self._file or self._path.open("ab", buffering=0)
            self._file.write(records.tobytes())

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            with self._forgiving():
                self._file.close()

    def _read(self) -> None:
        """Read what is whole, and cut off the rest, so that what is added can be read as well."""
        if not self._path.exists():
            return
        content = self._path.read_bytes()
        whole = 0
        for record in np.frombuffer(content, dtype=self._record, count=len(content) // self._record.itemsize):
            if record["sum"] != _checksum(record.tobytes()):
                break
            self._vectors[record["key"].tobytes()] = record["vector"]
            whole += self._record.itemsize
        os.truncate(self._path, whole)

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        """Keep nothing more once the disk has failed: the rest of a record might stand before what is added then."""
        try:
            yield
        except OSError as error:
            self._failed = True
            _LOG.info("what is embedded can't be kept for another run: %s", error.strerror)


def _key(passage: str) -> bytes:
    return hashlib.sha256(passage.encode("utf-8", "surrogatepass")).digest()


def _checksum(record: bytes) -> int:
    return zlib.crc32(record[:-4])
