"""Digests and the files that tell them."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.errors import VerifyError
from pycontextify.snapshot.digest import Digest, digest_of, parse_digest, parse_sidecar
from tests.snapshot.strategies import digests

HEX = hashlib.sha256(b"vectors").hexdigest()


@given(content=st.binary(max_size=200))
def test_digest_of_is_the_sha256_in_oci_form(content: bytes) -> None:
    """The digest of bytes is what hashlib says, behind ``sha256:``."""
    digest = digest_of(content)
    assert digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert digest.short == digest.hex[:12] == digest[7:19]


@given(digest=digests, upper=st.booleans(), prefix=st.booleans(), space=st.sampled_from(["", " ", "\n", "\t "]))
def test_any_usual_spelling_is_read_as_the_same_digest(digest: Digest, upper: bool, prefix: bool, space: str) -> None:
    """Case, prefix and white space around do not matter; what comes out is always the one canonical form."""
    text = str(digest) if prefix else digest.hex
    assert parse_digest(f"{space}{text.upper() if upper else text}{space}") == digest


@given(text=st.text(st.characters(), max_size=100))
def test_what_is_no_digest_raises_value_error(text: str) -> None:
    """Anything but 64 hex digits is refused with a sentence, whatever it is."""
    with pytest.raises(ValueError, match="not a SHA-256 digest of 64 hex digits"):
        parse_digest(text)


@pytest.mark.parametrize("text", [HEX[:-1], f"{HEX}0", f"sha512:{HEX}", f"sha256:sha256:{HEX}", f"{HEX[:-1]}g", ""])
def test_near_misses_are_refused(text: str) -> None:
    """A digit too few or too many, another algorithm, the prefix twice."""
    with pytest.raises(ValueError, match="not a SHA-256"):
        parse_digest(text)


def test_a_long_wrong_text_is_not_repeated_whole() -> None:
    """A page of HTML in the place of a digest does not end up in the message."""
    with pytest.raises(ValueError, match="not a SHA-256") as caught:
        parse_digest("<html>" * 10_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "text",
    [
        HEX,
        f"{HEX}\n",
        f"{HEX}  index.tar.gz\n",
        f"{HEX} *index.tar.gz\n",
        f"{HEX.upper()}  index.tar.gz",
        f"sha256:{HEX}\r\n",
        f"{HEX}  a name with spaces.zip\n{'0' * 64}  another.zip\n",
        f"\ufeff{HEX}\n",
    ],
)
def test_sidecars_as_the_usual_tools_write_them(text: str) -> None:
    """Bare, as sha256sum in text and binary mode, in upper case, from Windows: the first word is the digest."""
    assert parse_sidecar(text, asset="index.tar.gz") == f"sha256:{HEX}"


@pytest.mark.parametrize(
    "text",
    ["", "\n", "<!DOCTYPE html><html><body>Not Found</body></html>", f"SHA256 (index.zip) = {HEX}", "d41d8cd9", "404"],
)
def test_a_sidecar_without_a_digest_is_refused(text: str) -> None:
    """An error page, an empty file, another algorithm: a typed error that names the asset and says what to do."""
    with pytest.raises(VerifyError) as caught:
        parse_sidecar(text, asset="https://host/index.zip.sha256")
    assert caught.value.code == "sidecar_invalid"
    assert caught.value.asset == "https://host/index.zip.sha256"
    assert caught.value.hint


@given(text=st.text(st.characters()))
def test_no_sidecar_raises_anything_else(text: str) -> None:
    """Whatever a host answers with, the outcome is a digest or a VerifyError."""
    try:
        assert len(parse_sidecar(text, asset="x").hex) == 64
    except VerifyError as error:
        assert error.code == "sidecar_invalid"  # noqa: PT017 - either outcome is right
