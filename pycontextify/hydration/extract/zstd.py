"""zstd frames, walked through before they are unpacked.

The library can't tell a stream that was cut from one that ended, so the frames' own structure is followed first: every
block says how long it is. It costs one small read per 128 KiB of content. Source: RFC 8878, section 3.1.
"""

from __future__ import annotations

from typing import BinaryIO

from pycontextify.errors import ExtractError
from pycontextify.hydration.extract.members import take, truncated

__all__ = ["MAX_WINDOW", "check_frames"]

MAX_WINDOW = 1 << 27
"""The most memory, in bytes, that a frame may ask for to be unpacked: what the zstd tool allows by default."""

_MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_REPEATED, _RESERVED = 1, 3
_FIELD_LENGTHS = (0, 2, 4, 8)
_DICTIONARY_LENGTHS = (0, 1, 2, 4)


def check_frames(file: BinaryIO, size: int) -> None:
    """Check that the file, of ``size`` bytes, is whole zstd frames and nothing else.

    Raises ExtractError.
    """
    # A block holds up to 128 KiB, and less only where the writer flushed; masses of tiny ones do nothing but cost time.
    steps, steps_allowed, at = 0, 4096 + size // 1024, 0
    while at < size:
        at, blocks = _skip_frame(file, at, steps_allowed - steps)
        steps += 1 + blocks
    if at > size:
        raise truncated()


def _skip_frame(file: BinaryIO, at: int, blocks_allowed: int) -> tuple[int, int]:
    """Return where the frame that starts ``at`` ends, and how many blocks it has."""
    file.seek(at)
    magic = take(file, 4)
    if int.from_bytes(magic, "little") in _SKIPPABLE:
        return at + 8 + int.from_bytes(take(file, 4), "little"), 0
    if magic != _MAGIC:
        raise ExtractError("it has more after its end", code="archive_trailing")
    descriptor = take(file, 1)[0]
    at += 5 + _header_length(descriptor)
    for blocks in range(1, blocks_allowed + 1):
        file.seek(at)
        block = int.from_bytes(take(file, 3), "little")
        kind = block >> 1 & 3
        if kind == _RESERVED:
            raise ExtractError("a block is of an unknown kind", code="archive_corrupt", hint="publish it again")
        at += 3 + (1 if kind == _REPEATED else block >> 3)
        if block & 1:
            return at + (4 if descriptor & 4 else 0), blocks
    raise ExtractError("it is made of too many blocks", code="archive_bomb")


def _header_length(descriptor: int) -> int:
    """Return the length in bytes of what follows the descriptor: window, dictionary id, content size (3.1.1.1)."""
    single, dictionary, content = descriptor >> 5 & 1, descriptor & 3, descriptor >> 6
    content_length = _FIELD_LENGTHS[content] or single
    return (1 - single) + _DICTIONARY_LENGTHS[dictionary] + content_length
