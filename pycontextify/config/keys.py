"""How public keys are read: each as its one line, or as the file that it is in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pycontextify.config.readers import read_path, refusal, shown
from pycontextify.snapshot.signature import PublicKey, parse_public_key

__all__ = ["load_public_keys", "read_public_keys"]

_LARGEST_FILE = 4096
_LONGEST_PATH = 4096
_KEY = re.compile(r"RW[A-Za-z0-9+/=]*")


def read_public_keys(text: str) -> tuple[PublicKey | Path, ...]:
    """Read public keys in minisign's form, or the paths of their files, comma-separated, at least one."""
    keys = tuple(_read_key(each.strip()) for each in text.split(",") if each.strip())
    if not keys:
        raise refusal("names no key", "write what `pycontextify keygen` has shown, or the path of its .pub file")
    return keys


def load_public_keys(keys: Iterable[PublicKey | Path]) -> tuple[PublicKey, ...]:
    """Return the keys, those in files read from there."""
    return tuple(_load_key(each) if isinstance(each, Path) else each for each in keys)


def _read_key(text: str) -> PublicKey | Path:
    with suppress(ValueError):
        return parse_public_key(text)
    if _KEY.fullmatch(text):
        # No more of it than tells which one is meant: a secret key begins so too.
        raise refusal(
            f"{shown(text[:12])}… is a public key with something missing or too much ({len(text)} characters)",
            "copy all of its line, which has 56",
        )
    return read_path(text)


def _load_key(path: Path) -> PublicKey:
    try:
        with path.open("rb") as file:
            return parse_public_key(file.read(_LARGEST_FILE).decode("utf-8-sig", "replace"))
    except OSError as error:
        raise refusal(
            f"{shown(str(path))} is no public key, and as a file it can't be read ({error.strerror})",
            "write the key's line (56 characters, beginning with RW) or the path of its .pub file",
        ) from error
    except ValueError:
        # It is there, so it is a path and no secret: all of it is told.
        raise refusal(
            f"the file {shown(str(path), _LONGEST_PATH)} holds no minisign public key",
            "name the .pub file, never the secret key",
        ) from None
