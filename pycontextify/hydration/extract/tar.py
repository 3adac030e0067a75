"""The members of a tar archive: tarfile reads the headers, we hand it the bytes and judge what it makes of them.

tarfile is lenient where archives turn hostile, and its fixes differ between the versions of Python that we run on. So:

- it reads the headers through `_Headers`, which bounds what it may take for one member and for all; the content passes
  it by;
- it keeps what it has read, and gives every member a copy of what holds for all of them: the former is thrown away, the
  latter must be little, and come first;
- it takes a damaged header for the end of the archive, so the last block it has read must be the end mark;
- of several names it takes one, of a field what stands before a NUL, and older versions skip the pax records that they
  can't read: `_check_headers` looks at those blocks once more, for two readers would understand them differently.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, cast

from pycontextify.errors import ExtractError
from pycontextify.hydration.extract.members import Member, malformed, pieces, shown, take
from pycontextify.hydration.extract.streams import TarStream
from pycontextify.hydration.transfer.transport import BUFFER

__all__ = ["tar_members"]

_HEADERS_LIMIT = 32 * 1024
_LONG_HEADERS_LIMIT = 16 * 1024 * 1024
_RECORDS_LIMIT = 64
_KINDS = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE)
_PAX = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
_STRANGE = ("GNU.", "SCHILY.realsize")  # sparse files, dumps and parts of volumes
_POSIX = b"ustar\0"
_OCTAL_END = 8**11
"""The first size that the field for it can't tell in the way of POSIX."""
_SET_ID = 0o7000
# star, and the writer that comes with npm, keep two more times behind a shorter prefix, as POSIX let them.
_TIMES = re.compile(rb"\0([0-7 ]{11}[ \0]){2}")
# Python before 3.11.10 and 3.12.6 takes time quadratic in such a run (CVE-2024-6232).
_ENDLESS_NUMBER = re.compile(rb"[0-9]{64}")
_RECORD = re.compile(rb"([1-9][0-9]*) ([^=\n]+)=")


class _Headers:
    """What tarfile takes for an archive: bytes that it may read forward, a few for each member.

    It reads a header, and all that an extension header announces, with one call each.
    """

    def __init__(self, stream: TarStream) -> None:
        self._stream = stream
        self._reads: list[bytes] = []
        self._long = 0

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, size: int, /) -> bytes:
        if size < 0:
            raise malformed("a header has a negative size")
        if sum(map(len, self._reads)) + size > _HEADERS_LIMIT:
            raise _insane("a member has more extension headers than is sane")
        content = take(self._stream, size)
        # For each record tarfile takes as much time as for a member.
        if content.count(b"\n") > _RECORDS_LIMIT:
            raise _insane("an extension header has more records than is sane")
        if size > tarfile.BLOCKSIZE:
            self._check_long(content)
        self._reads.append(content)
        return content

    def _check_long(self, content: bytes) -> None:
        self._long += len(content)
        if self._long > _LONG_HEADERS_LIMIT:
            raise _insane("it has more extension headers than is sane")
        if _ENDLESS_NUMBER.search(content):
            raise malformed("a header has a number without end")

    def taken(self) -> Sequence[bytes]:
        """Return what has been read since the last call."""
        reads, self._reads = self._reads, []
        return reads


def tar_members(stream: TarStream) -> Iterator[Member]:
    """Yield the members of a tar archive, which must have its end mark and nothing after it.

    Each member's content must have been taken before the next member is.
    Raises ExtractError.
    """
    headers = _Headers(stream)
    with _reading():
        tar = tarfile.open(fileobj=cast("IO[bytes]", headers), mode="r:", encoding="utf-8")  # noqa: SIM115 - not its file
        info, first = tar.next(), True
    while info is not None:
        _check_member(info, tar.pax_headers.keys())
        _check_headers(headers.taken(), info, first=first)
        tar.members, first = [], False  # type: ignore[attr-defined] # before 3.13 there is no other way to say it
        yield Member(info.name, info.isdir(), _content(stream, info.size))
        with _reading():
            info = tar.next()
    if any(headers.taken()[-1]):
        raise malformed("a header is damaged")
    _check_end(stream)


