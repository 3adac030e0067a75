"""Keys to sign with, the same at every run."""

from __future__ import annotations

from functools import partial
from hashlib import sha256

from pycontextify.publish.issue import Sign
from pycontextify.publish.signing import SecretKey, sign

__all__ = ["make_key", "signed_by"]


def make_key(name: str) -> SecretKey:
    """Return a key; another name gives another."""
    digest = sha256(name.encode()).digest()
    return SecretKey(digest[:8], digest)


def signed_by(name: str) -> Sign:
    """Return what signs with the key of this name."""
    return partial(sign, make_key(name))
