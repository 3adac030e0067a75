"""What kind of archive a file is: one, and no other."""

from __future__ import annotations

import os
import struct
import tarfile
from pathlib import Path
from typing import BinaryIO, Literal

from pycontextify.errors import ExtractError

__all__ = ["HEAD", "PackedKind", "TarKind", "archive_in", "packed_kind"]

TarKind = Literal["tar", "tar.gz", "tar.zst"]
PackedKind = Literal["zip"] | TarKind

HEAD = tarfile.BLOCKSIZE
"""How many of a file's first bytes tell what it is."""

_SUFFIXES: dict[str, PackedKind] = {
    ".zip": "zip",
    ".tar": "tar",
    ".tar.gz": "tar.gz",
    ".tgz": "tar.gz",
    ".tar.zst": "tar.zst",
    ".tzst": "tar.zst",
}
_MAGICS: tuple[tuple[bytes, PackedKind], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),  # with no members
    (b"\x1f\x8b", "tar.gz"),
    (b"\x28\xb5\x2f\xfd", "tar.zst"),
)
# What we never read, and know all the same when it lies in an archive.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    *((b"BZh%d" % level, "bzip2") for level in range(1, 10)),
    (b"\xfd7zXZ\0", "xz"),
    (b"LZIP", "lzip"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x1f\x9d", "compress"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"MSCF\0\0\0\0", "cab"),
    (b"xar!", "xar"),
    (b"!<arch>\n", "ar"),
    (b"070701", "cpio"),
    (b"070702", "cpio"),
    (b"070707", "cpio"),
)
_END = struct.Struct("<4s4H2LH")
_TAIL = _END.size + 0xFFFF


def packed_kind(path: Path, file_name: str = "") -> PackedKind:
    """Tell the kind of an archive by its first bytes, and by its last ones that it is no other kind as well.

    ``file_name`` is what the source calls it; a suffix that says otherwise is a contradiction, and one that we don't
    know says nothing. Raises ExtractError, and OSError when the file can't be read.
    """
    with path.open("rb") as file:
        head, ends_as_zip = file.read(HEAD), _ends_as_zip(file)
    kinds = _kinds(head)
    if not kinds:
        raise ExtractError(
            f"this is no archive{_resemblance(head)}",
            code="archive_kind_unknown",
            hint="give the address of a .zip, .tar, .tar.gz or .tar.zst file",
        )
    if len(kinds) > 1 or (ends_as_zip and kinds != ["zip"]):
        raise ExtractError(f"it is a {kinds[0]} and something else at once", code="archive_kind_ambiguous")
    kind = kinds[0]
    claimed = next((kind for suffix, kind in _SUFFIXES.items() if file_name.lower().endswith(suffix)), kind)
    if claimed != kind:
        raise ExtractError(
            f"its name says {claimed} and its content {kind}",
            code="archive_kind_mismatch",
            hint="publish it under the right name (some servers unpack .gz files as they send them)",
        )
    return kind


def archive_in(head: bytes) -> str | None:
    """Tell what kind of archive or packed file begins with ``head``, up to `HEAD` bytes; None when it is none."""
    foreign = [kind for magic, kind in _FOREIGN if head.startswith(magic)]
    return next(iter([*_kinds(head), *foreign]), None)


def _kinds(head: bytes) -> list[PackedKind]:
    return [kind for magic, kind in _MAGICS if head.startswith(magic)] + (["tar"] if _is_tar(head) else [])


def _is_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _ends_as_zip(file: BinaryIO) -> bool:
    """Tell whether a reader of zip archives, which looks for the end first, would take the file for one.

    Such readers forgive what is behind the end. That its numbers fit each other can't happen by chance.
    """
    size = file.seek(0, os.SEEK_END)
    start = file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if at + _END.size <= len(tail):
            _, disk, start_disk, here, entries, length, directory, _ = _END.unpack_from(tail, at)
            if disk == start_disk == 0 and here == entries and directory + length <= start + at:
                return True
        at = tail.rfind(b"PK\x05\x06", 0, at)
    return False


def _resemblance(head: bytes) -> str:
    if not head:
        return ": it is empty"
    if head.lstrip()[:1] == b"<":
        return ", it looks like a web page"
    return ""
