"""Archives that cost more than they bring: time, memory, or places on a disk."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from itertools import product

from tests.hostile.case import Case
from tests.hostile.tars import END, PAIR, block, entry, pax
from tests.hostile.zips import PAIR as ZIP_PAIR
from tests.hostile.zips import Part, build

__all__ = ["MASSES"]

_LETTERS = bytes.maketrans(b"0123456789", b"abcdefghij")
_KEYS = [bytes(key) for key in product(b"abcdefghijklmnop", repeat=3)]


def _members(each: Callable[[int], bytes], number: int) -> bytes:
    return PAIR + b"".join(map(each, range(number))) + END


def _packed(each: Callable[[int], bytes], number: int) -> bytes:
    return gzip.compress(_members(each, number), 1, mtime=0)


def _texts(number: int) -> Iterator[Part]:
    return (Part(b"%d.md" % each, method=0) for each in range(number))


def _many_records(number: int) -> bytes:
    """A member with thousands of pax records, each of which costs as much as a member."""
    return pax(*[(key, b"") for key in _KEYS[:3900]]) + entry(b"%d.md" % number)


def _for_all(number: int) -> bytes:
    """A member before which some more is said of all members; each gets a copy of all that was said."""
    return pax(*[(b"%d.%d" % (number, each), b"") for each in range(50)], kind=b"g") + entry(b"%d.md" % number)


def _long_comment(number: int) -> bytes:
    """A member with a comment that takes four bytes of memory for each of its letters."""
    return pax((b"comment", (b"%05d" % number).translate(_LETTERS) * 5000 + "\U0001f600".encode())) + entry(
        b"%d.md" % number
    )


def _long_name(number: int) -> bytes:
    """A member with the longest name there may be, which is twice as long when case is left out of account."""
    return pax((b"path", ("\u0390" * 500 + f"{number}.exe").encode())) + entry(b"a")


def _case(name: str, file_name: str, code: str, build: Callable[[], bytes]) -> Case:
    return Case(name, file_name, build, code)


_TARS = [
    _case(
        "huge extension header",
        "a.tar",
        "archive_bomb",
        lambda: PAIR + pax((b"comment", b"x" * 2_000_000)) + entry(b"a", b"x") + END,
    ),
    _case(
        "extension headers without end",
        "a.tar",
        "archive_bomb",
        lambda: PAIR + pax((b"comment", b"x")) * 100 + entry(b"a", b"x") + END,
    ),
    _case(
        "number without end",
        "a.tar",
        "archive_corrupt",
        lambda: PAIR + pax((b"comment", b"1" * 30_000)) + entry(b"a", b"x") + END,
    ),
    _case("records without end", "a.tar.gz", "archive_bomb", lambda: _packed(_many_records, 500)),
    _case("something more for all with each member", "a.tar.gz", "archive_corrupt", lambda: _packed(_for_all, 990)),
    _case(
        "much for all",
        "a.tar",
        "archive_bomb",
        lambda: (
            pax(*[(key, b"") for key in _KEYS[:60]], kind=b"g")
            + pax(*[(key, b"") for key in _KEYS[60:120]], kind=b"g")
            + PAIR
            + END
        ),
    ),
    _case("long comments", "a.tar.gz", "archive_bomb", lambda: _packed(_long_comment, 990)),
    _case("long names", "a.tar.gz", "member_unexpected", lambda: _packed(_long_name, 990)),
    _case("too many members", "a.tar", "archive_too_many_members", lambda: _members(lambda n: entry(b"%d" % n), 1001)),
    _case(
        "members without number",
        "a.tar.gz",
        "archive_too_many_members",
        lambda: gzip.compress(PAIR + b"".join(entry(b"%d.md" % n) for n in range(1000)) + entry(b"a") * 90_000, 1),
    ),
    _case(
        "thousands of halves",
        "a.tar",
        "members_missing",
        lambda: b"".join(entry(b"%d.sqlite" % each, b"x") for each in range(990)) + END,
    ),
    _case("long GNU name", "a.tar", "archive_bomb", lambda: PAIR + entry(b"L", b"a" * 40_000, kind=b"L") + END),
    _case(
        "sizes of many petabytes",
        "a.tar",
        "archive_truncated",
        lambda: PAIR + block(b"a", size_field=b"\x80" + bytes(4) + b"\xff" * 7),
    ),
]

_ZIPS = [
    _case("too many members", "a.zip", "archive_too_many_members", lambda: build(*ZIP_PAIR, *_texts(1001))),
    _case("as many members as can be counted", "a.zip", "archive_too_many_members", lambda: build(*_texts(65_000))),
    _case(
        "vast directory",
        "a.zip",
        "archive_too_many_members",
        lambda: build(
            *ZIP_PAIR, *(Part(b"%d" % number, extra=b"\x99\x99\x60\xea" + bytes(60_000)) for number in range(90))
        ),
    ),
]

MASSES: tuple[Case, ...] = (*_TARS, *_ZIPS)
