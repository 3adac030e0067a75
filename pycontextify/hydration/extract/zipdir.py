"""The directory of a zip archive: where its entries are and what it says of them, checked twice.

An entry is described in the central directory and once more before its content; both must say the same.
"""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass
from typing import BinaryIO

from pycontextify.errors import ExtractError
from pycontextify.hydration.extract.members import shown, take, truncated

__all__ = [
    "DEFLATED",
    "STORED",
    "Directory",
    "Entry",
    "find_directory",
    "malformed",
    "read_directory",
    "read_local",
]

STORED, DEFLATED = 0, 8

_END = struct.Struct("<4s4H2LH")  # 4.3.16
_LOCATOR = struct.Struct("<4sLQL")  # 4.3.15
_END64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_CENTRAL = struct.Struct("<4s6H3L5H2L")  # 4.3.12
_LOCAL = struct.Struct("<4s5H3L2H")  # 4.3.7
_END_MAGIC, _LOCATOR_MAGIC, _END64_MAGIC = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"
_CENTRAL_MAGIC, _LOCAL_MAGIC = b"PK\x01\x02", b"PK\x03\x04"
_LONGEST_COMMENT = 0xFFFF
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_ZIP64 = 1
_DIRECTORY_LIMIT = 16 * 1024 * 1024

_ENCRYPTED = 0x0001 | 0x0040 | 0x2000  # 4.4.4: traditional, strong, masked headers
_PATCHED = 0x0020
_DESCRIPTOR = 0x0008
_UTF8 = 0x0800
_REPARSE_POINT = 0x0400


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory is (bytes from the start of the file) and how many entries it has."""

    start: int
    end: int
    entries: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What the central directory says of a member. Sizes and ``start`` are in bytes."""

    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    start: int

    @property
    def name(self) -> str:
        """The name as text; without the flag for UTF-8 it is in the old IBM code page, which has a letter for all."""
        return self.raw_name.decode("utf-8" if self.flags & _UTF8 else "cp437", "surrogateescape")

    @property
    def has_descriptor(self) -> bool:
        """Whether sizes and checksum follow the content, for a writer that did not know them before."""
        return bool(self.flags & _DESCRIPTOR)


def find_directory(file: BinaryIO, size: int) -> Directory:
    """Find the central directory of an archive of ``size`` bytes by the record that must end it.

    Raises ExtractError.
    """
    tail_start = max(0, size - _LONGEST_COMMENT - _END.size - _LOCATOR.size - _END64.size)
    file.seek(tail_start)
    tail = take(file, size - tail_start)
    at = _find_end(tail)
    _, disk, start_disk, here, entries, length, start, _ = _END.unpack_from(tail, at)
    end = tail_start + at
    if (disk, start_disk) != (0, 0) or here != entries:
        raise malformed("it is one part of several")
    if at >= _LOCATOR.size and tail[at - _LOCATOR.size :].startswith(_LOCATOR_MAGIC):
        end, entries, length, start = _read_end64(tail, tail_start, at, (entries, length, start))
    if start + length != end:
        raise malformed("its directory is not where it says, or something was put before the archive")
    if length > _DIRECTORY_LIMIT:
        raise ExtractError("its directory is too large", code="archive_too_many_members")
    return Directory(start, end, entries)


def _find_end(tail: bytes) -> int:
    """Return where the end record is: the one place from where it and its comment lead to the end of the file."""
    places, at = [], tail.find(_END_MAGIC)
    found = at >= 0
    while at >= 0:
        if at + _END.size <= len(tail) and at + _END.size + _END.unpack_from(tail, at)[7] == len(tail):
            places.append(at)
        at = tail.find(_END_MAGIC, at + 1)
    if len(places) == 1:
        return places[0]
    if places:
        raise malformed("it has several ends")
    if found:
        raise ExtractError("it has more after its end, or ends too early", code="archive_trailing")
    raise truncated()


