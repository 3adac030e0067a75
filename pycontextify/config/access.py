"""What settings say about who may come in, and what they may reach."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path

from pycontextify.config.readers import read_path, refusal

__all__ = ["is_loopback", "read_access_token", "read_roots"]

_LEAST, _MOST = 16, 1024
_VISIBLE = re.compile(r"[!-~]+")


def is_loopback(host: str) -> bool:
    """Tell whether a bound address can be reached from this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_access_token(text: str) -> str:
    """Read the token that clients must show. It is never shown here, and must be one that a header can carry."""
    hint = "write a random one: `openssl rand -hex 32` makes it"
    if not _VISIBLE.fullmatch(text):
        raise refusal("holds a space or a character that is not ASCII, which no header can carry", hint)
    if not _LEAST <= len(text) <= _MOST:
        raise refusal(f"has {len(text)} characters, and a token has {_LEAST} to {_MOST}", hint)
    return text


def read_roots(text: str) -> tuple[Path, ...]:
    """Read directories, at least one, separated as PATH is on this system. They may be relative still."""
    roots = tuple(read_path(piece.strip()) for piece in text.split(os.pathsep) if piece.strip())
    if not roots:
        raise refusal("names no directory", f"write directories, with {os.pathsep} between two")
    return roots
