"""Hostile zip archives, built record by record so that every field can lie."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field, replace

from tests.hostile.case import CHUNKS, NAME, VECTORS, ZEROS, Case

__all__ = ["GOOD_ZIP", "PAIR", "ZIPS", "Part", "behind_end64", "build"]


@dataclass(frozen=True, slots=True)
class Part:
    """A member. ``None`` means the truth; ``raw`` is what is stored, ``local`` what is said before it."""

    name: bytes
    content: bytes = b""
    method: int = 8
    flags: int = 0
    made_by: int = 3 << 8 | 20
    attributes: int = 0o100644 << 16
    crc: int | None = None
    packed: int | None = None
    size: int | None = None
    start: int | None = None
    raw: bytes | None = None
    extra: bytes = b""
    after: bytes = b""
    local: dict[str, int | bytes] = field(default_factory=dict)

    def body(self) -> bytes:
        """The content as it is stored."""
        if self.raw is not None:
            return self.raw
        if self.method != 8:
            return self.content
        deflater = zlib.compressobj(9, wbits=-15)
        return deflater.compress(self.content) + deflater.flush()

    def told(self) -> tuple[int, int, int]:
        """Checksum and sizes as they are declared."""
        truth = zlib.crc32(self.content), len(self.body()), len(self.content)
        lies = self.crc, self.packed, self.size
        crc, packed, size = (true if lie is None else lie for true, lie in zip(truth, lies, strict=True))
        return crc, packed, size

    def head(self) -> bytes:
        """The local header and the stored content."""
        crc, packed, size = self.told()
        fields = {"flags": self.flags, "method": self.method, "crc": crc, "packed": packed, "size": size}
        fields |= {key: value for key, value in self.local.items() if isinstance(value, int)}
        name = self.local.get("name", self.name)
        assert isinstance(name, bytes)
        numbers = (20, fields["flags"], fields["method"], 0, 0, fields["crc"], fields["packed"], fields["size"])
        head = struct.pack("<4s5H3L2H", b"PK\3\4", *numbers, len(name), len(self.extra))
        return head + name + self.extra + self.body() + self.after

    def row(self, start: int) -> bytes:
        """The entry in the central directory."""
        where = start if self.start is None else self.start
        lengths = (len(self.name), len(self.extra), 0, 0, 0)
        numbers = (self.made_by, 20, self.flags, self.method, 0, 0, *self.told(), *lengths, self.attributes, where)
        return struct.pack("<4s6H3L5H2L", b"PK\1\2", *numbers) + self.name + self.extra


def build(
    *parts: Part,
    before: bytes = b"",
    between: bytes = b"",
    comment: bytes = b"",
    count: int | None = None,
    here: int | None = None,
    disk: int = 0,
    shift: int = 0,
) -> bytes:
    """Return an archive; ``before`` stands before it and is allowed for, ``between`` before the directory.

    ``count`` and ``here`` are how many members it says it has, in all and in this part; ``shift`` moves where it says
    that the directory is.
    """
    body, rows = bytearray(before), bytearray()
    for part in parts:
        rows += part.row(len(body))
        body += part.head()
    body += between
    number = len(parts) if count is None else count
    counts = number if here is None else here, number
    start = len(body) + shift
    end = struct.pack("<4s4H2LH", b"PK\5\6", disk, disk, *counts, len(rows), start, len(comment))
    return bytes(body + rows + end + comment)


VECTORS_PART = Part(f"{NAME}.faiss".encode(), VECTORS)
PAIR = (VECTORS_PART, Part(f"{NAME}.sqlite".encode(), CHUNKS))
GOOD_ZIP = build(*PAIR)
_FINE = Part(b"fine.md", b"some content " * 10)
_DESCRIBED = replace(_FINE, flags=8, local={"crc": 0, "packed": 0, "size": 0})


def _case(name: str, code: str, *extra: Part) -> Case:
    return Case(name, "a.zip", lambda: build(*PAIR, *extra), code)


def _whole(name: str, code: str, content: bytes) -> Case:
    return Case(name, "a.zip", lambda: content, code)


_NOT_REGULAR = [
    _case("symlink", "member_not_regular", Part(b"link", b"/etc/passwd", attributes=0o120777 << 16)),
    _case("device", "member_not_regular", Part(b"device", attributes=0o020666 << 16)),
    _case("FIFO", "member_not_regular", Part(b"fifo", attributes=0o010666 << 16)),
    _case("reparse point of Windows", "member_not_regular", Part(b"link", b"x", made_by=20, attributes=0x400)),
    _case("directory without a slash", "member_not_regular", Part(b"dir", attributes=0o040755 << 16)),
    _case("file with a slash", "member_not_regular", Part(b"dir/", attributes=0o100644 << 16)),
    _case("directory by its attributes", "member_not_regular", Part(b"dir", b"x", made_by=20, attributes=0x10)),
    _case("label of a volume", "member_not_regular", Part(b"label", b"x", made_by=20, attributes=0x08)),
    _case(
        "symlink of another system", "member_not_regular", Part(b"link", b"/etc", made_by=20, attributes=0o120777 << 16)
    ),
    _case("link that is a directory", "member_not_regular", Part(b"dir/", b"/etc", attributes=0o120777 << 16)),
    _case("socket", "member_not_regular", Part(b"socket", attributes=0o140666 << 16)),
    _case("set user id", "member_not_regular", Part(b"a.md", b"x", attributes=0o104755 << 16)),
    _case("directory with content", "archive_corrupt", Part(b"dir/", b"content", attributes=0)),
]


def _named_again(name: bytes, error: int) -> Part:
    """A member that has an extra field with another name (4.6.9)."""
    field = struct.pack("<BL", 1, zlib.crc32(_FINE.name) ^ error) + name
    return replace(_FINE, extra=struct.pack("<2H", 0x7075, len(field)) + field)


def _wide(size: int, packed: int, **lies: int) -> Part:
    """A member whose sizes stand in the field of zip64, in both places."""
    field = struct.pack("<2H2Q", 1, 16, size, packed)
    return replace(_FINE, size=0xFFFFFFFF, packed=0xFFFFFFFF, extra=field, local=dict(lies))


_NAMES = [
    _case("absolute name", "member_name_hostile", Part(b"/etc/evil", b"x")),
    _case("upward name", "member_name_hostile", Part(b"a/../../evil", b"x")),
    _case("upward name in UTF-8", "member_name_hostile", Part("é/../../evil".encode(), b"x", flags=0x800)),
    _case("backslash", "member_name_hostile", Part(b"..\\evil", b"x")),
    _case("drive letter", "member_name_hostile", Part(b"C:/evil", b"x")),
    _case("NUL", "member_name_hostile", Part(b"docs.faiss\0.txt", b"x")),
    _case("nameless", "member_name_hostile", Part(b"", b"x")),
    _case("duplicate", "member_duplicate", Part(b"docs.faiss", b"other")),
    _case("file within a file", "member_duplicate", Part(b"docs.faiss/inner", b"x")),
    _case("other case", "member_case_collision", Part(b"Docs.FAISS", b"other")),
    _case("no UTF-8, and said to be", "archive_corrupt", Part(b"..\xc0\xafevil", b"x", flags=0x800)),
    _case("upward name in Unicode", "member_lies", _named_again(b"../evil", 0)),
    _case("other name in Unicode", "member_lies", _named_again(b"docs.sqlite", 0)),
    _case("other name in Unicode, with the wrong checksum", "member_lies", _named_again(b"docs.sqlite", 1)),
    _case("other name before the content", "member_lies", replace(_FINE, local={"name": b"evil"})),
]

_LIES = [
    _case("encrypted", "member_encrypted", replace(_FINE, flags=1)),
    _case("strongly encrypted", "member_encrypted", replace(_FINE, flags=0x41)),
    _case("masked", "member_encrypted", replace(_FINE, flags=0x2000)),
    _case("encrypted before the content only", "member_lies", replace(_FINE, local={"flags": 1})),
    _case("bzip2", "member_compression_unsupported", replace(_FINE, method=12)),
    _case("LZMA", "member_compression_unsupported", replace(_FINE, method=14)),
    _case("patch", "member_compression_unsupported", replace(_FINE, flags=0x20)),
    _case("other method before the content", "member_lies", replace(_FINE, local={"method": 0})),
    _case("other size before the content", "member_lies", replace(_FINE, local={"size": 1})),
    _case("other checksum before the content", "member_lies", replace(_FINE, local={"crc": 1})),
    _case("too small a size", "member_lies", replace(_FINE, size=5)),
    _case("too small a size with its checksum", "member_lies", replace(_FINE, size=5, crc=zlib.crc32(b"some "))),
    _case("too large a size", "member_lies", replace(_FINE, size=500)),
    _case("stored with two sizes", "archive_corrupt", replace(_FINE, method=0, packed=20)),
    _case("stored and too short", "member_lies", replace(_FINE, method=0, raw=b"some")),
    _case("deflated and cut", "archive_truncated", replace(_FINE, raw=_FINE.body()[:-2])),
    _case("more than is inflated", "member_lies", replace(_FINE, raw=_FINE.body() + b"hidden")),
    _case("more streams than one", "member_lies", replace(_FINE, raw=_FINE.body() * 2)),
    _case("far behind the end", "archive_corrupt", replace(_FINE, start=0xFFFFFFF0)),
    _case("wrong checksum", "archive_corrupt", replace(_FINE, crc=1)),
    _case("garbage for deflate", "archive_corrupt", replace(_FINE, raw=b"\xff" * 50)),
    _case("descriptor that lies", "archive_corrupt", replace(_DESCRIBED, after=struct.pack("<3L", 1, 2, 3))),
    _case("descriptor that is missing", "archive_corrupt", _DESCRIBED),
    _case("zip64 field that lies", "archive_corrupt", _wide(1 << 40, 1 << 40)),
    _case("zip64 field of the largest numbers", "archive_corrupt", _wide((1 << 64) - 1, (1 << 64) - 1)),
    _case("zip64 size that lies", "member_lies", _wide(5, len(_FINE.body()))),
    _case("flag of UTF-8 in one place", "member_lies", replace(_FINE, local={"flags": 0x800})),
    _case("descriptor in one place", "member_lies", replace(_FINE, local={"flags": 8})),
    _case("other packed size before the content", "member_lies", replace(_FINE, local={"packed": 1})),
    _case("stored, and said to be packed", "archive_corrupt", replace(_FINE, raw=_FINE.content)),
    _case("stored with a descriptor that lies", "archive_corrupt", replace(_DESCRIBED, method=0, after=bytes(12))),
    _case("unknown method", "member_compression_unsupported", replace(_FINE, method=99)),
    _case("Zstandard", "member_compression_unsupported", replace(_FINE, method=93)),
    _case("deflate with a window of 64 KiB", "member_compression_unsupported", replace(_FINE, method=9)),
    _case("bomb of empty blocks", "archive_bomb", replace(_FINE, raw=b"\0\0\0\xff\xff" * 60_000 + _FINE.body())),
    _case("zip64 field that is too short", "archive_corrupt", replace(_FINE, size=0xFFFFFFFF, extra=b"\1\0\2\0xx")),
]


def _bomb(size: int) -> bytes:
    """A member of zeros that says it has ``size`` bytes."""
    zeros = bytes(ZEROS)
    deflater = zlib.compressobj(1, wbits=-15)
    raw = deflater.compress(zeros) + deflater.flush()
    return build(*PAIR, Part(b"zeros", raw=raw, size=size, crc=zlib.crc32(zeros)))


def _overlapping() -> bytes:
    """Two entries that share their content (D. Fifield's bomb, in small)."""
    return build(*PAIR, replace(VECTORS_PART, name=b"other.faiss", start=0))


def _quoted() -> bytes:
    """An entry whose stored content is the next entry, header and all."""
    inner = Part(b"inner", b"x" * 100)
    outer = Part(b"outer", inner.head(), method=0)
    start = len(b"".join(part.head() for part in PAIR)) + len(outer.head()) - len(inner.head())
    return build(*PAIR, outer, replace(inner, start=start, raw=b""))


def _elsewhere() -> bytes:
    """An archive whose first entry is said to be on another disk."""
    at = GOOD_ZIP.index(b"PK\1\2") + 34
    return GOOD_ZIP[:at] + b"\1" + GOOD_ZIP[at + 1 :]


def behind_end64(content: bytes, *, entries: int) -> bytes:
    """Put a zip64 end record before the end record of an archive."""
    end = content[-22:]
    size, start = struct.unpack("<2L", end[12:20])
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, size, start)
    return content[:-22] + record + struct.pack("<4sLQL", b"PK\6\7", 0, len(content) - 22, 1) + end


