"""Keys to sign with, the same every time, and minisign's other implementations to hold ours against."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

# A package of its own authors, and without type information.
import minisign as reference

from pycontextify.publish.issue import Sign
from pycontextify.publish.signing import SecretKey, generate_key, sign, write_key_pair
from pycontextify.snapshot.signature import PublicKey, prehash

__all__ = [
    "OTHER",
    "SIGNER",
    "key_of",
    "password_protected",
    "reference",
    "reference_key",
    "signature_of",
    "signs",
    "vouched_by",
]


def key_of(name: str) -> SecretKey:
    """Return a secret key that depends on the name alone."""
    return generate_key(lambda size: hashlib.shake_256(f"{name} {size}".encode()).digest(size))


SIGNER, OTHER = key_of("signer"), key_of("other")


def signs(key: SecretKey = SIGNER) -> Sign:
    """Return what signs with a key when something is published."""
    return partial(sign, key)


def signature_of(content: bytes, key: SecretKey = SIGNER, comment: str = "file:x") -> bytes:
    """Return our signature file for some bytes."""
    return sign(key, prehash(content), comment)


def vouched_by(key: PublicKey, content: bytes, signature: bytes) -> bool:
    """Tell whether another implementation takes a signature file for some bytes."""
    try:
        reference.PublicKey.from_base64(str(key)).verify(content, reference.Signature.from_bytes(signature))
    except reference.VerifyError:
        return False
    return True


def reference_key(directory: Path, key: SecretKey = SIGNER) -> reference.SecretKey:
    """Return a key as another implementation reads it from the file that we write."""
    path = directory / "reference.key"
    if not path.exists():
        write_key_pair(key, path, "")
    return reference.SecretKey.from_file(path)


def password_protected(directory: Path, password: str, key: SecretKey = SIGNER) -> Path:
    """Return a secret key file that a password opens, with so little work that a test can afford it."""
    made = reference_key(directory, key)
    made._update_checksum()  # which it leaves out of keys without a password, and needs in others
    made.encrypt(password)
    path = directory / "protected.key"
    path.write_bytes(bytes(made) + b"\n")
    return path
