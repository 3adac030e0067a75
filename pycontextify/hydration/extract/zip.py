"""A strict reader of zip.

The entries must fill the file from its first byte to the central directory, in one row without gaps or overlaps, and
the central directory, the end records and the comment must fill the rest: what is around or between them is read
differently by different readers. Source: PKWARE APPNOTE 6.3.10, sections 4.3 (records), 4.4 (fields) and 4.5.3 (zip64).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO

from isal import igzip_lib, isal_zlib

from pycontextify.errors import ExtractError
from pycontextify.hydration.extract.limits import Budget
from pycontextify.hydration.extract.members import Member, shown, take
from pycontextify.hydration.extract.zipdir import (
    DEFLATED,
    Entry,
    find_directory,
    malformed,
    read_directory,
    read_local,
)
from pycontextify.hydration.transport import BUFFER

__all__ = ["zip_members"]

_DESCRIPTOR_MAGIC = b"PK\x07\x08"


def zip_members(file: BinaryIO, size: int, budget: Budget) -> Iterator[Member]:
    """Yield the members of a zip archive of ``size`` bytes, in the order of their content.

    Raises ExtractError.
    """
    directory = find_directory(file, size)
    budget.allow_members(directory.entries)
    entries = sorted(read_directory(file, directory), key=lambda entry: entry.start)
    budget.allow(sum(entry.size for entry in entries), size)
    starts = [*(entry.start for entry in entries), directory.start]
    if starts[0] != 0:
        raise malformed("something was put before the archive")
    for entry, (_, end) in zip(entries, pairwise(starts), strict=True):
        start = read_local(file, entry)
        _check_neighbour(file, entry, start + entry.packed, end)
        file.seek(start)
        yield Member(entry.name, entry.name.endswith("/"), entry.size, _content(file, entry, budget))


def _check_neighbour(file: BinaryIO, entry: Entry, content_end: int, end: int) -> None:
    """Check that nothing is between an entry's content and the next entry, except its own descriptor (4.3.9)."""
    gap = end - content_end
    between = b""
    if 0 < gap <= 24:
        file.seek(content_end)
        between = take(file, gap)
    elif gap:
        raise malformed(f"the member {shown(entry.name)} overlaps another one, or something is between them")
    narrow = struct.pack("<L2Q", entry.crc, entry.packed, entry.size)
    allowed = [narrow, _DESCRIPTOR_MAGIC + narrow]
    if max(entry.packed, entry.size) < 1 << 32:
        short = struct.pack("<3L", entry.crc, entry.packed, entry.size)
        allowed += [short, _DESCRIPTOR_MAGIC + short]
    if between not in (allowed if entry.has_descriptor else [b""]):
        raise malformed(f"the member {shown(entry.name)} is not followed by what should follow it")


def _content(file: BinaryIO, entry: Entry, budget: Budget) -> Iterator[bytes]:
    """Yield an entry's content; its size and checksum must turn out to be those declared."""
    pieces = _inflated(file, entry) if entry.method == DEFLATED else _stored(file, entry)
    size, crc = 0, 0
    for piece in pieces:
        size += len(piece)
        if size > entry.size:
            break
        crc = isal_zlib.crc32(piece, crc)
        budget.spend(len(piece), file.tell())
        yield piece
    if size != entry.size:
        raise ExtractError(f"the member {shown(entry.name)} has another size than declared", code="member_lies")
    if crc != entry.crc:
        raise malformed(f"the member {shown(entry.name)} fails its checksum")


def _stored(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    left = entry.packed
    while left:
        piece = take(file, min(BUFFER, left))
        left -= len(piece)
        yield piece


def _inflated(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
    packed = _stored(file, entry)
    while not inflater.eof:
        # No more than a buffer at a time comes out, whatever goes in.
        fresh = next(packed, b"") if inflater.needs_input else b""
        if inflater.needs_input and not fresh:
            raise malformed(f"the member {shown(entry.name)} ends too early")
        if piece := inflater.decompress(fresh, BUFFER):
            yield piece
    if inflater.unused_data or next(packed, b""):
        raise ExtractError(f"the member {shown(entry.name)} has more than declared", code="member_lies")