@contextmanager
def _reading() -> Iterator[None]:
    """Turn what tarfile raises when it can't read a header into ours."""
    try:
        yield
    except (tarfile.TarError, ValueError, OverflowError) as error:
        raise malformed(f"a header can't be read ({error})") from error


def _content(stream: TarStream, size: int) -> Iterator[bytes]:
    yield from pieces(stream, size)
    take(stream, -size % tarfile.BLOCKSIZE)


def _check_end(stream: TarStream) -> None:
    """Take the second block of the end mark, and zeros up to the end of the archive."""
    last = take(stream, tarfile.BLOCKSIZE)
    while last:
        if any(last):
            raise ExtractError("it has more after its end", code="archive_trailing")
        last = stream.read(BUFFER)


def _check_member(info: tarfile.TarInfo, for_all: Collection[str]) -> None:
    """Refuse everything but regular files and directories, and a member that its headers describe in two ways."""
    name, pax = shown(info.name), info.pax_headers
    if info.type not in _KINDS or any(key.startswith(_STRANGE) for key in pax):
        raise ExtractError(f"the member {name} is a link, a device, sparse or the like", code="member_not_regular")
    if not info.isdir() and info.mode & _SET_ID:
        raise ExtractError(f"the member {name} would run as somebody else", code="member_not_regular")
    if info.size < 0 or (info.isdir() and info.size):
        raise malformed(f"the member {name} has a size that can't be")
    path = pax.get("path", info.name)
    if (path.rstrip("/") if info.isdir() else path) != info.name or pax.get("size", str(info.size)) != str(info.size):
        raise malformed(f"the member {name} is described in two ways")
    if info.linkname:
        raise malformed(f"the member {name} is a file, and a link to another")
    if not {"path", "size"}.isdisjoint(for_all):
        raise malformed("a header names all members at once")
    if len(for_all) > _RECORDS_LIMIT:
        raise _insane("more is said of all members than is sane")


def _check_headers(reads: Sequence[bytes], info: tarfile.TarInfo, *, first: bool) -> None:
    """Check the blocks that a member was read from: pairs of an extension header and its content, and the header."""
    *extensions, header = reads
    kinds = [block[156:157] for block in extensions[::2]]
    if len(kinds) - kinds.count(tarfile.XGLTYPE) > 1:
        raise malformed("a member has two names")
    if tarfile.XGLTYPE in kinds and not first:
        raise malformed("what is said of all members does not come first")
    texts = [header[:100], header[345:475] if _TIMES.fullmatch(header[475:500]) else header[345:500]]
    for kind, content in zip(kinds, extensions[1::2], strict=True):
        if kind in _PAX:
            _check_records(content)
        else:
            texts.append(content)
    if any(b"\0" in text.rstrip(b"\0") for text in texts):
        raise malformed("a name goes on after its end")
    _check_plain(header, info)


def _check_plain(header: bytes, info: tarfile.TarInfo) -> None:
    """Check that a reader which knows no extension headers finds the same content, and a name that does no harm.

    Its name for the member is cut, or has other letters; and the field holds no size of 8 GiB and more.
    """
    plain = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
    if plain.size != info.size and info.size < _OCTAL_END:
        raise malformed(f"the member {shown(info.name)} has two sizes")
    if plain.name.startswith("/") or ".." in plain.name.split("/"):
        raise ExtractError(
            f"a member's name in its plain header leads out: {shown(plain.name)}", code="member_name_hostile"
        )
    # GNU and others keep something else in that place, and tarfile takes it for the beginning of the name.
    if header[257:263] != _POSIX and any(header[345:500]):
        raise malformed(f"the member {shown(info.name)} has one name by POSIX and another one by GNU")


def _check_records(content: bytes) -> None:
    """Check that a pax header is records, each ``LENGTH KEY=VALUE`` and a newline, with no key twice."""
    at, end, keys = 0, len(content.rstrip(b"\0")), set[bytes]()
    while at < end:
        record = _RECORD.match(content, at)
        stop = at + int(record[1]) if record else 0
        if not record or content[stop - 1 : stop] != b"\n" or record[2] in keys:
            raise malformed("a pax header is malformed")
        keys.add(record[2])
        at = stop


def _insane(what: str) -> ExtractError:
    return ExtractError(what, code="archive_bomb")
