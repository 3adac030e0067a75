"""How addresses are read: what may be written, and what to write instead of what may not."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path, PureWindowsPath
from urllib.parse import SplitResult, urlsplit

from pycontextify.config.readers import refusal, shown
from pycontextify.errors import ConfigError
from pycontextify.redact import HIDDEN, redact_url, split_urls

__all__ = ["read_file_urls", "read_layout_urls", "read_service_url"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")  # the names that snapshot.manifest.RefTable takes
_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+(?:%[\w.-]+)?")
_WINDOWS_PATH = re.compile(r"[A-Za-z]:[\\/]")
_SOURCE_SCHEMES = ("http", "https", "file")


def read_layout_urls(text: str) -> tuple[str, ...]:
    """Read the mirrors of a layout, at least one; each may end in ``#ref``, the same on all."""
    urls = _read_urls(text)
    refs = [urlsplit(url).fragment if "#" in url else None for url in urls]
    if any(ref is not None and not _REF.fullmatch(ref) for ref in refs):
        raise refusal(
            f"{shown(text)} has a #ref that is no name of a snapshot",
            "write #latest, say: letters, digits, '.', '_' and '-'",
        )
    if len(set(refs)) > 1:
        raise refusal(
            f"{shown(text)} names mirrors with different refs",
            "write the same #ref after each of them, or after none",
            "config_conflict",
        )
    return urls


def read_file_urls(text: str) -> tuple[str, ...]:
    """Read the mirrors of a file, at least one."""
    urls = _read_urls(text)
    if any("#" in url for url in urls):
        raise refusal(
            f"{shown(text)} is a file's address and has a '#'",
            "leave out the '#' and what follows (a digest is pinned by its own setting; in a name write %23)",
        )
    return urls


def read_service_url(text: str) -> str:
    """Read the address of an HTTP service."""
    return _read_url(text, ("http", "https"))


def _read_urls(text: str) -> tuple[str, ...]:
    urls = tuple(_read_url(url, _SOURCE_SCHEMES) for url in split_urls(text))
    if not urls:
        raise refusal("names no address", f"write {_beginning(_SOURCE_SCHEMES)}", "config_scheme")
    return urls


def _read_url(text: str, schemes: tuple[str, ...]) -> str:
    match = _SCHEME.fullmatch(text)
    if match is None:
        raise _no_scheme(text, schemes)
    scheme, rest = match[1].lower(), match[2]
    if scheme == "oci":
        raise refusal(
            f"{shown(text)}: registries (oci://) are not supported yet",
            "publish the index to a static host and write its https:// address",
            "config_scheme",
        )
    if scheme not in schemes:
        raise refusal(
            f"{shown(text)} has the unknown scheme {scheme}://", f"write {_beginning(schemes)}", "config_scheme"
        )
    _check_parts(text, scheme)
    return f"{scheme}://{rest}"


def _check_parts(text: str, scheme: str) -> None:
    parts = _split(text)
    if parts is None or " " in text or not text.isprintable():
        raise refusal(
            f"{shown(text)} is not a well-formed address",
            "check its host and port, and percent-encode special characters (a space is %20, '@' in a password %40)",
        )
    if scheme == "file":
        if parts.netloc.lower() not in {"", "localhost"} or not parts.path.startswith("/"):
            raise refusal(
                f"{shown(text)} has a host before its path", "write file:// and the absolute path: file:///srv/index"
            )
        if parts.query:
            raise refusal(f"{shown(text)} is a file and has a query", "leave it out (in a name, '?' is %3F)")
    elif not parts.hostname:
        raise refusal(f"{shown(text)} has no host", f"write {scheme}://host/path")


def _split(text: str) -> SplitResult | None:
    """Split an address; None when its host or port make no sense.

    The standard library's error is dropped here, not chained: it quotes the address.
    """
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - the property checks the port
    except ValueError:
        return None
    return None if parts.hostname and not _HOST.fullmatch(parts.hostname) else parts


def _no_scheme(text: str, schemes: tuple[str, ...]) -> ConfigError:
    """Explain text without ``scheme://``: nearly always a local path, or a host alone."""
    visible = redact_url(text)
    if "file" in schemes and visible != HIDDEN and (url := _file_url(visible)):
        return refusal(f"{shown(text)} is a path, and an address is needed", f"write {url}", "config_scheme")
    return refusal(f"{shown(text)} does not begin with a scheme", f"write {_beginning(schemes)}", "config_scheme")


def _file_url(text: str) -> str | None:
    """Return the file:// address of what is plainly a path, or None."""
    text = re.sub(r"^file:", "", text, flags=re.IGNORECASE)
    with suppress(ValueError, RuntimeError, OSError):
        if _WINDOWS_PATH.match(text):
            return PureWindowsPath(text).as_uri()
        if text.startswith(("/", ".", "~")):
            return Path(text).expanduser().absolute().as_uri()
    return None


def _beginning(schemes: tuple[str, ...]) -> str:
    *others, last = (f"{scheme}:///" if scheme == "file" else f"{scheme}://" for scheme in schemes)
    return f"an address that begins with {', '.join(others)} or {last}"
