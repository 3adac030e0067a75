"""Read a file that was found, and make text of it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from pycontextify.errors import IngestError
from pycontextify.ingest.language import language_of
from pycontextify.ingest.pdf import pages_of
from pycontextify.ingest.regular import open_regular, why
from pycontextify.ingest.sniff import HEAD_BYTES, content_of, wide_encoding

__all__ = ["Loaded", "Unreadable", "decode", "load"]


class Unreadable(IngestError):  # noqa: N818 - reads as the verdict it is
    """One file gives no text. ``reason`` says why, without the path; the other files go on."""

    default_code = "file_unreadable"

    @property
    def reason(self) -> str:
        """A short sentence, fit for a list of skipped files."""
        return self.what


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file as text.

    ``relative`` is its path below the root, with ``/``. ``content_hash`` is the SHA-256 of the raw bytes, 64 hex
    digits; ``size`` counts those bytes. Lines of ``text`` end with ``\\n`` alone. ``pages`` is None but for a PDF: the
    text of each page, the first being page 1; ``text`` is then all of them, with form feeds between.
    """

    relative: str
    text: str
    language: str
    content_hash: str
    size: int
    pages: tuple[str, ...] | None = None


def load(path: Path, relative: str, expected_size: int | None = None) -> Loaded:
    """Read a file.

    ``expected_size`` is what the crawl saw, in bytes: a file that has another size by now is refused, for it may be
    half-written or past the size limit.

    Raises Unreadable when it is gone, can't be read, changes while it is read, or holds no text.
    """
    try:
        content = _read(path, expected_size)
    except OSError as error:
        raise Unreadable(why(error), asset=relative) from error
    content_hash = hashlib.sha256(content).hexdigest()
    if content_of(path.name, content[:HEAD_BYTES]) == "pdf":
        try:
            pages = pages_of(content)
        except ValueError as error:
            raise Unreadable(str(error), asset=relative) from error
        return Loaded(relative, "\f".join(pages), "pdf", content_hash, len(content), pages)
    text = decode(content)
    if "\0" in text:
        raise Unreadable("binary", asset=relative)
    return Loaded(relative, text, language_of(relative, text), content_hash, len(content))


def decode(content: bytes) -> str:
    """Make text of bytes; never fails.

    A byte order mark decides when there is one (UTF-8, UTF-16, UTF-32), and what is malformed then becomes U+FFFD.
    Otherwise UTF-8; what is not UTF-8 is taken for cp1252, or, when it has bytes that cp1252 leaves undefined, for
    latin-1. ``\\r\\n`` and a lone ``\\r`` become ``\\n``, so line numbers stay what an editor shows.
    """
    wide = wide_encoding(content)
    text = content.decode(wide, "replace") if wide else _narrow(content)
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _narrow(content: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _read(path: Path, expected_size: int | None) -> bytes:
    """Return all bytes of a file that stays as it is meanwhile; raises OSError."""
    with open_regular(path) as (file, before):
        # One byte more than there should be shows a file that grows, without reading one that never ends.
        content = file.read(before.st_size + 1)
        after = os.fstat(file.fileno())
    if expected_size not in (None, before.st_size):
        raise OSError(None, "it changed since it was found")
    if len(content) != before.st_size or after.st_mtime_ns != before.st_mtime_ns:
        raise OSError(None, "it changed while it was read")
    return content
