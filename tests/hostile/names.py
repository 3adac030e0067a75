"""Names that mean harm on some system, in archives of both kinds."""

from __future__ import annotations

from tests.hostile.case import Case
from tests.hostile.tars import END, entry, pax
from tests.hostile.tars import PAIR as TAR_PAIR
from tests.hostile.zips import PAIR as ZIP_PAIR
from tests.hostile.zips import Part, build

__all__ = ["NAMES"]

_UTF8 = 0x800

_HOSTILE = {
    "drive further in": "a/C:/b.md",
    "stream of Windows": "docs.faiss:evil",
    "stream of Windows by its kind": "docs.faiss::$DATA",
    "device of Windows": "NUL",
    "device of Windows with an ending": "con.faiss",
    "device of Windows in a directory": "a/Aux/b.md",
    "device of Windows with a superscript": "COM¹.md",
    "device of Windows with a space": "lpt1 .md",
    "console of Windows": "CONOUT$",
    "directory that is a device of Windows": "prn/b.md",
    "dot at the end": "docs.faiss.",
    "space at the end": "docs.faiss ",
    "dot at the end of a directory": "a./b.md",
    "nothing but dots": ".../b.md",
    "right to left": "a\u202edm.exe.md",
    "right to left, isolated": "a\u2067dm.exe.md",
    "space without width": "docs\u200b.faiss",
    "joiner without width": "docs\u200d.faiss",
    "mark of byte order": "\ufeffdocs.faiss",
    "soft hyphen": "do\u00adcs.faiss",
    "tag": "docs\U000e0041.faiss",
    "end of a line": "a\u2028b.md",
    "end of a paragraph": "a\u2029b.md",
    "control character of the upper half": "a\u009b31mb.md",
    "end of a line of the upper half": "a\u0085b.md",
    "delete": "a\x7fb.md",
    "tabulator": "a\tb.md",
    "carriage return": "docs.faiss\r",
    "many bytes in few characters": "\u65e5" * 400,
    "many dots and slashes": "./" * 600 + "a.md",
    "one directory too deep": "a/" * 64 + "a.md",
    "slash that is a backslash": "a\\b.md",
    "home of somebody": "~/../evil.md",
}

_COLLIDING = {
    "case": ("A.md", "a.md"),
    "case of a directory": ("A/b.md", "a/c.md", "a/B.md"),
    "sharp s": ("stra\u00dfe.md", "STRASSE.md"),
    "capital sharp s": ("stra\u1e9ee.md", "stra\u00dfe.md"),
    "dotless i": ("d\u0131r.md", "DIR.md"),
    "final sigma": ("\u03c3.md", "\u03c2.md"),
    "long s": ("\u017fo.md", "so.md"),
    "sign of Kelvin": ("\u212a.md", "k.md"),
    "ligature": ("\ufb01le.md", "file.md"),
    "composition": ("\u00e9.md", "e\u0301.md"),
    "composition of Hangul": ("\ud55c.md", "\u1112\u1161\u11ab.md"),
    "order of accents": ("a\u0323\u0307.md", "a\u0307\u0323.md"),
    "composition and case": ("\u00c9.md", "e\u0301.md"),
    "iota below": ("\u1fb3.md", "\u0391\u0399.md"),
}


def _tar(names: tuple[str, ...]) -> bytes:
    members = (pax((b"path", name.encode())) + entry(b"plain", b"x") for name in names)
    return TAR_PAIR + b"".join(members) + END


def _zip(names: tuple[str, ...]) -> bytes:
    return build(*ZIP_PAIR, *(Part(name.encode(), b"x", flags=_UTF8) for name in names))


def _both(title: str, code: str, names: tuple[str, ...]) -> tuple[Case, Case]:
    return Case(title, "a.tar", lambda: _tar(names), code), Case(title, "a.zip", lambda: _zip(names), code)


NAMES: tuple[Case, ...] = (
    *(case for title, name in _HOSTILE.items() for case in _both(f"name: {title}", "member_name_hostile", (name,))),
    *(case for title, names in _COLLIDING.items() for case in _both(f"same {title}", "member_case_collision", names)),
)
