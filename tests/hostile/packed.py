"""Hostile packings of a good tar archive."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import zstandard

from tests.hostile.case import ZEROS, Case
from tests.hostile.tars import END, PAIR, block, entry
from tests.hostile.zips import GOOD_ZIP

__all__ = ["PACKED"]

_GOOD = PAIR + END


def _gz(content: bytes = _GOOD) -> bytes:
    return gzip.compress(content, 1, mtime=0)


def _named(name: bytes) -> bytes:
    """A gzip file whose header has a name (RFC 1952, 2.3.1)."""
    packed = _gz()
    return packed[:3] + b"\x08" + packed[4:10] + name + b"\0" + packed[10:]


def _zst(content: bytes = _GOOD) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


def _zeros() -> bytes:
    """A member that nobody wants, of nothing but zeros."""
    return PAIR + block(b"zeros", ZEROS) + bytes(ZEROS) + END


def _flipped(content: bytes, at: int) -> bytes:
    at %= len(content)
    return content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :]


def _frame(*blocks: bytes, descriptor: bytes = b"\x00\x58") -> bytes:
    """A zstd frame put together by hand; without checksum, of unknown size, with a window of 2 MiB."""
    return b"\x28\xb5\x2f\xfd" + descriptor + b"".join(blocks)


def _repeat(size: int, *, last: bool) -> bytes:
    """A block of ``size`` zeros in four bytes."""
    return (size << 3 | 1 << 1 | last).to_bytes(3, "little") + b"\0"


def _crumbs(pack: Callable[[bytes], bytes]) -> bytes:
    """A good archive, packed a few bytes at a time."""
    content = PAIR + entry(b"a.md", b"a good text, and a long one" * 4000) + END
    return b"".join(pack(content[at : at + 40]) for at in range(0, len(content), 40))


_EMPTY = bytes(3)
_LAST = b"\1\0\0"


def _case(name: str, file_name: str, code: str, build: Callable[[], bytes]) -> Case:
    return Case(name, file_name, build, code)


_GZIPPED = [
    _case("bomb", "a.tar.gz", "archive_bomb", lambda: _gz(_zeros())),
    _case("bomb behind the end", "a.tar.gz", "archive_bomb", lambda: _gz(_GOOD + bytes(ZEROS))),
    _case("cut", "a.tar.gz", "archive_truncated", lambda: _gz()[:-1000]),
    _case("cut after the header", "a.tar.gz", "archive_truncated", lambda: _gz()[:10]),
    _case("cut in the trailer", "a.tar.gz", "archive_truncated", lambda: _gz()[:-1]),
    _case("wrong checksum", "a.tar.gz", "archive_corrupt", lambda: _flipped(_gz(), -8)),
    _case("wrong size", "a.tar.gz", "archive_corrupt", lambda: _flipped(_gz(), -4)),
    _case("garbage behind it", "a.tar.gz", "archive_corrupt", lambda: _gz() + b"garbage" * 9),
    _case("crumbs behind it", "a.tar.gz", "archive_truncated", lambda: _gz() + b"x"),
    _case("a second member behind the end", "a.tar.gz", "archive_trailing", lambda: _gz() + _gz()),
    _case("no tar inside", "a.tar.gz", "archive_corrupt", lambda: _gz(b"x" * 5000)),
    _case("empty members without end", "a.tar.gz", "archive_bomb", lambda: _gz() + _gz(b"") * 20_000),
    _case("members of a few bytes", "a.tar.gz", "archive_bomb", lambda: _crumbs(_gz)),
    _case("nothing inside", "a.tar.gz", "archive_truncated", lambda: _gz(b"")),
    _case("packed twice", "a.tar.gz", "archive_corrupt", lambda: _gz(_gz())),
    _case("packed as something else", "a.tar.gz", "archive_corrupt", lambda: _gz(_zst())),
    _case("a name without end", "a.tar.gz", "archive_bomb", lambda: _named(b"a" * 600_000)),
    _case("a deflate stream without its header", "a.tar.gz", "archive_kind_unknown", lambda: _gz()[10:]),
    _case("an unknown method", "a.tar.gz", "archive_corrupt", lambda: _flipped(_gz(), 2)),
    _case("a zip inside", "a.tar.gz", "archive_corrupt", lambda: _gz(GOOD_ZIP)),
]

_ZSTANDARD = [
    _case("bomb", "a.tar.zst", "archive_bomb", lambda: _zst(_zeros())),
    _case(
        "bomb of repeats",
        "a.tar.zst",
        "archive_bomb",
        lambda: _zst() + _frame(_repeat(1 << 17, last=False) * 1000, _LAST),
    ),
    _case(
        "bomb with the largest window",
        "a.tar.zst",
        "archive_bomb",
        lambda: _zst() + _frame(_repeat(1 << 17, last=False) * 2000, _LAST, descriptor=b"\x00\x88"),
    ),
    _case("cut", "a.tar.zst", "archive_truncated", lambda: _zst()[:-1000]),
    _case("cut in the checksum", "a.tar.zst", "archive_truncated", lambda: _zst()[:-1]),
    _case("without its last block", "a.tar.zst", "archive_truncated", lambda: _zst() + _frame(_EMPTY)),
    _case("wrong checksum", "a.tar.zst", "archive_corrupt", lambda: _flipped(_zst(), -1)),
    _case("unknown block", "a.tar.zst", "archive_corrupt", lambda: _zst() + _frame(b"\7\0\0")),
    _case("garbage behind it", "a.tar.zst", "archive_corrupt", lambda: _zst() + b"garbage"),
    _case("crumbs behind it", "a.tar.zst", "archive_corrupt", lambda: _zst() + b"x"),
    _case("a second archive behind it", "a.tar.zst", "archive_trailing", lambda: _zst() + _zst()),
    _case("a window of gigabytes", "a.tar.zst", "archive_corrupt", lambda: _frame(_LAST, descriptor=b"\x00\xa8")),
    _case("packed twice", "a.tar.zst", "archive_corrupt", lambda: _zst(_zst())),
    _case("a reserved bit", "a.tar.zst", "archive_corrupt", lambda: _frame(_LAST, descriptor=b"\x08\x58")),
    _case("a size that lies", "a.tar.zst", "archive_corrupt", lambda: _frame(_LAST, descriptor=b"\x20\x05")),
    _case(
        "a skippable frame of filler",
        "a.tar.zst",
        "archive_bomb",
        lambda: _zst() + b"\x50\x2a\x4d\x18" + (600_000).to_bytes(4, "little") + bytes(600_000),
    ),
    _case("a dictionary", "a.tar.zst", "archive_corrupt", lambda: _frame(_LAST, descriptor=b"\x01\x58\x07")),
    _case("blocks without end", "a.tar.zst", "archive_bomb", lambda: _zst() + _frame(_EMPTY * 100_000, _LAST)),
    _case("empty frames without end", "a.tar.zst", "archive_bomb", lambda: _zst() + _frame(_LAST) * 50_000),
    _case("frames of a few bytes", "a.tar.zst", "archive_bomb", lambda: _crumbs(_zst)),
    _case(
        "a skippable frame beyond the end",
        "a.tar.zst",
        "archive_truncated",
        lambda: _zst() + b"\x50\x2a\x4d\x18\xff\xff\0\0",
    ),
]

PACKED: tuple[Case, ...] = (*_GZIPPED, *_ZSTANDARD)
