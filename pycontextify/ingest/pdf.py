"""The text of a PDF, page by page."""

from __future__ import annotations

import re
import threading

import pypdfium2

__all__ = ["MAX_TEXT", "pages_of"]

MAX_TEXT = 16 << 20
"""Most characters taken from one PDF. Ten thousand dense pages hold more; a decompression bomb holds anything."""

_ALONE = threading.Lock()
"""PDFium keeps global state and crashes when two threads are inside it: the one lock a process needs."""

_SOFT_HYPHEN = re.compile("[\x02\ufffe]\r?\n?")
"""How PDFium marks a hyphen that only a line's end made."""

_NOT_TEXT = re.compile("[\0-\x08\x0e-\x1f]")


def pages_of(content: bytes, max_text: int = MAX_TEXT) -> tuple[str, ...]:
    """Return the text of every page, lines ending with ``\\n``; a page without text is an empty string.

    Raises ValueError, with a short sentence: the file is encrypted or broken, holds more than ``max_text`` characters,
    or none at all.
    """
    with _ALONE:
        try:
            document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as error:
            locked = error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD
            raise ValueError("an encrypted PDF" if locked else "a broken PDF") from error
        try:
            pages = _read(document, max_text)
        except pypdfium2.PdfiumError as error:
            raise ValueError("a broken PDF") from error
        finally:
            document.close()
    if not any(pages):
        raise ValueError("a PDF without text (a scan?)")
    return pages


def _read(document: pypdfium2.PdfDocument, max_text: int) -> tuple[str, ...]:
    pages: list[str] = []
    room = max_text
    for page in document:
        layer = page.get_textpage()
        room -= layer.count_chars()
        if room < 0:
            raise ValueError(f"a PDF with more than {max_text:,} characters")
        pages.append(_cleaned(layer.get_text_range()))
        layer.close()
        page.close()
    return tuple(pages)


def _cleaned(text: str) -> str:
    text = _SOFT_HYPHEN.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _NOT_TEXT.sub(" ", text).strip()
