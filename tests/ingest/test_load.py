"""Loading: bytes become text, or the file is refused with a reason."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.ingest.load import Loaded, Unreadable, decode, load
from tests.ingest.trees import pdf_bytes


def reason_of(path: Path, expected_size: int | None = None) -> str:
    """Load what can't be loaded, and return why."""
    with pytest.raises(Unreadable) as caught:
        load(path, "sub/name", expected_size)
    assert caught.value.code == "file_unreadable"
    assert caught.value.asset == "sub/name"
    return caught.value.reason


def test_a_file_is_loaded_with_its_hash_language_and_size(tmp_path: Path) -> None:
    """The hash is that of the bytes on disk, before anything is decoded."""
    raw = b"\xef\xbb\xbfimport os\r\n"
    (tmp_path / "a.py").write_bytes(raw)
    expected = Loaded("pkg/a.py", "import os\n", "python", hashlib.sha256(raw).hexdigest(), len(raw))
    assert load(tmp_path / "a.py", "pkg/a.py") == expected
    assert load(tmp_path / "a.py", "pkg/a.py", expected_size=len(raw)) == expected


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", ""),
        ("naïve ☃".encode(), "naïve ☃"),
        ("\ufeffnaïve".encode(), "naïve"),
        ("naïve ☃".encode("utf-16"), "naïve ☃"),
        (b"\xfe\xff" + "naïve".encode("utf-16-be"), "naïve"),
        ("naïve ☃".encode("utf-32"), "naïve ☃"),
        ("wide".encode("utf-16") + b"x", "wide\ufffd"),
        (b"\xff\xfe\x00\xd8a\x00", "\ufffda"),
        ("naïve € ™".encode("cp1252"), "naïve € ™"),
        (b"na\xefve \x81", "naïve \x81"),
        (b"a\r\nb\rc\nd", "a\nb\nc\nd"),
        (b"a\r\r\nb", "a\n\nb"),
        ("a\x0cb\x85c\u2028d\n".encode(), "a\x0cb\x85c\u2028d\n"),
    ],
)
def test_bytes_are_decoded_by_mark_then_as_utf_8_then_as_what_windows_wrote(raw: bytes, text: str) -> None:
    """Line ends become newlines; other separators stay what they are."""
    assert decode(raw) == text


@given(st.binary())
def test_decoding_never_fails_and_gives_text_that_can_be_stored(raw: bytes) -> None:
    """Whatever the bytes are, the text can be encoded again and holds no carriage return."""
    text = decode(raw)
    assert "\r" not in text
    text.encode()


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), min_size=1))
def test_line_numbers_do_not_depend_on_the_kind_of_line_end(rows: list[str]) -> None:
    """The same lines give the same text, whichever system wrote them."""
    expected = "\n".join(rows).removeprefix("\ufeff")
    for end in ("\n", "\r\n", "\r"):
        assert decode(end.join(rows).encode()) == expected


def test_a_pdf_is_loaded_page_by_page(tmp_path: Path) -> None:
    """The pages are kept apart, because people cite pages."""
    raw = pdf_bytes("The first page.", "The second page.")
    (tmp_path / "book.pdf").write_bytes(raw)
    loaded = load(tmp_path / "book.pdf", "book.pdf")
    assert loaded.pages == ("The first page.", "The second page.")
    assert loaded.text == "The first page.\fThe second page."
    assert (loaded.language, loaded.content_hash) == ("pdf", hashlib.sha256(raw).hexdigest())


def test_a_pdf_that_can_not_be_read_is_refused(tmp_path: Path) -> None:
    """The reason is PDF's own; the details are in test_pdf."""
    (tmp_path / "book.pdf").write_bytes(b"%PDF-1.4 and then nothing")
    assert reason_of(tmp_path / "book.pdf") == "a broken PDF"


def test_a_file_that_is_gone_or_no_file_any_more_is_refused(tmp_path: Path) -> None:
    """Between crawl and load anything may happen; a fifo must not stop the run."""
    os.mkfifo(tmp_path / "fifo")
    assert reason_of(tmp_path / "gone") == "can't be read: No such file or directory"
    assert reason_of(tmp_path / "fifo") == "can't be read: not a regular file"
    assert reason_of(tmp_path) == "can't be read: not a regular file"


def test_a_file_that_has_changed_since_it_was_found_is_refused(tmp_path: Path) -> None:
    """It may be half-written, or past the limit that it was held to."""
    (tmp_path / "a.py").write_text("longer now", encoding="utf-8")
    assert reason_of(tmp_path / "a.py", expected_size=3) == "can't be read: it changed since it was found"


def test_a_file_that_turns_out_binary_later_on_is_refused(tmp_path: Path) -> None:
    """The crawl looks at the beginning only."""
    (tmp_path / "a.log").write_bytes(b"text\n" * 2000 + b"\0")
    assert reason_of(tmp_path / "a.log") == "binary"