def _read_end64(tail: bytes, tail_start: int, at: int, small: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Return where the zip64 end record is, and the three numbers that it has instead of the ``small`` ones."""
    here = at - _LOCATOR.size - _END64.size
    _, disk, where, disks = _LOCATOR.unpack_from(tail, at - _LOCATOR.size)
    if here < 0 or where != tail_start + here or disk != 0 or disks > 1:
        raise malformed("its zip64 end record is not where it says")
    magic, length, _, _, disk, start_disk, count, entries, size, start = _END64.unpack_from(tail, here)
    if magic != _END64_MAGIC or length != _END64.size - 12 or (disk, start_disk) != (0, 0) or count != entries:
        raise malformed("its zip64 end record is malformed")
    fulls = (_FULL16, _FULL32, _FULL32)
    if any(old not in (full, new) for old, full, new in zip(small, fulls, (entries, size, start), strict=True)):
        raise malformed("its two end records differ")
    return where, entries, size, start


def read_directory(file: BinaryIO, directory: Directory) -> list[Entry]:
    """Return the entries in the order of the directory; raises ExtractError."""
    file.seek(directory.start)
    content = take(file, directory.end - directory.start)
    entries, at = list[Entry](), 0
    for _ in range(directory.entries):
        if content[at : at + 4] != _CENTRAL_MAGIC or at + _CENTRAL.size > len(content):
            raise malformed("its directory is malformed")
        fields = _CENTRAL.unpack_from(content, at)
        name_length, extra_length, comment_length = fields[10:13]
        extra_start = at + _CENTRAL.size + name_length
        at = extra_start + extra_length + comment_length
        if at > len(content):
            raise malformed("its directory is malformed")
        name = content[extra_start - name_length : extra_start]
        entries.append(_entry(fields, name, content[extra_start : extra_start + extra_length]))
    if at != len(content):
        raise malformed("its directory has more than its entries")
    return entries


def read_local(file: BinaryIO, entry: Entry) -> int:
    """Check what stands before an entry's content, and return where the content starts; raises ExtractError."""
    file.seek(entry.start)
    magic, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack(take(file, _LOCAL.size))
    name, extra = take(file, name_length), take(file, extra_length)
    size, packed, _ = _widen(extra, size, packed, 0)
    level = 0x0006  # how hard the writer tried: some note it in one place only
    same = (magic, name, method) == (_LOCAL_MAGIC, entry.raw_name, entry.method)
    told = ((crc, entry.crc), (packed, entry.packed), (size, entry.size))
    for here, there in told:
        same = same and (here == there or (entry.has_descriptor and here == 0))
    if not same or (flags ^ entry.flags) & ~level:
        raise ExtractError(f"the member {shown(entry.name)} is described in two ways", code="member_lies")
    return entry.start + _LOCAL.size + len(name) + len(extra)


def malformed(what: str) -> ExtractError:
    """Return the error for an archive whose parts do not fit together."""
    return ExtractError(what, code="archive_corrupt", hint="publish it again")


def _entry(fields: tuple[int, ...], raw_name: bytes, extra: bytes) -> Entry:
    _, made_by, _, flags, method, _, _, crc, packed, size, _, _, _, disk, _, attributes, start = fields
    size, packed, start = _widen(extra, size, packed, start)
    entry = Entry(raw_name, flags, method, crc, packed, size, start)
    if disk != 0:
        raise malformed("it is one part of several")
    if flags & _ENCRYPTED:
        raise ExtractError(f"the member {shown(entry.name)} is encrypted", code="member_encrypted")
    if method not in (STORED, DEFLATED) or flags & _PATCHED:
        raise ExtractError(
            f"the member {shown(entry.name)} is compressed by method {method}",
            code="member_compression_unsupported",
            hint="use deflate, or no compression",
        )
    _check_regular(entry, made_by >> 8, attributes)
    return entry


def _check_regular(entry: Entry, system: int, attributes: int) -> None:
    """Refuse links and devices; the upper half of the attributes is the mode that Unix gives a file (0: unknown)."""
    kind = stat.S_IFMT(attributes >> 16)
    expected = stat.S_IFDIR if entry.name.endswith("/") else stat.S_IFREG
    linked = system != 3 and attributes & _REPARSE_POINT  # 3: Unix, where these bits mean nothing
    if kind not in (0, expected) or linked:
        raise ExtractError(f"the member {shown(entry.name)} is a link, a device or the like", code="member_not_regular")
    if entry.name.endswith("/") and entry.size:
        raise malformed(f"the directory {shown(entry.name)} has a size")


def _widen(extra: bytes, size: int, packed: int, start: int) -> tuple[int, int, int]:
    """Return the three numbers, those of all ones replaced by what the zip64 extra field says (in this order)."""
    wide, at = b"", 0
    while at < len(extra):
        if at + 4 > len(extra):
            break  # some writers pad with less than a field
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == _ZIP64:
            if wide:
                raise malformed("an entry has two zip64 fields")
            wide = extra[at + 4 : at + 4 + length]
        at += 4 + length
    numbers = []
    for number in (size, packed, start):
        if number != _FULL32:
            numbers.append(number)
        elif len(wide) < 8:
            raise malformed("an entry's zip64 field is too short")
        else:
            numbers.append(int.from_bytes(wide[:8], "little"))
            wide = wide[8:]
    return numbers[0], numbers[1], numbers[2]
