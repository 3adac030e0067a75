"""Hostile tar archives, built from blocks so that every field can lie."""

from __future__ import annotations

from tests.hostile.case import CHUNKS, NAME, VECTORS, Case

__all__ = ["END", "PAIR", "TARS", "block", "entry"]

END = bytes(1024)


def block(
    name: bytes,
    size: int = 0,
    kind: bytes = b"0",
    *,
    link: bytes = b"",
    size_field: bytes | None = None,
    checksum_error: int = 0,
) -> bytes:
    """Return a ustar header."""
    head = (
        name.ljust(100, b"\0")
        + b"0000644\0" * 3
        + (size_field or b"%011o\0" % size)
        + b"00000000000\0"
        + b" " * 8
        + kind
        + link.ljust(100, b"\0")
        + b"ustar\x0000"
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


_SPARSE = bytearray(block(b"sparse", kind=b"S", checksum_error=1))
_SPARSE[482] = 1  # the map goes on in the next block, which says the same of itself


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
    _case("sparse file of GNU", "member_not_regular", entry(b"sparse", kind=b"S")),
    _case("continued from another volume", "member_not_regular", entry(b"part", b"x", kind=b"M")),
    _case("GNU long link", "archive_corrupt", entry(b"././@LongLink", b"/etc/passwd\0", kind=b"K")),
    _case("unknown kind", "member_not_regular", entry(b"what", b"x", kind=b"Z")),
    _case(
        "sparse file of pax",
        "member_not_regular",
        pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.realsize", b"99999999999")) + entry(b"sparse", b"0\n"),
    ),
    _case("sparse map without end", "archive_bomb", bytes(_SPARSE) + (bytes(504) + b"\1" + bytes(7)) * 100),
    _case("real size of star", "member_not_regular", pax((b"SCHILY.realsize", b"99999")) + entry(b"sparse", b"x")),
]

_NAMES = [
    _case("absolute name", "member_name_hostile", entry(b"/etc/evil", b"x")),
    _case("network name", "member_name_hostile", entry(b"//host/share/evil", b"x")),
    _case("upward name", "member_name_hostile", entry(b"../evil", b"x")),
    _case("upward name further in", "member_name_hostile", entry(b"a/b/../../../evil", b"x")),
    _case("upward directory", "member_name_hostile", entry(b"..", kind=b"5")),
    _case("upward name of pax", "member_name_hostile", pax((b"path", b"../evil")) + entry(b"fine", b"x")),
    _case("upward name of GNU", "member_name_hostile", entry(b"L", b"../evil\0", kind=b"L") + entry(b"fine", b"x")),
    _case("backslash", "member_name_hostile", entry(b"..\\evil", b"x")),
    _case("drive letter", "member_name_hostile", entry(b"C:evil", b"x")),
    _case("NUL of pax", "member_name_hostile", pax((b"path", b"docs.faiss\0.txt")) + entry(b"fine", b"x")),
    _case("NUL of GNU", "archive_corrupt", entry(b"L", b"a\0/../b\0", kind=b"L") + entry(b"fine", b"x")),
    _case("something behind a name's NUL", "archive_corrupt", entry(b"fine\0/../evil", b"x")),
    _case("newline", "member_name_hostile", entry(b"a\nb", b"x")),
    _case("escape sequence", "member_name_hostile", entry(b"\x1b[2Ja", b"x")),
    _case("directory's name", "member_name_hostile", entry(b"dir/", b"x")),
    _case("directory's name of pax", "archive_corrupt", pax((b"path", b"dir/")) + entry(b"fine", b"x")),
    _case("nameless", "member_name_hostile", entry(b"", b"x")),
    _case("named dot", "member_name_hostile", entry(b"./.", b"x")),
    _case("endless name", "member_name_hostile", pax((b"path", b"a" * 5000)) + entry(b"fine", b"x")),
    _case("endless depth", "member_name_hostile", pax((b"path", b"a/" * 100 + b"a")) + entry(b"fine", b"x")),
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
    _case("dot at the end", "member_case_collision", entry(b"docs.faiss.", b"other")),
]

