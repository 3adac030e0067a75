"""The rules that every transport keeps about sizes and digests."""

from __future__ import annotations

import pytest

from pycontextify.errors import PermanentFetchError, PyContextifyError, TransientFetchError, VerifyError
from pycontextify.hydration.transfer.transport import (
    Download,
    check_arriving,
    check_declared,
    check_digest,
    check_document,
    check_ended,
    check_request,
    is_absent,
)
from pycontextify.snapshot.digest import digest_of

SIZED = Download("vectors", ("http://host/a",), digest_of(b"12345"), 5)
UNSIZED = Download("archive", ("http://host/b",), limit=10)


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


def test_a_body_may_end_where_it_was_to() -> None:
    """Or anywhere, where nobody said."""
    check_ended(SIZED, 5, 5, "http://host")
    check_ended(UNSIZED, 4, None, "http://host")


def test_an_early_end_is_transient() -> None:
    """The message has both numbers."""
    with pytest.raises(TransientFetchError, match="ended after 4 of 5") as caught:
        check_ended(SIZED, 4, 5, "http://host")
    assert caught.value.code == "truncated"


def test_another_digest_is_rejected_with_both() -> None:
    """People compare the first digits. Without a digest, anything goes."""
    other = digest_of(b"54321")
    check_digest(UNSIZED, other, "http://host")
    check_digest(SIZED, digest_of(b"12345"), "http://host")
    with pytest.raises(VerifyError) as caught:
        check_digest(SIZED, other, "http://host")
    assert caught.value.code == "digest_mismatch"
    assert other.short in str(caught.value)
    assert digest_of(b"12345").short in str(caught.value)
    assert caught.value.hint


def test_what_is_known_to_be_too_large_is_not_asked_for() -> None:
    """The limit holds for known sizes too, to the byte."""
    check_request(Download("a", (), size=10, limit=10))
    with pytest.raises(VerifyError) as caught:
        check_request(Download("a", (), size=11, limit=10))
    assert caught.value.code == "size_exceeded"


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
