"""What is no archive, several at once, or holds what has nothing to do with an index."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct

import zstandard

from tests.hostile.case import Case
from tests.hostile.tars import END, block, entry
from tests.hostile.tars import PAIR as TAR_PAIR
from tests.hostile.zips import GOOD_ZIP, Part, build
from tests.hostile.zips import PAIR as ZIP_PAIR

__all__ = ["OTHERS"]

_TAR = TAR_PAIR + END

_NESTED = {
    "a zip": GOOD_ZIP,
    "an empty zip": build(),
    "a tar": _TAR,
    "a tar of before POSIX": block(b"a", magic=b"") + END,
    "a tar.gz": gzip.compress(_TAR, mtime=0),
    "a tar.zst": zstandard.compress(_TAR),
    "a tar.bz2": bz2.compress(_TAR),
    "a tar.xz": lzma.compress(_TAR),
    "a 7z": b"7z\xbc\xaf\x27\x1c" + bytes(100),
    "a rar": b"Rar!\x1a\x07\x01\0" + bytes(100),
    "a cab": b"MSCF" + bytes(100),
    "a cpio": b"070701" + b"0" * 104,
    "a Debian package": b"!<arch>\ndebian-binary   ",
    "an lz4": b"\x04\x22\x4d\x18" + bytes(100),
    "a file of compress": b"\x1f\x9d\x90" + bytes(100),
    "a lzip": b"LZIP\1" + bytes(100),
    "a xar": b"xar!" + bytes(100),
}

_UNEXPECTED = [
    b"evil.sh",
    b"evil.exe",
    b"Makefile",
    b"README.exe",
    b"LICENSE.faiss.so",
    b".ssh/authorized_keys",
    b".bashrc",
    b".git/hooks/post-checkout",
    b"__init__.py",
    b"docs.faiss-wal",
    b"docs.sqlite-journal",
    b"docs.pkl",
    b"page.html",
    b"blobs/sha256/notes",
    b".pycontextify",
]


def _zip_that_is_a_tar() -> bytes:
    """A zip archive whose first local header, with its extra field, is a tar header as well."""
    first = Part(b"a.md", method=0, extra=b"\x99\x99" + struct.pack("<H", 600) + bytes(600))
    content = bytearray(build(first, *ZIP_PAIR))
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    return bytes(content)


def _gzip_that_is_a_tar() -> bytes:
    """A tar.gz archive whose header has a comment that makes it a tar header as well."""
    packed = gzip.compress(_TAR, mtime=0)
    content = bytearray(packed[:3] + b"\4" + packed[4:10] + struct.pack("<H", 600) + bytes(600) + packed[10:])
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    return bytes(content)


def _behind(packed: bytes) -> bytes:
    """A zip archive that begins with another file, as those that unpack themselves do."""
    return build(*ZIP_PAIR, before=packed)


def _nested(title: str, content: bytes) -> tuple[Case, Case]:
    # So far from the end that the whole does not end as a zip.
    tar = entry(b"inner.md", content) + entry(b"text.md", b"text " * 20_000)
    return (
        Case(f"{title} within", "a.tar", lambda: TAR_PAIR + tar + END, "archive_nested"),
        Case(f"{title} within", "a.zip", lambda: build(*ZIP_PAIR, Part(b"inner.md", content)), "archive_nested"),
    )


def _unexpected(name: bytes) -> tuple[Case, Case]:
    title = f"beside it {name.decode()}"
    return (
        Case(title, "a.tar", lambda: TAR_PAIR + entry(name, b"x") + END, "member_unexpected"),
        Case(title, "a.zip", lambda: build(*ZIP_PAIR, Part(name, b"x")), "member_unexpected"),
    )


def _case(name: str, file_name: str, code: str, content: bytes) -> Case:
    return Case(name, file_name, lambda: content, code)


_NO_ARCHIVES = [
    _case("empty", "a.tar", "archive_kind_unknown", b""),
    _case("a web page", "a.zip", "archive_kind_unknown", b"<!doctype html><title>404</title>"),
    _case("zeros", "a.tar", "archive_kind_unknown", bytes(10240)),
    _case("a picture with a zip behind it", "a.zip", "archive_kind_unknown", b"GIF89a" + GOOD_ZIP),
    _case("a program with a zip behind it", "a.zip", "archive_kind_unknown", _behind(b"MZ" + bytes(1000))),
    _case("a script with a zip behind it", "a.zip", "archive_kind_unknown", _behind(b"#!/bin/sh\n")),
    _case("a tar.bz2", "a.tar", "archive_kind_unknown", bz2.compress(_TAR)),
    _case("a tar.xz", "a.tar", "archive_kind_unknown", lzma.compress(_TAR)),
    _case(
        "a skippable frame before it",
        "a.tar.zst",
        "archive_kind_unknown",
        b"\x50\x2a\x4d\x18\1\0\0\0x" + zstandard.compress(_TAR),
    ),
    _case("a tar called zip", "a.zip", "archive_kind_mismatch", _TAR),
    _case("a zip called tar", "a.tar.gz", "archive_kind_mismatch", GOOD_ZIP),
    _case("an unpacked one called packed", "a.tgz", "archive_kind_mismatch", _TAR),
]

_SEVERAL = [
    _case("a zip that is a tar", "a.zip", "archive_kind_ambiguous", _zip_that_is_a_tar()),
    _case("a tar.gz that is a tar", "a.tar.gz", "archive_kind_ambiguous", _gzip_that_is_a_tar()),
    _case(
        "a tar that ends as a zip", "a.tar", "archive_kind_ambiguous", TAR_PAIR + entry(b"a.md", b"x" + GOOD_ZIP) + END
    ),
    _case("a zip behind a tar", "a.tar", "archive_kind_ambiguous", _behind(_TAR)),
    _case("a zip behind a tar.gz", "a.tar.gz", "archive_kind_ambiguous", _behind(gzip.compress(_TAR))),
    _case("a zip behind a tar.zst", "a.tar.zst", "archive_kind_ambiguous", _behind(zstandard.compress(_TAR))),
    _case(
        "a zip in a skippable frame",
        "a.tar.zst",
        "archive_kind_ambiguous",
        zstandard.compress(_TAR) + b"\x50\x2a\x4d\x18" + struct.pack("<L", len(GOOD_ZIP)) + GOOD_ZIP,
    ),
]

OTHERS: tuple[Case, ...] = (
    *_NO_ARCHIVES,
    *_SEVERAL,
    *(case for title, content in _NESTED.items() for case in _nested(title, content)),
    *(case for name in _UNEXPECTED for case in _unexpected(name)),
)