_LIES = [
    _case("negative size", "archive_corrupt", block(b"a", size_field=b"\xff" * 12)),
    _case(
        "negative size of a header", "archive_corrupt", block(b"pax", kind=b"x", size_field=b"\xff" * 10 + b"\xfc\0")
    ),
    _case("size that is no number", "archive_corrupt", block(b"a", size_field=b"12x45678901\0")),
    _case("size beyond the end", "archive_truncated", block(b"a", 10**6) + b"x"),
    _case("astronomic size", "archive_truncated", block(b"a", size_field=b"\x80" + b"\x7f" * 11)),
    _case("size of pax beyond the end", "archive_truncated", pax((b"size", b"9" * 18)) + entry(b"a", b"x")),
    _case("size of pax that is no number", "archive_corrupt", pax((b"size", b"-1")) + entry(b"a", b"x")),
    _case(
        "member within a member",
        "archive_corrupt",
        pax((b"size", b"none")) + entry(b"a", entry(b"inner", b"x")),
    ),
    _case("directory with a size", "archive_corrupt", entry(b"dir", b"content", kind=b"5")),
    _case("wrong checksum", "archive_corrupt", block(b"a", checksum_error=1)),
    _case("two names", "archive_corrupt", pax((b"path", b"a")) + entry(b"L", b"b\0", kind=b"L") + entry(b"c", b"x")),
    _case("two names in one header", "archive_corrupt", pax((b"path", b"a"), (b"path", b"b")) + entry(b"c", b"x")),
    _case("name for all", "archive_corrupt", pax((b"path", b"a"), kind=b"g") + entry(b"c", b"x")),
    _case("record that is too long", "archive_corrupt", entry(b"pax", b"99 path=a\n", kind=b"x") + entry(b"c", b"x")),
    _case(
        "record longer than can be counted",
        "archive_corrupt",
        entry(b"pax", b"9" * 40 + b" path=a\n", kind=b"x") + entry(b"c", b"x"),
    ),
    _case("record of no length", "archive_corrupt", entry(b"pax", b"0 path=a\n", kind=b"x") + entry(b"c", b"x")),
    _case(
        "record without its newline",
        "archive_corrupt",
        entry(b"pax", b"10 path=ab6 a=b\n", kind=b"x") + entry(b"c", b"x"),
    ),
    _case("record without a value", "archive_corrupt", entry(b"pax", b"8 path\n\n", kind=b"x") + entry(b"c", b"x")),
    _case("header for nobody", "archive_corrupt", pax((b"path", b"a"))),
]

_ENDS = [
    _case("no end", "archive_truncated", b"", end=b""),
    _case("half an end", "archive_truncated", b"", end=bytes(512)),
    _case("something after the end", "archive_trailing", b"", end=END + b"garbage"),
    _case("something within the end", "archive_trailing", b"", end=bytes(512) + entry(b"evil", b"x") + END),
    _case("a second archive", "archive_trailing", b"", end=END + entry(b"evil", b"x") + END),
    _case("a zip archive behind it", "archive_trailing", b"", end=END + b"PK\x05\x06" + bytes(18)),
]

_MASSES = [
    _case("huge extension header", "archive_bomb", pax((b"comment", b"x" * 2_000_000)) + entry(b"a", b"x")),
    _case("extension headers without end", "archive_bomb", pax((b"comment", b"x")) * 100 + entry(b"a", b"x")),
    _case("number without end", "archive_corrupt", pax((b"comment", b"1" * 30_000)) + entry(b"a", b"x")),
    Case(
        "too many members",
        "a.tar",
        lambda: PAIR + b"".join(entry(b"%d" % number) for number in range(10_001)) + END,
        "archive_too_many_members",
    ),
]

TARS: tuple[Case, ...] = (*_NOT_REGULAR, *_NAMES, *_LIES, *_ENDS, *_MASSES)
