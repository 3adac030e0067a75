"""Signatures: who vouches for a snapshot. Public keys and signatures in the format of minisign; pure.

Source: https://jedisct1.github.io/minisign/, "Signature format" and "Public key format". A public key is the base64 of
``Ed``, eight bytes of key id and the Ed25519 key (RFC 8032). A signature file has four lines: a comment that nothing
vouches for; the base64 of ``ED`` (the BLAKE2b-512 of the file was signed) or ``Ed`` (the file itself was), key id and
signature; a trusted comment; the base64 of a signature over the first signature and that comment.

Nothing that is signed is looked at here: bytes are verified before anybody parses them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from pycontextify.errors import UntrustedError

__all__ = [
    "SIGNATURE_LIMIT",
    "PublicKey",
    "Signature",
    "check_document",
    "check_file",
    "check_trusted",
    "parse_public_key",
    "parse_signature",
    "prehash",
]

SIGNATURE_LIMIT = 8 << 10
"""The most bytes that a signature may have; minisign takes comments of 1 KiB and of 8 KiB."""

_ALGORITHM, _PREHASHED = b"Ed", b"ED"
_UNTRUSTED, _TRUSTED = b"untrusted comment: ", b"trusted comment: "
# The points of order 1, 2, 4 and 8, in every spelling but for the sign: libsodium's ge25519_has_small_order. To such a
# key fit signatures that need no secret.
_WEAK = frozenset(
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
_SIGN_AGAIN = "sign it again with `pycontextify publish --sign`, or with `minisign -S`"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key: 8 bytes of ``key_id``, which signatures name it by, and 32 of ``key``."""

    key_id: bytes
    key: bytes

    @property
    def name(self) -> str:
        """The key id as minisign writes it: a little-endian number, 16 hex digits."""
        return _named(self.key_id)

    def __str__(self) -> str:
        return base64.b64encode(_ALGORITHM + self.key_id + self.key).decode()


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature, well-formed and not verified yet. ``prehashed``: of the BLAKE2b-512 of what is signed."""

    prehashed: bool
    key_id: bytes
    signature: bytes
    trusted_comment: bytes
    comment_signature: bytes

    @property
    def name(self) -> str:
        """The id of the key that it claims to be made with."""
        return _named(self.key_id)


def parse_public_key(text: str) -> PublicKey:
    """Read a public key: its one line, or all of a ``.pub`` file.

    Raises ValueError, with a sentence fit for people.
    """
    comment, below, line = text.strip().rpartition("\n")
    try:
        raw = _base64(line.encode(), 42)
    except ValueError:
        raise ValueError("not a minisign public key (56 characters, beginning with RW)") from None
    if below and ("\n" in comment or not comment.startswith(_UNTRUSTED.decode())):
        raise ValueError("not the file of one minisign public key: it has something else beside key and comment")
    if not raw.startswith(_ALGORITHM):
        raise ValueError("not an Ed25519 key in minisign's form (those begin with RW)")
    if raw[10:-1] + bytes([raw[-1] & 0x7F]) in _WEAK:
        raise ValueError("a minisign public key that anybody can sign with")
    return PublicKey(raw[2:10], raw[10:])


def parse_signature(content: bytes, *, asset: str) -> Signature:
    """Read a signature file. Every byte of it but the first comment's counts: another one gives another signature.

    Raises UntrustedError when it is none.
    """
    try:
        return _signature(content)
    except ValueError as error:
        raise UntrustedError(
            f"its signature is malformed: {error}", code="signature_invalid", asset=asset, hint=_SIGN_AGAIN
        ) from error


def _signature(content: bytes) -> Signature:
    lines = content.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")
    if len(content) > SIGNATURE_LIMIT or len(lines) != 4:
        raise ValueError("it does not consist of four lines")
    if not lines[0].startswith(_UNTRUSTED) or not lines[2].startswith(_TRUSTED):
        raise ValueError("it lacks its comments")
    raw = _base64(lines[1], 74)
    if raw[:2] not in (_ALGORITHM, _PREHASHED):
        raise ValueError("it is made by another algorithm than Ed25519")
    comment = lines[2].removeprefix(_TRUSTED)
    return Signature(raw[:2] == _PREHASHED, raw[2:10], raw[10:], comment, _base64(lines[3], 64))


def prehash(content: bytes) -> bytes:
    """Return what a prehashed signature signs: the BLAKE2b-512 of ``content``."""
    return hashlib.blake2b(content).digest()


def check_document(signature: Signature, keys: Sequence[PublicKey], content: bytes, *, asset: str) -> PublicKey:
    """Return the key that vouches for a document.

    Raises UntrustedError: with code ``signature_untrusted`` when it is signed by a key that is none of ``keys``, with
    ``signature_invalid`` when the signature is not that key's, or is not of this content.
    """
    return _vouching(signature, keys, prehash(content) if signature.prehashed else content, asset)


def check_file(signature: Signature, keys: Sequence[PublicKey], prehashed: bytes, *, asset: str) -> PublicKey:
    """Return the key that vouches for a file with this BLAKE2b-512; see `check_document`."""
    if not signature.prehashed:
        raise UntrustedError(
            "its signature is of minisign's old form, which needs the whole file in memory",
            code="signature_invalid",
            asset=asset,
            hint="sign it without minisign's option -l",
        )
    return _vouching(signature, keys, prehashed, asset)


def check_trusted(signature: Signature, keys: Sequence[PublicKey], *, asset: str) -> None:
    """Raise UntrustedError when a signature does not even claim to be made with one of ``keys``."""
    _claimed(signature, keys, asset)


def _claimed(signature: Signature, keys: Sequence[PublicKey], asset: str) -> list[PublicKey]:
    found = [key for key in keys if key.key_id == signature.key_id]
    if not found:
        raise UntrustedError(
            f"it is signed by the key {signature.name}, which is not trusted here",
            code="signature_untrusted",
            asset=asset,
            hint="if that key is the publisher's, add it to index_bootstrap_trusted_keys",
        )
    return found


def _vouching(signature: Signature, keys: Sequence[PublicKey], message: bytes, asset: str) -> PublicKey:
    comment = signature.signature + signature.trusted_comment
    for key in _claimed(signature, keys, asset):
        if _verifies(key, signature.signature, message) and _verifies(key, signature.comment_signature, comment):
            return key
    raise UntrustedError(
        f"its signature by the key {signature.name} does not fit: something was changed since",
        code="signature_invalid",
        asset=asset,
        hint=_SIGN_AGAIN,
    )


def _verifies(key: PublicKey, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key.key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _base64(text: bytes, size: int) -> bytes:
    """Decode ``size`` bytes, of which there is one spelling: an encoder leaves no bits over. Raises ValueError."""
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("a line is no base64") from None
    if len(raw) != size or base64.b64encode(raw) != text:
        raise ValueError(f"a line is not the base64 of {size} bytes")
    return raw


def _named(key_id: bytes) -> str:
    return f"{int.from_bytes(key_id, 'little'):016X}"
