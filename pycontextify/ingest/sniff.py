"""What a file is, judged by its name and its first bytes."""

from __future__ import annotations

import codecs
from typing import Literal

__all__ = ["HEAD_BYTES", "Content", "content_of", "wide_encoding"]

Content = Literal["text", "pdf", "binary"]

HEAD_BYTES = 8192
"""How much of a file decides. Git looks at about as much."""

_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_IN_TEXT = bytes(set(range(0x20)) - set(b"\t\n\v\f\r\b\x1b")) + b"\x7f"


def wide_encoding(content: bytes) -> str | None:
    """Return ``utf-16`` or ``utf-32`` when the bytes begin with its byte order mark."""
    return next((name for mark, name in _WIDE if content.startswith(mark)), None)


def content_of(name: str, head: bytes) -> Content:
    """Judge a file by its name and its first `HEAD_BYTES` bytes.

    PDF goes by extension or magic. A NUL byte makes a file binary, unless a byte order mark says UTF-16 or UTF-32.
    What is not UTF-8 is still text (in some older encoding) as long as it holds no control characters.
    """
    if head.startswith(b"%PDF-") or name.lower().endswith(".pdf"):
        return "pdf"
    if wide_encoding(head):
        return "text"
    if b"\0" in head:
        return "binary"
    try:
        # Not final: a character may straddle the end of the head.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "binary" if head.translate(None, _NOT_IN_TEXT) != head else "text"
    return "text"
