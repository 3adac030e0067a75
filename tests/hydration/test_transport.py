"""The rules that every transport keeps about sizes and digests."""

from __future__ import annotations

import pytest

from pycontextify.errors import PermanentFetchError, PyContextifyError, TransientFetchError, VerifyError
from pycontextify.hydration.transport import (
    Download,
    Received,
    check_arriving,
    check_declared,
    check_document,
    check_received,
    is_absent,
)
from pycontextify.snapshot.digest import digest_of

SIZED = Download("vectors", "http://host/a", digest_of(b"12345"), 5)
UNSIZED = Download("archive", "http://host/b", limit=10)


@pytest.mark.parametrize(
    ("request_", "declared", "kind", "code"),
    [
        (SIZED, 6, VerifyError, "size_exceeded"),
        (SIZED, 4, TransientFetchError, "truncated"),
        (UNSIZED, 11, VerifyError, "size_exceeded"),
    ],
)
def test_wrong_declarations(request_: Download, declared: int, kind: type[PyContextifyError], code: str) -> None:
    """Too many bytes are rejected, too few may be a publication under way; the message has both numbers."""
    with pytest.raises(kind) as caught:
        check_declared(request_, declared, "http://host")
    assert caught.value.code == code
    assert str(declared) in str(caught.value)
    assert caught.value.asset == "http://host"


@pytest.mark.parametrize(("request_", "declared"), [(SIZED, 5), (UNSIZED, 10), (UNSIZED, 0)])
def test_right_declarations(request_: Download, declared: int) -> None:
    """The size that is known, or anything up to the limit."""
    check_declared(request_, declared, "http://host")


@pytest.mark.parametrize(("request_", "most"), [(SIZED, 5), (UNSIZED, 10)])
def test_no_more_arrives_than_may(request_: Download, most: int) -> None:
    """The known size, or the limit, to the byte."""
    check_arriving(request_, most, "http://host")
    with pytest.raises(VerifyError) as caught:
        check_arriving(request_, most + 1, "http://host")
    assert caught.value.code == "size_exceeded"


def test_a_whole_body_passes() -> None:
    """Right size, right digest; without either, what was declared."""
    check_received(SIZED, Received(digest_of(b"12345"), 5), 5, "http://host")
    check_received(UNSIZED, Received(digest_of(b"anything"), 8), 8, "http://host")
    check_received(UNSIZED, Received(digest_of(b"anything"), 8), None, "http://host")


@pytest.mark.parametrize(("request_", "declared"), [(SIZED, None), (SIZED, 4), (UNSIZED, 9)])
def test_an_early_end_is_transient(request_: Download, declared: int | None) -> None:
    """Fewer bytes than known or declared, whatever their digest."""
    with pytest.raises(TransientFetchError, match="ended after 4 of") as caught:
        check_received(request_, Received(digest_of(b"1234"), 4), declared, "http://host")
    assert caught.value.code == "truncated"


def test_another_digest_is_rejected_with_both() -> None:
    """People compare the first digits."""
    other = digest_of(b"54321")
    with pytest.raises(VerifyError) as caught:
        check_received(SIZED, Received(other, 5), 5, "http://host")
    assert caught.value.code == "digest_mismatch"
    assert other.short in str(caught.value)
    assert digest_of(b"12345").short in str(caught.value)
    assert caught.value.hint


def test_a_document_is_bounded() -> None:
    """To the byte."""
    check_document(10, 10, "http://host")
    with pytest.raises(VerifyError) as caught:
        check_document(11, 10, "http://host")
    assert caught.value.code == "size_exceeded"


@pytest.mark.parametrize(
    ("code", "absent"), [("http_404", True), ("http_410", True), ("file_missing", True), ("http_403", False)]
)
def test_what_is_absent(code: str, *, absent: bool) -> None:
    """Only an answer that says so means that there is no such asset."""
    assert is_absent(PermanentFetchError("no", code=code)) is absent
