"""Digests: the names of blobs."""

from __future__ import annotations

import hashlib
import re

from pycontextify.errors import VerifyError

__all__ = ["Digest", "digest_of", "parse_digest", "parse_sidecar"]

_HEX = re.compile(r"[0-9a-f]{64}")


class Digest(str):
    """A SHA-256 in OCI form, ``sha256:`` and 64 lower-case hex digits. Make one with `parse_digest` or `digest_of`."""

    __slots__ = ()

    @property
    def hex(self) -> str:
        """The 64 hex digits alone: the blob's file name."""
        return self.removeprefix("sha256:")

    @property
    def short(self) -> str:
        """The first 12 hex digits, for people."""
        return self.hex[:12]


def parse_digest(text: str) -> Digest:
    """Read a digest, with or without its ``sha256:``; hex digits in either case.

    Raises ValueError, with a sentence fit for people.
    """
    digits = text.strip().lower().removeprefix("sha256:")
    if not _HEX.fullmatch(digits):
        raise ValueError(f"not a SHA-256 digest of 64 hex digits: {text[:80]!r}")
    return Digest(f"sha256:{digits}")


def digest_of(content: bytes) -> Digest:
    """Return the digest of bytes in memory."""
    return Digest(f"sha256:{hashlib.sha256(content).hexdigest()}")


def parse_sidecar(text: str, *, asset: str) -> Digest:
    """Read the ``.sha256`` file beside an asset: a bare digest, or ``digest  name`` as sha256sum(1) writes it.

    Raises VerifyError when the first word is no digest (an HTML error page, say).
    """
    words = text.removeprefix("\ufeff").split(maxsplit=1)  # Windows tools like to begin with a byte order mark
    try:
        return parse_digest(words[0] if words else "")
    except ValueError as error:
        raise VerifyError(
            "its .sha256 file holds no SHA-256 digest",
            code="sidecar_invalid",
            asset=asset,
            hint="publish the file again, or pin the digest in the settings",
        ) from error
