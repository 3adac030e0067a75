"""Text comes out of real PDFs, and bad ones are told apart."""

from __future__ import annotations

import threading

import pytest

from pycontextify.ingest.pdf import pages_of
from tests.ingest.trees import pdf_bytes

ENCRYPTED = (
    f"/ID [<{'00' * 16}> <{'00' * 16}>] "
    f"/Encrypt << /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <{'11' * 32}> /U <{'22' * 32}> >>"
)


def test_pages_come_in_order_and_an_empty_one_keeps_its_place() -> None:
    """The number of a page is its place, so no page may drop out."""
    assert pages_of(pdf_bytes("one", "", "three")) == ("one", "", "three")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "a broken PDF"),
        (b"%PDF-1.7\ngarbage", "a broken PDF"),
        (pdf_bytes("secret", trailer=ENCRYPTED), "an encrypted PDF"),
        (pdf_bytes("", ""), "a PDF without text (a scan?)"),
    ],
)
def test_a_pdf_that_gives_no_text_says_why(content: bytes, reason: str) -> None:
    """Broken, locked and scanned books need different things done about them."""
    with pytest.raises(ValueError, match=r"PDF") as caught:
        pages_of(content)
    assert str(caught.value) == reason


def test_a_pdf_with_too_much_text_is_refused() -> None:
    """A few kilobytes can unpack to anything; the pages together count."""
    content = pdf_bytes("12345", "67890")
    assert pages_of(content, max_text=10) == ("12345", "67890")
    with pytest.raises(ValueError, match=r"^a PDF with more than 9 characters$"):
        pages_of(content, max_text=9)


def test_any_beginning_of_a_pdf_is_handled() -> None:
    """A download that broke off gives text or a reason, never another error."""
    whole = pdf_bytes("one", "two")
    for size in range(0, len(whole), 37):
        try:
            assert any(pages_of(whole[:size]))
        except ValueError as error:
            assert "PDF" in str(error)  # noqa: PT017 - either outcome will do


def test_threads_take_turns() -> None:
    """PDFium crashes the process when two threads are in it at once."""
    content = pdf_bytes(*["page"] * 20)
    results: list[tuple[str, ...]] = []
    threads = [threading.Thread(target=lambda: results.append(pages_of(content))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [("page",) * 20] * 8
