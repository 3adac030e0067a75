"""What a request over HTTP brings along besides its headers: certificates, a proxy, the logins of a .netrc file.

All of it reads files or asks the system, so all of it blocks.
"""

from __future__ import annotations

import ipaddress
import logging
import netrc
import os
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.request import getproxies, proxy_bypass

from yarl import URL

from pycontextify.errors import PermanentFetchError
from pycontextify.redact import HIDDEN

__all__ = ["Certificates", "Tls", "open_tls", "proxy_for", "read_logins"]


_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files: the authorities to trust in place of the system's, and the certificate and key to show."""

    authorities: Path | None = None
    client: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Tls:
    """How to speak TLS to the configured hosts (``own``), and to where they redirect (``other``).

    True stands for the system's authorities and no certificate of ours.
    """

    own: ssl.SSLContext | bool = True
    other: ssl.SSLContext | bool = True


def open_tls(files: Certificates) -> Tls:
    """Read the certificates. Raises PermanentFetchError when they can't be used."""
    other = True if files.authorities is None else _context(files.authorities)
    if files.client is None:
        return Tls(other, other)
    own = _context(files.authorities)
    try:
        # A password would be asked for on the terminal, and stdin belongs to MCP.
        own.load_cert_chain(files.client, files.key, password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        raise _unusable(error, files.client, "write a PEM certificate and its key, without a password") from error
    return Tls(own, other)


def _context(authorities: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authorities)
    except (OSError, ssl.SSLError) as error:
        raise _unusable(error, authorities, "write a file of certificates in PEM form") from error


def _unusable(error: OSError, file: Path | None, hint: str) -> PermanentFetchError:
    reason = "it is not what it should be" if isinstance(error, ssl.SSLError) else error.strerror
    return PermanentFetchError(
        f"this file of certificates can't be used ({reason})", code="tls_files", asset=str(file), hint=hint
    )


def read_logins(environ: Mapping[str, str] = os.environ) -> Mapping[str, tuple[str, str]]:
    """Return the logins in the user's .netrc (``NETRC`` names another file), by host; none where there is no such file.

    A ``default`` entry counts for nothing: it would be sent to whatever host is configured. A file that can't be read
    is passed over with a warning, unless it was named: then it raises PermanentFetchError, for somebody relies on it.
    """
    named = environ.get("NETRC")
    try:
        file = Path(named) if named else Path.home() / ("_netrc" if sys.platform == "win32" else ".netrc")
        entries = netrc.netrc(file).hosts
    except (OSError, ValueError, RuntimeError, netrc.NetrcParseError) as error:
        return _no_logins(error, named)
    return {host: (login, password or "") for host, (login, _, password) in entries.items() if host != "default"}


def _no_logins(error: Exception, named: str | None) -> Mapping[str, tuple[str, str]]:
    reason = _unread(error)
    if named is not None:
        raise PermanentFetchError(
            f"the logins in it can't be read ({reason})",
            code="netrc_unreadable",
            asset=named,
            hint="correct it, or set NETRC to another file",
        )
    if not isinstance(error, FileNotFoundError | NotADirectoryError | RuntimeError):
        _LOG.warning("the logins in ~/.netrc are passed over: they can't be read (%s)", reason)
    return {}


def _unread(error: Exception) -> str:
    """Say why a .netrc file can't be read, without the line itself, which may hold a password."""
    match error:
        case netrc.NetrcParseError():
            return f"line {error.lineno} is malformed"
        case OSError():
            return error.strerror or type(error).__name__
        case ValueError():
            return "it is not text"
        case _:
            return "this user has no home directory"


def proxy_for(url: URL) -> URL | None:
    """Return the proxy that the environment (or the system) names for an address: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY.

    Never one for this machine itself, and none where NO_PROXY says so. Raises PermanentFetchError for a proxy that
    does not speak HTTP.
    """
    host = url.host or ""
    if _is_loopback(host):
        return None
    named = getproxies()
    proxy = named.get(url.scheme) or named.get("all")
    if not proxy or proxy_bypass(host):
        return None
    parsed = _parse(proxy if "://" in proxy else f"http://{proxy}")
    if parsed is None or parsed.scheme not in ("http", "https"):
        raise PermanentFetchError(
            "the proxy in the environment is none that HTTP can go through",
            code="proxy_unusable",
            asset=f"{url.scheme}_proxy={HIDDEN}",
            hint=f"write http://host:port there, or name {host} in NO_PROXY",
        )
    return parsed


def _parse(text: str) -> URL | None:
    try:
        url = URL(text)
    except ValueError:
        return None
    return url if url.host else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")
