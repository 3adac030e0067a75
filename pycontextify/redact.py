"""What of an address may be shown: never userinfo, query or fragment.

Every room builds messages, logs and statuses from addresses, and addresses carry passwords and signed tokens. This
module is pure and imports nothing of ours, so that all of them can use it.
"""

from __future__ import annotations

import re

__all__ = ["HIDDEN", "one_line", "redact_url", "split_urls"]

HIDDEN = "[redacted]"
"""Stands where nothing can be shown safely."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Only a comma before a scheme separates: a query may hold commas, and what follows them is as secret as the rest.
_SEPARATOR = re.compile(r",(?=\s*[A-Za-z][A-Za-z0-9+.-]*:[/\\])")
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/\\?#]*)([^?#]*)(.*)", re.DOTALL)
_HOST = re.compile(r"(?:[\w.~%-]+|\[[0-9A-Fa-f:.]+(?:%[\w.~-]+)?\])(?::[0-9]{0,5})?")
_DIGEST = re.compile(r"@sha256:[0-9a-fA-F]{64}(?![0-9a-fA-F])")


def split_urls(text: str) -> tuple[str, ...]:
    """Split a comma-separated list of addresses, without the white space and empty entries around them.

    A comma inside an address (``?sig=a,b``) separates nothing: only one that a scheme follows does.
    """
    pieces = (piece.strip().strip(",").strip() for piece in _SEPARATOR.split(text))
    return tuple(piece for piece in pieces if piece)


def redact_url(text: str) -> str:
    """Return ``scheme://host:port/path`` of an address, or of each in a comma-separated list.

    Text that is no address (a path, say) is returned up to its first ``?`` or ``#``. Where a secret can't be told from
    the rest, as in a malformed address, `HIDDEN` stands instead. The result is one line. Never raises.
    """
    return ",".join(_redact_one(url) for url in split_urls(text))


def one_line(text: str) -> str:
    """Escape what would break a line, a terminal or an encoder: control characters, separators, lone surrogates."""
    return _CONTROL.sub(lambda found: ascii(found.group())[1:-1], text)


def _redact_one(url: str) -> str:
    match = _ADDRESS.fullmatch(url)
    if match is None:
        # `user:password@host/path` has lost its scheme; everything in it is suspect.
        return HIDDEN if "@" in url else one_line(re.split(r"[?#]", url, maxsplit=1)[0])
    scheme, authority, path, secrets = match.groups()
    if not _is_whole(scheme.lower(), authority, path + secrets):
        return f"{scheme}://{HIDDEN}"
    return one_line(f"{scheme}://{authority.rpartition('@')[2]}{path}")


def _is_whole(scheme: str, authority: str, rest: str) -> bool:
    """Tell whether ``authority`` really ends where it seems to.

    A password that holds an unencoded ``/``, ``?`` or ``#`` cuts it short: in ``https://user:12/34@host`` the password
    looks like a port and a path. So an ``@`` further on is believed only after what must be a host: a dotted name,
    ``localhost`` or an IPv6 address, with no userinfo. (``…/repo@sha256:…`` is how registries write digests.)
    """
    host = authority.rpartition("@")[2]
    if not host:
        return scheme == "file" and not authority
    if not _HOST.fullmatch(host):
        return False
    if "@" not in _DIGEST.sub("", rest):
        return True
    return "@" not in authority and ("." in host or host.startswith(("[", "localhost")))
