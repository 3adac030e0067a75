"""Where a request and its credentials may go: the rules for addresses and redirects. Pure.

A redirect is the server's wish, not the user's: it is followed a few times, never from https to http, never away from
HTTP, and whatever proves who we are stays with the scheme, host and port that it was configured for.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from yarl import URL

from pycontextify.errors import PermanentFetchError
from pycontextify.redact import redact_url
from pycontextify.snapshot.digest import digest_of

__all__ = ["MAX_REDIRECTS", "Credentials", "Hop", "address_of", "beside", "first_hop", "host_of", "joined", "next_hop"]

MAX_REDIRECTS = 5

_AUTHORIZATION = "authorization"
_CONTROL = re.compile(r"[\x00-\x20\x7f]")

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What proves to the configured hosts who we are: a bearer token, headers, and logins by host (of a .netrc file).

    An address's own userinfo goes before ``token`` and an Authorization header, and those before ``logins``.
    """

    token: str | None = None
    headers: Headers = ()
    logins: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def headers_for(self, host: str, login: tuple[str, str] | None) -> Headers:
        """Return the headers for a configured address; ``login`` is what its userinfo says."""
        named = {name.lower() for name, _ in self.headers}
        if login is not None:
            others = tuple((name, value) for name, value in self.headers if name.lower() != _AUTHORIZATION)
            return (*others, ("Authorization", _basic(login)))
        if _AUTHORIZATION in named:
            return self.headers
        if self.token is not None:
            return (*self.headers, ("Authorization", f"Bearer {self.token}"))
        found = self.logins.get(host)
        return self.headers if found is None else (*self.headers, ("Authorization", _basic(found)))


NOBODY = Credentials()


@dataclass(frozen=True, slots=True, repr=False)
class Hop:
    """One request on the way to a reply: the address, bare of userinfo and fragment, and the headers that go with it.

    ``own``: whether this is still the configured scheme, host and port; a client certificate is for those alone.
    """

    url: URL
    headers: Headers = ()
    own: bool = True

    @property
    def asset(self) -> str:
        """The address as it may be shown."""
        return redact_url(str(self.url))


def first_hop(url: str, credentials: Credentials = NOBODY) -> Hop:
    """Read a configured address.

    Raises PermanentFetchError for anything but an absolute http or https address.
    """
    parsed = _parse(url, base=None)
    if parsed is None or ":" in (parsed.user or ""):  # RFC 7617: a colon ends the user's name
        raise PermanentFetchError(
            "this is no http or https address", code="url_invalid", asset=redact_url(url), hint="correct the setting"
        )
    login = None if parsed.user is None else (parsed.user, parsed.password or "")
    return Hop(_bare(parsed), credentials.headers_for(parsed.host or "", login))


def next_hop(hop: Hop, location: str | None) -> Hop:
    """Follow a redirect from ``hop`` to its Location header.

    Userinfo in the header counts for nothing. Raises PermanentFetchError when it must not be followed.
    """
    target = None if location is None else _parse(location, base=hop.url)
    if target is None:
        raise PermanentFetchError("the server redirects to no usable address", code="redirect_invalid", asset=hop.asset)
    bare = _bare(target)
    if hop.url.scheme == "https" and bare.scheme == "http":
        raise PermanentFetchError(
            f"the server redirects from https to http ({redact_url(str(bare))}), which is refused",
            code="redirect_downgrade",
            asset=hop.asset,
            hint="give the address that it should lead to",
        )
    if _origin(bare) == _origin(hop.url):
        return Hop(bare, hop.headers, hop.own)
    return Hop(bare, own=False)


def host_of(url: str) -> tuple[str, str]:
    """Return what tells the host of an address from others: its scheme, and its host and port. Never raises."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", redact_url(url)
    return parts.scheme, parts.netloc.rpartition("@")[2].lower()


def joined(base: str, path: str) -> str:
    """Return the address of ``path`` below the address ``base``, whose query goes along."""
    parts = urlsplit(base)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{path}", fragment=""))


def beside(url: str, suffix: str) -> str:
    """Return the address of what lies beside ``url`` under its name and ``suffix``."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path + suffix, fragment=""))


def address_of(url: str) -> str:
    """Return an address fit to be kept: redacted, with a few digits by which another query is told from this one."""
    query = urlsplit(url).query
    return f"{redact_url(url)}~{digest_of(query.encode()).hex[:8]}" if query else redact_url(url)


def _basic(login: tuple[str, str]) -> str:
    """Return the value of an Authorization header (RFC 7617)."""
    return f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"


def _parse(text: str, base: URL | None) -> URL | None:
    """Read an address without touching how it is quoted: the signature of a presigned one covers its very bytes."""
    if _CONTROL.search(text):
        return None
    try:
        url = URL(text, encoded=text.isascii())
        url = url if base is None else base.join(url)
        usable = url.scheme in ("http", "https") and bool(url.host) and url.port is not None
        (url.raw_host or "").encode("idna")  # what the resolver will do, and must not fail at
    except ValueError:
        return None
    return url if usable else None


def _origin(url: URL) -> tuple[str, str, int | None]:
    return url.scheme, (url.host or "").lower(), url.port


def _bare(url: URL) -> URL:
    return url.with_user(None).with_fragment(None)
