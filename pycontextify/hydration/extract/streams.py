"""How what an archive is packed in is unpacked: in bounded memory, and whole.

Unpackers are fed so little at a time that whatever comes out of one feed fits in memory, and they tell where a stream
ends. (zstandard's file-like reader can't tell one that ended from one that was cut.)
"""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterator
from typing import BinaryIO, Protocol, cast

import zstandard
from isal import isal_zlib

from pycontextify.hydration.extract.kind import TarKind
from pycontextify.hydration.extract.limits import Budget, filler
from pycontextify.hydration.extract.members import malformed, truncated
from pycontextify.hydration.transfer.transport import BUFFER

__all__ = ["DEFLATE_FEED", "TarStream", "inflater", "unpack_one"]

DEFLATE_FEED = 16 * 1024
"""Bytes fed at a time: 17 MB come out at most (deflate reaches 1,032)."""
# zstd: 17 MB as well, as a block of 4 bytes may stand for 128 KiB.
_FEEDS: dict[TarKind, int] = {"tar": BUFFER, "tar.gz": DEFLATE_FEED, "tar.zst": 512}
_STREAM = 1024
"""What it costs to begin a stream, in bytes."""
_GZIP, _RAW = 31, -15
_ERRORS = (zstandard.ZstdError, cast("type[Exception]", isal_zlib.error))


class _Unpacker(Protocol):
    """What zlib, isal and zstandard have in common; good for one gzip member, deflate stream or zstd frame."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class TarStream:
    """The bytes of a tar archive in ``file``, packed as ``kind`` says, counted against the budget.

    Reading raises ExtractError.
    """

    def __init__(self, file: BinaryIO, kind: TarKind, budget: Budget) -> None:
        self._budget = budget
        self._packed = self._unpacked = self._position = self._streams = 0
        self._pieces = filter(None, _unpacked(self._feeds(file, _FEEDS[kind]), kind, self._begin))
        self._piece = io.BytesIO()

    def tell(self) -> int:
        """Return how many bytes have been read."""
        return self._position

    def read(self, size: int, /) -> bytes:
        """Return ``size`` bytes, fewer only at the end."""
        parts, missing = list[bytes](), size
        while missing:
            if part := self._piece.read(missing):
                parts.append(part)
                missing -= len(part)
            elif piece := next(self._pieces, b""):
                self._unpacked += len(piece)
                self._budget.spend(len(piece), self._packed)
                self._piece = io.BytesIO(piece)
            else:
                break
        self._position += size - missing
        return b"".join(parts)

    def _feeds(self, file: BinaryIO, size: int) -> Iterator[bytes]:
        while fed := file.read(size):
            self._packed += len(fed)
            # Masses of empty members, frames or blocks unpack to nothing and only cost time.
            if error := filler(self._packed, self._unpacked):
                raise error
            yield fed

    def _begin(self) -> None:
        """Count a gzip member or zstd frame; masses of those that bring a few bytes each only cost time."""
        self._streams += 1
        if error := filler(self._streams * _STREAM, self._unpacked):
            raise error


def inflater() -> _Unpacker:
    """Return an unpacker of one deflate stream."""
    return cast("_Unpacker", isal_zlib.decompressobj(wbits=_RAW))


def unpack_one(unpacker: _Unpacker, fed: bytes, packed: Iterator[bytes]) -> Generator[bytes, None, bytes]:
    """Yield what ``fed`` and then ``packed`` unpack to, up to the end of the one stream that ``unpacker`` is good for.

    Return what has been fed beyond it. Raises ExtractError when the stream is damaged or ends too early.
    """
    while not unpacker.eof:
        fed = fed or next(packed, b"")
        if not fed:
            raise truncated()
        try:
            piece = unpacker.decompress(fed)
        except _ERRORS as error:
            raise malformed(f"it can't be unpacked ({error})") from error
        fed = b""
        yield piece
    return unpacker.unused_data


def _unpacked(packed: Iterator[bytes], kind: TarKind, begin: Callable[[], None]) -> Iterator[bytes]:
    match kind:
        case "tar":
            return packed
        case "tar.gz":
            return _unpack_all(packed, lambda: isal_zlib.decompressobj(wbits=_GZIP), begin)
        case "tar.zst":
            zstd = zstandard.ZstdDecompressor()  # a frame may ask it for 128 MiB of memory, and no more
            return _unpack_all(packed, lambda: cast("_Unpacker", zstd.decompressobj()), begin)


def _unpack_all(
    packed: Iterator[bytes], unpacker: Callable[[], _Unpacker], begin: Callable[[], None]
) -> Iterator[bytes]:
    """Unpack one gzip member or zstd frame after the other; nothing else may stand between or behind them."""
    fed = next(packed, b"")
    while fed:
        begin()
        fed = (yield from unpack_one(unpacker(), fed, packed)) or next(packed, b"")
