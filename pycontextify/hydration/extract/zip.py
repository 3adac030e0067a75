"""The members of a zip archive: zipfile reads the directory, we check it against the rest of the file.

zipfile takes whatever surrounds or contradicts its entries. Here they must fill the file from its first byte to the
directory, in one row without gaps or overlaps, the directory and the end records must fill the rest, and what is said
twice must be the same. Content is unpacked as that of tar archives is, because zipfile's reader of members stops at the
declared size and never looks at what a deflate stream leaves over.
Source: PKWARE APPNOTE 6.3.10, sections 4.3 (records), 4.4 (fields) and 4.5.3 (zip64).
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Iterator
from itertools import pairwise, product
from typing import BinaryIO

from isal import isal_zlib

from pycontextify.errors import ExtractError
from pycontextify.hydration.extract.limits import Budget, filler
from pycontextify.hydration.extract.members import Member, malformed, pieces, shown, take, truncated
from pycontextify.hydration.extract.streams import inflater, unpack_one

__all__ = ["zip_members"]

_DIRECTORY_LIMIT = 4 * 1024 * 1024
_CENTRAL_SIZE = 46  # 4.3.12
_LOCAL = struct.Struct("<4s5H3L2H")  # 4.3.7
_END = struct.Struct("<4s4H2LH")  # 4.3.16
_END64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_LOCATOR = struct.Struct("<4sLQL")  # 4.3.15
_EXTRA = struct.Struct("<2H")  # 4.5.1
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF

_ENCRYPTED = 0x0001 | 0x0040 | 0x2000  # 4.4.4: traditional, strong, masked headers
_PATCHED = 0x0020
_DESCRIBED = 0x0008  # sizes and checksum follow the content, for a writer that did not know them before
_LEVEL = 0x0006  # how hard the writer tried: some note it in one place only
_UTF8 = 0x0800
_VOLUME, _DIRECTORY, _REPARSE_POINT = 0x0008, 0x0010, 0x0400  # attributes of DOS and Windows
_UNIX = 3
_SET_ID = 0o7000
_COMMENT_LIMIT = 1024
_UNICODE_PATH = 0x7075  # 4.6.9


class _Modest(io.BufferedReader):
    """A file of which no more than a sane directory is read at once; zipfile reads the whole one at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _DIRECTORY_LIMIT:
            raise ExtractError("its directory is too large", code="archive_too_many_members")
        return super().read(size)


def zip_members(packed: BinaryIO, budget: Budget) -> Iterator[Member]:
    """Yield the members of a zip archive, in the order of their content.

    Raises ExtractError.
    """
    file = _Modest(io.FileIO(packed.fileno(), closefd=False))
    try:
        if not zipfile.is_zipfile(file):  # which looks for the end alone; packed_kind has seen the beginning
            raise truncated()
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error) as error:
        raise malformed(f"its directory can't be read ({error})") from error
    entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    _check_ends(file, archive)
    _check_comment(archive.comment)
    starts = [*(entry.header_offset for entry in entries), archive.start_dir]
    if starts[0] != 0:
        raise malformed("something was put before the archive")
    for entry, (_, end) in zip(entries, pairwise(starts), strict=True):
        _check_kind(entry)
        start = _check_local(file, entry)
        _check_neighbour(file, entry, start + entry.compress_size, end)
        file.seek(start)
        yield Member(entry.orig_filename, entry.orig_filename.endswith("/"), _content(file, entry, budget))


def _content(file: BinaryIO, entry: zipfile.ZipInfo, budget: Budget) -> Iterator[bytes]:
    """Yield an entry's content; its size and checksum must turn out to be those declared."""
    if error := filler(entry.compress_size, entry.file_size):
        raise error
    size, crc = 0, 0
    for piece in _inflated(file, entry) if entry.compress_type else pieces(file, entry.compress_size):
        size += len(piece)
        if size > entry.file_size:
            break
        crc = isal_zlib.crc32(piece, crc)
        budget.spend(len(piece), file.tell())
        yield piece
    if size != entry.file_size:
        raise _lying(entry, "has another size than declared")
    if crc != entry.CRC:
        raise malformed(f"the member {shown(entry.orig_filename)} fails its checksum")


