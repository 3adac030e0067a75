"""Where a request may go: the rules for addresses and redirects. Pure.

A redirect is the server's wish, not the user's: it is followed a few times, never from https to http, never away from
HTTP, and the user's login stays with the scheme, host and port it was given for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from yarl import URL

from pycontextify.errors import PermanentFetchError
from pycontextify.redact import redact_url

__all__ = ["MAX_REDIRECTS", "Hop", "first_hop", "next_hop"]

MAX_REDIRECTS = 5

_CONTROL = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True, repr=False)
class Hop:
    """One request on the way to a reply: the address, bare of userinfo and fragment, and the login for it."""

    url: URL
    login: tuple[str, str] | None

    @property
    def asset(self) -> str:
        """The address as it may be shown."""
        return redact_url(str(self.url))


def first_hop(url: str) -> Hop:
    """Read an address; its userinfo becomes the login.

    Raises PermanentFetchError for anything but an absolute http or https address.
    """
    parsed = _parse(url, base=None)
    if parsed is None or ":" in (parsed.user or ""):  # RFC 7617: a colon ends the user's name
        raise PermanentFetchError(
            "this is no http or https address", code="url_invalid", asset=redact_url(url), hint="correct the setting"
        )
    login = None if parsed.user is None else (parsed.user, parsed.password or "")
    return Hop(_bare(parsed), login)


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
    return Hop(bare, hop.login if _origin(bare) == _origin(hop.url) else None)


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
