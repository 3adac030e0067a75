"""A strict, forward-only reader of tar.

Reads what GNU tar, bsdtar and Python write for regular files and directories: ustar, GNU long names and large sizes,
pax. Everything else is refused. Sources: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Interchange Format";
GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pycontextify.errors import ExtractError
from pycontextify.hydration.extract.members import Member, Source, shown, take
from pycontextify.hydration.transport import BUFFER

__all__ = ["looks_like_header", "tar_members"]

_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_EXTENSION_LIMIT = 1024 * 1024
_EXTENSIONS_PER_MEMBER = 4
_FILES = b"\x0007"  # old, ustar, contiguous (which POSIX says to take for regular)
_DIRECTORY = b"5"
_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a FIFO",
    b"S": "sparse",
}
_OCTAL = re.compile(rb" *([0-7]*)[ \x00]*")
_DECIMAL = re.compile(rb"[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class _Header:
    name: str
    size: int
    kind: bytes


@dataclass(slots=True)
class _Extension:
    """What extension headers say of the member that follows them."""

    name: str | None = None
    size: int | None = None
    headers: int = 0


def tar_members(source: Source) -> Iterator[Member]:
    """Yield the members of a tar archive, which must have its end mark and nothing after it.

    Each member's content must have been taken before the next member is.
    Raises ExtractError.
    """
    extension = _Extension()
    while (block := take(source, _BLOCK)) != _ZEROS:
        header = _parse(block)
        if header.kind in (b"x", b"g", b"L"):
            _extend(extension, header, source)
            continue
        yield _member(header, extension, source)
        extension = _Extension()
    if extension.headers:
        raise _malformed("an extension header has no member")
    _check_end(source)


def looks_like_header(block: bytes) -> bool:
    """Tell whether ``block`` is a tar header, by its checksum."""
    return len(block) == _BLOCK and block != _ZEROS and _octal(block[148:156]) == _checksum(block)


def _check_end(source: Source) -> None:
    """Take the second block of the end mark, and zeros up to the end of the archive."""
    last = take(source, _BLOCK)
    while last:
        if last.strip(b"\0"):
            raise ExtractError("it has more after its end", code="archive_trailing")
        last = source.read(BUFFER)


def _parse(block: bytes) -> _Header:
    if not looks_like_header(block):
        raise _malformed("a header has the wrong checksum")
    name = _text(block[:100])
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else b""
    full = prefix + b"/" + name if prefix else name
    return _Header(full.decode("utf-8", "surrogateescape"), _size(block[124:136]), block[156:157])


def _member(header: _Header, extension: _Extension, source: Source) -> Member:
    name = header.name if extension.name is None else extension.name
    size = header.size if extension.size is None else extension.size
    # Before ustar, a name that ended in a slash was what made a directory.
    directory = header.kind == _DIRECTORY or (header.kind in _FILES and name.endswith("/"))
    if not directory and header.kind not in _FILES:
        kind = _KINDS.get(header.kind, f"of kind {header.kind!r}")
        raise ExtractError(f"the member {shown(name)} is {kind}", code="member_not_regular")
    if directory and size:
        raise _malformed(f"the directory {shown(name)} has a size")
    return Member(name, directory, size, _content(source, size))


def _content(source: Source, size: int) -> Iterator[bytes]:
    left = size
    while left:
        piece = take(source, min(BUFFER, left))
        left -= len(piece)
        yield piece
    take(source, -size % _BLOCK)


def _extend(extension: _Extension, header: _Header, source: Source) -> None:
    extension.headers += 1
    if header.size > _EXTENSION_LIMIT or extension.headers > _EXTENSIONS_PER_MEMBER:
        raise ExtractError("a member has more extension headers than is sane", code="archive_bomb")
    content = take(source, header.size + -header.size % _BLOCK)[: header.size]
    if header.kind == b"L":
        _set_name(extension, content.removesuffix(b"\0"))
        return
    records = _records(content)
    if any(key.startswith((b"GNU.sparse.", b"SCHILY.realsize")) for key in records):
        raise ExtractError("a member is sparse", code="member_not_regular")
    if header.kind == b"g" and not records.keys().isdisjoint({b"path", b"size"}):
        raise _malformed("a header names all members at once")
    if path := records.get(b"path"):
        _set_name(extension, path)
    if size := records.get(b"size"):
        if not _DECIMAL.fullmatch(size):
            raise _malformed("a size is no number")
        extension.size = int(size)


def _set_name(extension: _Extension, name: bytes) -> None:
    if extension.name is not None:
        raise _malformed("a member has two names")
    extension.name = name.decode("utf-8", "surrogateescape")


def _records(content: bytes) -> dict[bytes, bytes]:
    """Read the records of a pax header, each ``LENGTH KEY=VALUE`` and a newline, the length counting all of it."""
    records: dict[bytes, bytes] = {}
    start = 0
    while start < len(content):
        space = content.find(b" ", start, start + 20)
        digits = content[start:space] if space > start else b""
        end = start + int(digits) if _DECIMAL.fullmatch(digits) else 0
        key, equals, value = content[space + 1 : end - 1].partition(b"=")
        if not (space < end <= len(content) and content[end - 1 : end] == b"\n" and equals) or key in records:
            raise _malformed("a pax header is malformed")
        records[key] = value
        start = end
    return records


def _size(field: bytes) -> int:
    """Read a size: octal digits or, for large ones, 0x80 and a big-endian number (GNU)."""
    size = int.from_bytes(field[1:], "big") if field[0] == 0x80 else _octal(field)
    if size is None:
        raise _malformed("a size is no number")
    return size


def _octal(field: bytes) -> int | None:
    match = _OCTAL.fullmatch(field)
    return int(match[1] or b"0", 8) if match else None


def _checksum(block: bytes) -> int:
    return sum(block) - sum(block[148:156]) + 8 * ord(" ")


def _text(field: bytes) -> bytes:
    text, _, rest = field.partition(b"\0")
    if rest.strip(b"\0"):
        raise _malformed("a name goes on after its end")
    return text


def _malformed(what: str) -> ExtractError:
    return ExtractError(what, code="archive_corrupt", hint="publish it again")