def _inflated(file: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    packed = pieces(file, entry.compress_size)
    unused = yield from unpack_one(inflater(), b"", packed)
    if unused or next(packed, b""):
        raise _lying(entry, "has more than declared")


def _check_ends(file: BinaryIO, archive: zipfile.ZipFile) -> None:
    """Check that what zipfile has made of the end of the file is all that there is."""
    entries = archive.infolist()
    lengths = (_CENTRAL_SIZE + len(_raw_name(entry) + entry.extra + entry.comment) for entry in entries)
    count, length, start = len(entries), sum(lengths), archive.start_dir
    file.seek(start + length)
    rest = file.read(_END64.size + _LOCATOR.size + _END.size + _FULL16 + 1)
    wide = rest[: _END64.size + _LOCATOR.size] if rest.startswith(b"PK\x06\x06") else b""
    rest = rest[len(wide) :]
    if len(rest) < _END.size:
        raise malformed("its directory is not where it says")
    magic, disk, start_disk, here, *told, comment = _END.unpack_from(rest)
    narrow = zip((count, length, start), (_FULL16, _FULL32, _FULL32), told, strict=True)
    fits = all(number == true or (wide and number == full) for true, full, number in narrow)
    if (magic, disk, start_disk, here) != (b"PK\x05\x06", 0, 0, told[0]) or not fits:
        raise malformed("its end does not fit its directory, or it is one part of several")
    if wide and not _fits_wide(wide, count, length, start):
        raise malformed("its two end records differ")
    if len(rest) != _END.size + comment:
        raise ExtractError("it has more after its end, or ends too early", code="archive_trailing")


def _fits_wide(wide: bytes, count: int, length: int, start: int) -> bool:
    """Tell whether a zip64 end record and its locator say the same as the directory; any version may have made them."""
    _, _, made_by, needed, *_ = _END64.unpack_from(wide)
    record = _END64.pack(b"PK\x06\x06", _END64.size - 12, made_by, needed, 0, 0, count, count, length, start)
    return wide in (record + _LOCATOR.pack(b"PK\x06\x07", 0, start + length, disks) for disks in (0, 1))


def _check_comment(comment: bytes) -> None:
    """Check that the comment is a short text: as it stands at the end, any other kind of file could hide in it."""
    try:
        text = comment.decode()
    except UnicodeDecodeError:
        text = "\0"
    if len(comment) > _COMMENT_LIMIT or not all(line.isprintable() for line in text.splitlines()):
        raise malformed("its comment is no short text")


def _check_kind(entry: zipfile.ZipInfo) -> None:
    """Refuse what needs more than inflating, and links and devices (4.4.15: for Unix, the upper half is the mode)."""
    name, directory = shown(entry.orig_filename), entry.orig_filename.endswith("/")
    if entry.volume != 0:
        raise malformed("it is one part of several")
    if entry.flag_bits & _ENCRYPTED:
        raise ExtractError(f"the member {name} is encrypted", code="member_encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or entry.flag_bits & _PATCHED:
        raise ExtractError(
            f"the member {name} is compressed by method {entry.compress_type}",
            code="member_compression_unsupported",
            hint="use deflate, or no compression",
        )
    mode, attributes = entry.external_attr >> 16, entry.external_attr & 0xFFFF
    linked = entry.create_system != _UNIX and attributes & _REPARSE_POINT
    other = attributes & (_VOLUME if directory else _VOLUME | _DIRECTORY)
    if stat.S_IFMT(mode) not in (0, stat.S_IFDIR if directory else stat.S_IFREG) or linked or other:
        raise ExtractError(f"the member {name} is a link, a device or the like", code="member_not_regular")
    if not directory and mode & _SET_ID:
        raise ExtractError(f"the member {name} would run as somebody else", code="member_not_regular")
    if directory and entry.file_size:
        raise malformed(f"the directory {name} has a size")


def _check_local(file: BinaryIO, entry: zipfile.ZipInfo) -> int:
    """Check that what stands before an entry's content says what the directory says; return where the former ends."""
    file.seek(entry.header_offset)
    magic, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack(take(file, _LOCAL.size))
    name, extra = take(file, name_length), take(file, extra_length)
    # What follows the content need not be known before. (libarchive knows the size, and neither of the others.)
    later = [0] if flags & _DESCRIBED else []
    truths = list(product([entry.CRC, *later], [entry.compress_size, *later], [entry.file_size, *later]))
    wide = [(c, _FULL32, _FULL32) for c, p, s in truths if struct.pack("<2H2Q", 1, 16, s, p) in extra]
    same = (magic, name, method) == (b"PK\x03\x04", _raw_name(entry), entry.compress_type)
    if not same or (crc, packed, size) not in truths + wide or (flags ^ entry.flag_bits) & ~_LEVEL:
        raise _lying(entry, "is described in two ways")
    for told in (extra, entry.extra):
        _check_unicode_path(entry, told)
    return file.tell()


def _check_unicode_path(entry: zipfile.ZipInfo, extra: bytes) -> None:
    """Check that an extra field which gives the name once more, in UTF-8, gives the same one."""
    names = _raw_name(entry), entry.orig_filename.encode()
    while len(extra) >= _EXTRA.size:
        kind, length = _EXTRA.unpack_from(extra)
        field, extra = extra[_EXTRA.size :][:length], extra[_EXTRA.size + length :]
        if kind == _UNICODE_PATH and field[5:] not in names:  # before it: a version, and a checksum of the name
            raise _lying(entry, "has two names")


def _check_neighbour(file: BinaryIO, entry: zipfile.ZipInfo, content_end: int, end: int) -> None:
    """Check that nothing is between an entry's content and the next entry, except its own descriptor (4.3.9)."""
    descriptors = [b""]
    if entry.flag_bits & _DESCRIBED:
        numbers = entry.CRC, entry.compress_size, entry.file_size
        forms = ["<L2Q", "<3L"] if max(numbers) <= _FULL32 else ["<L2Q"]
        descriptors = [magic + struct.pack(form, *numbers) for form in forms for magic in (b"", b"PK\x07\x08")]
    if end - content_end not in map(len, descriptors):
        raise malformed(f"the member {shown(entry.orig_filename)} overlaps another one, or something is between them")
    file.seek(content_end)
    if take(file, end - content_end) not in descriptors:
        raise malformed(f"the member {shown(entry.orig_filename)} is not followed by what should follow it")


def _raw_name(entry: zipfile.ZipInfo) -> bytes:
    """Return a name as the archive has it; cp437, the old code page of the IBM PC, has a letter for every byte."""
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & _UTF8 else "cp437")


def _lying(entry: zipfile.ZipInfo, how: str) -> ExtractError:
    return ExtractError(f"the member {shown(entry.orig_filename)} {how}", code="member_lies")
