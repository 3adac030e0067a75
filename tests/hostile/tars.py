"""Hostile tar archives, built from blocks so that every field can lie."""

from __future__ import annotations

from tests.hostile.case import CHUNKS, NAME, VECTORS, Case

__all__ = ["END", "PAIR", "TARS", "block", "entry", "pax"]

END = bytes(1024)


def block(
    name: bytes,
    size: int = 0,
    kind: bytes = b"0",
    *,
    link: bytes = b"",
    size_field: bytes | None = None,
    mode: int = 0o644,
    prefix: bytes = b"",
    magic: bytes = b"ustar\x0000",
    checksum_error: int = 0,
) -> bytes:
    """Return a ustar header."""
    head = (
        name.ljust(100, b"\0")
        + b"%07o\0" % mode
        + b"0000644\0" * 2
        + (size_field or b"%011o\0" % size)
        + b"00000000000\0"
        + b" " * 8
        + kind
        + link.ljust(100, b"\0")
        + magic.ljust(88, b"\0")
        + prefix
    ).ljust(512, b"\0")
    return head[:148] + b"%06o\0 " % (sum(head) + checksum_error) + head[156:]


def entry(name: bytes, content: bytes = b"", kind: bytes = b"0", *, link: bytes = b"") -> bytes:
    """Return a member with its content."""
    return block(name, len(content), kind, link=link) + content + bytes(-len(content) % 512)


