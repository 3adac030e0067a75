"""How what an archive is packed in is unpacked: in bounded memory, and whole.

Every unpacker here is of the standard library's form: it hands out no more at once than it is asked for, however much a
few bytes stand for, and tells where a stream ends.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Generator, Iterator
from typing import BinaryIO, Protocol, cast

from isal import igzip_lib

from pycontextify.hydration.extract.kind import TarKind
from pycontextify.hydration.extract.limits import Budget, filler
from pycontextify.hydration.extract.members import malformed, truncated
from pycontextify.hydration.transfer.transport import BUFFER

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["TarStream", "inflater", "unpack_one"]

_STREAM = 1024
"""What it costs to begin a stream, in bytes."""
_ERRORS = (zstd.ZstdError, cast("type[Exception]", igzip_lib.IsalError))


class _Unpacker(Protocol):
    """Good for one gzip member, deflate stream or zstd frame; bz2 and lzma of the standard library have the same."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class TarStream:
    """The bytes of a tar archive in ``file``, packed as ``kind`` says, counted against the budget.

    Reading raises ExtractError.
    """

    def __init__(self, file: BinaryIO, kind: TarKind, budget: Budget) -> None:
        self._budget = budget
        self._packed = self._unpacked = self._position = self._streams = 0
        self._pieces = filter(None, _unpacked(self._feeds(file), kind, self._begin))
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

    def _feeds(self, file: BinaryIO) -> Iterator[bytes]:
        while fed := file.read(BUFFER):
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
    return cast("_Unpacker", igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE))


def unpack_one(unpacker: _Unpacker, fed: bytes, packed: Iterator[bytes]) -> Generator[bytes, None, bytes]:
    """Yield what ``fed`` and then ``packed`` unpack to, up to the end of the one stream that ``unpacker`` is good for.

    Return what has been fed beyond it. Raises ExtractError when the stream is damaged or ends too early.
    """
    while not unpacker.eof:
        if unpacker.needs_input:
            fed = fed or next(packed, b"")
            if not fed:
                raise truncated()
        try:
            piece = unpacker.decompress(fed, BUFFER)
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
            return _unpack_all(packed, lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP), begin)
        case "tar.zst":
            # A frame may ask for 128 MiB of memory, and no more.
            return _unpack_all(packed, lambda: cast("_Unpacker", zstd.ZstdDecompressor()), begin)


def _unpack_all(
    packed: Iterator[bytes], unpacker: Callable[[], _Unpacker], begin: Callable[[], None]
) -> Iterator[bytes]:
    """Unpack one gzip member or zstd frame after the other; nothing else may stand between or behind them."""
    fed = next(packed, b"")
    while fed:
        begin()
        fed = (yield from unpack_one(unpacker(), fed, packed)) or next(packed, b"")
