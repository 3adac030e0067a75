"""What a browser shows in place of the token: a cookie that the token's owner got for it. Pure.

A browser sends no Authorization header when somebody opens an address. The cookie's value is made from the token and
does not tell it (HMAC-SHA256), so what is kept in a browser opens nothing but the page, and a new token makes it void.
Its name is made from the token too: browsers give cookies to every port of a host, and two servers there do not take
each other's away.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

__all__ = ["badge_cookie", "no_badge_cookie", "shows_badge"]

_TERMS = "HttpOnly; SameSite=Strict; Path=/"
"""No Secure: that would be refused over http, which is what is spoken to us, TLS being somebody's in front."""


def badge_cookie(token: str) -> str:
    """Return the Set-Cookie header that gives a browser the badge, until it is closed."""
    return f"{_name(token)}={_value(token)}; {_TERMS}"


def no_badge_cookie(token: str) -> str:
    """Return the Set-Cookie header that takes it away."""
    return f"{_name(token)}=; Max-Age=0; {_TERMS}"


def shows_badge(token: str, cookies: list[str]) -> bool:
    """Tell whether these Cookie headers hold the badge. How long that takes tells nothing of its value.

    Another server of the host may have set a cookie of this name beside ours; that does no harm.
    """
    name, value = _name(token).encode(), _value(token).encode()
    pairs = [pair.strip().encode("utf-8", "replace").partition(b"=") for line in cookies for pair in line.split(";")]
    return any(hmac.compare_digest(shown, value) for each, _, shown in pairs if each == name)


def _name(token: str) -> str:
    return f"pycontextify-{_made_from(token, 'name')[:8]}"


def _value(token: str) -> str:
    return _made_from(token, "badge")


def _made_from(token: str, purpose: str) -> str:
    return hmac.new(token.encode(), f"pycontextify page {purpose}".encode(), sha256).hexdigest()