def record(key: bytes, value: bytes) -> bytes:
    """Return a record of a pax header; its length counts itself."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + 1
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


def pax(*records: tuple[bytes, bytes], kind: bytes = b"x") -> bytes:
    """Return a pax header."""
    return entry(b"pax", b"".join(record(*pair) for pair in records), kind)


PAIR = entry(f"{NAME}.faiss".encode(), VECTORS) + entry(f"{NAME}.sqlite".encode(), CHUNKS)


_PREFIX = b"dir\0/../evil".ljust(131, b"\0") + b"15301624763\0" * 2
_SPARSE = bytearray(block(b"sparse.md", kind=b"S", checksum_error=1))
_SPARSE[482] = 1  # the map goes on in the next block, which says the same of itself


def _garbled(at: int) -> bytes:
    """A member one of whose numbers is none, with the right checksum for it."""
    head = bytearray(block(b"a.md"))
    head[at : at + 4] = b"8x9z"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def _case(name: str, code: str, extra: bytes, *, end: bytes = END) -> Case:
    return Case(name, "a.tar", lambda: PAIR + extra + end, code)


_NOT_REGULAR = [
    _case("absolute symlink", "member_not_regular", entry(b"link", kind=b"2", link=b"/etc/passwd")),
    _case("upward symlink", "member_not_regular", entry(b"link", kind=b"2", link=b"../../outside")),
    _case(
        "file behind a symlink",
        "member_not_regular",
        entry(b"dir", kind=b"2", link=b"/tmp") + entry(b"dir/evil", b"x"),
    ),
    _case("hard link", "member_not_regular", entry(b"link", kind=b"1", link=b"/etc/passwd")),
    _case("hard link to a member", "member_not_regular", entry(b"link", kind=b"1", link=b"docs.faiss")),
    _case("character device", "member_not_regular", entry(b"device", kind=b"3")),
    _case("block device", "member_not_regular", entry(b"device", kind=b"4")),
    _case("FIFO", "member_not_regular", entry(b"fifo", kind=b"6")),
    _case("sparse file of GNU", "member_not_regular", entry(b"sparse.md", kind=b"S")),
    _case("continued from another volume", "member_not_regular", entry(b"part.md", b"x", kind=b"M")),
    _case("GNU long link", "archive_corrupt", entry(b"././@LongLink", b"/etc/passwd\0", kind=b"K")),
    _case(
        "GNU long link before a file",
        "archive_corrupt",
        entry(b"L", b"/etc/passwd\0", kind=b"K") + entry(b"a.md", b"x"),
    ),
    _case("link of pax", "archive_corrupt", pax((b"linkpath", b"/etc/passwd")) + entry(b"a.md", b"x")),
    _case("link of pax for all", "archive_corrupt", pax((b"linkpath", b"/etc"), kind=b"g") + entry(b"a.md", b"x")),
    _case("symlink that pax makes", "member_not_regular", pax((b"linkpath", b"/etc")) + entry(b"a.md", kind=b"2")),
    _case("contiguous file", "member_not_regular", entry(b"a.md", b"x", kind=b"7")),
    _case("directory of a dump", "member_not_regular", entry(b"dir", b"Ya\0\0", kind=b"D")),
    _case("label of a volume", "member_not_regular", entry(b"label", kind=b"V")),
    _case("old long name", "member_not_regular", entry(b"names", b"x", kind=b"N")),
    _case("dump of pax", "member_not_regular", pax((b"GNU.dumpdir", b"Ya\0\0")) + entry(b"a.md", b"x")),
    _case("part of a volume of pax", "member_not_regular", pax((b"GNU.volume.offset", b"5")) + entry(b"a.md", b"x")),
    _case(
        "sparse files for all", "member_not_regular", pax((b"GNU.sparse.size", b"9"), kind=b"g") + entry(b"a.md", b"x")
    ),
    _case("set user id", "member_not_regular", block(b"a.md", mode=0o4755)),
    _case("set group id", "member_not_regular", block(b"a.md", mode=0o2755)),
    _case("unknown kind", "member_not_regular", entry(b"what.md", b"x", kind=b"Z")),
    _case(
        "sparse file of pax",
        "member_not_regular",
        pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.realsize", b"99999999999")) + entry(b"sparse.md", b"0\n"),
    ),
    _case("sparse map without end", "archive_bomb", bytes(_SPARSE) + (bytes(504) + b"\1" + bytes(7)) * 100),
    _case("real size of star", "member_not_regular", pax((b"SCHILY.realsize", b"99999")) + entry(b"sparse.md", b"x")),
]

_NAMES = [
    _case("absolute name", "member_name_hostile", entry(b"/etc/evil", b"x")),
    _case("network name", "member_name_hostile", entry(b"//host/share/evil", b"x")),
    _case("upward name", "member_name_hostile", entry(b"../evil", b"x")),
    _case("upward name further in", "member_name_hostile", entry(b"a/b/../../../evil", b"x")),
    _case("upward directory", "member_name_hostile", entry(b"..", kind=b"5")),
    _case("upward name of pax", "member_name_hostile", pax((b"path", b"../evil")) + entry(b"fine.md", b"x")),
    _case("upward name of GNU", "member_name_hostile", entry(b"L", b"../evil\0", kind=b"L") + entry(b"fine.md", b"x")),
    _case("backslash", "member_name_hostile", entry(b"..\\evil", b"x")),
    _case("drive letter", "member_name_hostile", entry(b"C:evil", b"x")),
    _case("NUL of pax", "member_name_hostile", pax((b"path", b"docs.faiss\0.txt")) + entry(b"fine.md", b"x")),
    _case("NUL of GNU", "archive_corrupt", entry(b"L", b"a\0/../b\0", kind=b"L") + entry(b"fine.md", b"x")),
    _case("something behind a name's NUL", "archive_corrupt", entry(b"fine\0/../evil", b"x")),
    _case("something behind a prefix's NUL", "archive_corrupt", block(b"a.md", prefix=b"dir\0/../evil")),
    _case("something behind a prefix's NUL, and times", "archive_corrupt", block(b"a.md", prefix=_PREFIX)),
    _case("newline", "member_name_hostile", entry(b"a\nb", b"x")),
    _case("escape sequence", "member_name_hostile", entry(b"\x1b[2Ja", b"x")),
    _case("directory's name", "member_name_hostile", entry(b"dir/", b"x")),
    _case("directory's name of pax", "archive_corrupt", pax((b"path", b"dir/")) + entry(b"fine.md", b"x")),
    _case("nameless", "member_name_hostile", entry(b"", b"x")),
    _case("named dot", "member_name_hostile", entry(b"./.", b"x")),
    _case("endless name", "member_name_hostile", pax((b"path", b"a" * 5000)) + entry(b"fine.md", b"x")),
    _case("endless depth", "member_name_hostile", pax((b"path", b"a/" * 100 + b"a")) + entry(b"fine.md", b"x")),
    _case("duplicate", "member_duplicate", entry(b"docs.faiss", b"other")),
    _case("duplicate with a dot", "member_duplicate", entry(b"./docs.faiss", b"other")),
    _case("file and directory", "member_duplicate", entry(b"docs.faiss", kind=b"5")),
    _case("file within a file", "member_duplicate", entry(b"docs.faiss/inner", b"x")),
    _case("other case", "member_case_collision", entry(b"DOCS.faiss", b"other")),
    _case(
        "other composition",
        "member_case_collision",
        entry("\u00e9".encode(), b"x") + entry("e\u0301".encode(), b"x"),
    ),
    _case("upward name of a plain header", "member_name_hostile", pax((b"path", b"a.md")) + entry(b"../evil", b"x")),
    _case("upward prefix", "member_name_hostile", block(b"evil", prefix=b"../..")),
    _case("absolute prefix", "member_name_hostile", block(b"evil", prefix=b"/etc")),
    _case("prefix in a header of GNU", "archive_corrupt", block(b"a.md", prefix=b"dir", magic=b"ustar  \0")),
    _case("prefix in a header of old", "archive_corrupt", block(b"a.md", prefix=b"dir", magic=b"")),
    _case("bytes of another code page", "member_name_hostile", entry(b"caf\xe9.md", b"x")),
    _case("slash in two bytes", "member_name_hostile", entry(b"..\xc0\xafevil.md", b"x")),
    _case("dots in two bytes", "member_name_hostile", entry(b"\xc0\xae\xc0\xae/evil.md", b"x")),
    _case("half a character", "member_name_hostile", entry(b"\xed\xa0\x80.md", b"x")),
    _case(
        "bytes of another code page, by pax",
        "member_name_hostile",
        pax((b"hdrcharset", b"BINARY"), (b"path", b"caf\xe9.md")) + entry(b"a.md", b"x"),
    ),
]

_LIES = [
    _case("negative size", "archive_corrupt", block(b"a.md", size_field=b"\xff" * 12)),
    _case(
        "negative size of a header", "archive_corrupt", block(b"pax", kind=b"x", size_field=b"\xff" * 10 + b"\xfc\0")
    ),
    _case("size that is no number", "archive_corrupt", block(b"a.md", size_field=b"12x45678901\0")),
    _case("size beyond the end", "archive_truncated", block(b"a.md", 10**6) + b"x"),
    _case("astronomic size", "archive_truncated", block(b"a.md", size_field=b"\x80" + b"\x7f" * 11)),
    _case("size of pax beyond the end", "archive_truncated", pax((b"size", b"9" * 18)) + entry(b"a.md", b"x")),
    _case("size of pax that is no number", "archive_corrupt", pax((b"size", b"-1")) + entry(b"a.md", b"x")),
    _case(
        "member within a member",
        "archive_corrupt",
        pax((b"size", b"none")) + entry(b"a.md", entry(b"inner.md", b"x")),
    ),
    _case("two sizes", "archive_corrupt", pax((b"size", b"512")) + block(b"a.md", 0) + entry(b"evil")),
    _case("two sizes, one of them none", "archive_corrupt", pax((b"size", b"0")) + entry(b"a.md", b"x")),
    _case(
        "size of pax with an underscore", "archive_corrupt", pax((b"size", b"1_0")) + block(b"a.md", 10) + bytes(512)
    ),
    _case(
        "size of pax in digits of elsewhere",
        "archive_corrupt",
        pax((b"size", b"\xef\xbc\x91")) + entry(b"a.md", b"x"),
    ),
    _case("size for all", "archive_corrupt", pax((b"size", b"1"), kind=b"g") + entry(b"a.md", b"x")),
    _case("for all, among the members", "archive_corrupt", pax((b"comment", b"a"), kind=b"g") + entry(b"a.md", b"x")),
    _case("file with a slash and content", "archive_corrupt", entry(b"dir/", b"x", kind=b"\0")),
    _case("mode that is no number", "archive_corrupt", _garbled(100)),
    _case("time that is no number", "archive_corrupt", _garbled(136)),
    _case("directory with a size", "archive_corrupt", entry(b"dir", b"content", kind=b"5")),
    _case("wrong checksum", "archive_corrupt", block(b"a.md", checksum_error=1)),
    _case("two names", "archive_corrupt", pax((b"path", b"a")) + entry(b"L", b"b\0", kind=b"L") + entry(b"c.md", b"x")),
    _case("two names in one header", "archive_corrupt", pax((b"path", b"a"), (b"path", b"b")) + entry(b"c.md", b"x")),
    _case("name for all", "archive_corrupt", pax((b"path", b"a"), kind=b"g") + entry(b"c.md", b"x")),
    _case(
        "record that is too long", "archive_corrupt", entry(b"pax", b"99 path=a\n", kind=b"x") + entry(b"c.md", b"x")
    ),
    _case(
        "record longer than can be counted",
        "archive_corrupt",
        entry(b"pax", b"9" * 40 + b" path=a\n", kind=b"x") + entry(b"c.md", b"x"),
    ),
    _case("record of no length", "archive_corrupt", entry(b"pax", b"0 path=a\n", kind=b"x") + entry(b"c.md", b"x")),
    _case(
        "record without its newline",
        "archive_corrupt",
        entry(b"pax", b"10 path=ab6 a=b\n", kind=b"x") + entry(b"c.md", b"x"),
    ),
    _case("record without a value", "archive_corrupt", entry(b"pax", b"8 path\n\n", kind=b"x") + entry(b"c.md", b"x")),
    _case("header for nobody", "archive_corrupt", pax((b"path", b"a"))),
]

_ENDS = [
    _case("no end", "archive_truncated", b"", end=b""),
    _case("half an end", "archive_truncated", b"", end=bytes(512)),
    _case("something after the end", "archive_trailing", b"", end=END + b"garbage"),
    _case("something within the end", "archive_trailing", b"", end=bytes(512) + entry(b"evil", b"x") + END),
    _case("a second archive", "archive_trailing", b"", end=END + entry(b"evil", b"x") + END),
    _case("an empty zip archive behind it", "archive_kind_ambiguous", b"", end=END + b"PK\x05\x06" + bytes(18)),
]

TARS: tuple[Case, ...] = (*_NOT_REGULAR, *_NAMES, *_LIES, *_ENDS)
