"""Text or not, by the first bytes."""

from __future__ import annotations

import gzip
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.ingest.sniff import HEAD_BYTES, content_of


@pytest.mark.parametrize(
    ("name", "head", "content"),
    [
        ("a", b"", "text"),
        ("a", b"plain\n", "text"),
        ("a", "naïve\n".encode(), "text"),
        ("a", "naïve\n".encode("cp1252"), "text"),
        ("a", b"colour \x1b[1m and page \f break", "text"),
        ("a", "wide".encode("utf-16"), "text"),
        ("a", "wide".encode("utf-32"), "text"),
        ("a", b"a\0b", "binary"),
        ("a", b"\x89PNG\r\n\x1a\n", "binary"),
        ("a", gzip.compress(b"text", mtime=0)[:10], "binary"),
        ("a", b"\xff\x01\xfe", "binary"),
        ("a", b"%PDF-1.7\n\0", "pdf"),
        ("a.PDF", b"not really", "pdf"),
    ],
)
def test_the_first_bytes_tell(name: str, head: bytes, content: str) -> None:
    """Old encodings count as text, compressed and drawn things do not, PDF goes by name or magic."""
    assert content_of(name, head) == content


@given(st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), min_size=1))
def test_utf_8_cut_anywhere_is_text(text: str) -> None:
    """The head may end in the middle of a character; that makes no file binary."""
    content = text.encode() * (HEAD_BYTES // len(text.encode()) + 1)
    assert content_of("a", content[:HEAD_BYTES]) == "text"


def test_noise_is_binary() -> None:
    """What is compressed or encrypted shows within the first bytes, also when it holds no NUL."""
    noise = os.urandom(4096).replace(b"\0", b"\1")
    assert content_of("a", b"\xff" + noise) == "binary"