def _needing(version: int) -> bytes:
    """An archive whose first entry needs a reader of some version."""
    at = GOOD_ZIP.index(b"PK\1\2") + 6
    return GOOD_ZIP[:at] + version.to_bytes(2, "little") + GOOD_ZIP[at + 2 :]


_WHOLE = [
    _whole("a version that nobody has", "archive_corrupt", _needing(999)),
    _whole("members without number", "archive_corrupt", build(*PAIR, count=0xFFFF)),
    _whole("members on other parts", "archive_corrupt", build(*PAIR, here=1)),
    _whole("directory too far on", "archive_corrupt", build(*PAIR, shift=1000)),
    _whole("directory too early", "archive_corrupt", build(*PAIR, shift=-1000)),
    _whole("a program in its comment", "archive_corrupt", build(*PAIR, comment=b"\x7fELF" + bytes(100))),
    _whole("a page in its comment", "archive_corrupt", build(*PAIR, comment=b"<script>\x07</script>")),
    _whole("a long comment", "archive_corrupt", build(*PAIR, comment=b"a" * 60_000)),
    _whole("zip64 end of the largest numbers", "archive_corrupt", behind_end64(GOOD_ZIP, entries=(1 << 64) - 1)),
    _whole("something before it", "archive_corrupt", b"PK\3\4 and a program" + GOOD_ZIP),
    _whole("something before it, allowed for", "archive_corrupt", build(*PAIR, before=b"PK\3\4 and a program")),
    _whole("something before the directory", "archive_corrupt", build(*PAIR, between=b"hidden")),
    _whole("something between members", "archive_corrupt", build(*PAIR, replace(_FINE, after=b"hidden"), _FINE)),
    _whole("something behind it", "archive_trailing", GOOD_ZIP + b"garbage"),
    _whole("cut", "archive_truncated", GOOD_ZIP[:-100]),
    _whole("cut in its end", "archive_truncated", GOOD_ZIP[:-1]),
    _whole("cut in its comment", "archive_trailing", build(*PAIR, comment=b"comment")[:-1]),
    _whole("two ends", "archive_corrupt", build(*PAIR, comment=build(_FINE))),
    _whole("twice", "archive_corrupt", GOOD_ZIP + GOOD_ZIP),
    _whole("overlapping members", "archive_corrupt", _overlapping()),
    _whole("a member within another", "archive_corrupt", _quoted()),
    _whole("fewer members than it says", "archive_corrupt", build(*PAIR, count=3)),
    _whole("more members than it says", "archive_corrupt", build(*PAIR, count=1)),
    _whole("one part of several", "archive_corrupt", build(*PAIR, disk=1)),
    _whole("a member in another part", "archive_corrupt", _elsewhere()),
    _whole("two end records that differ", "archive_corrupt", behind_end64(GOOD_ZIP, entries=3)),
    Case("bomb", "a.zip", lambda: _bomb(ZEROS), "archive_bomb"),
    Case("bomb that says it is small", "a.zip", lambda: _bomb(100_000), "member_lies"),
    _whole("nothing", "members_missing", build()),
]

ZIPS: tuple[Case, ...] = (*_NOT_REGULAR, *_NAMES, *_LIES, *_WHOLE)
