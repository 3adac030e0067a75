"""Which addresses are asked, and which redirects are followed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.errors import PermanentFetchError
from pycontextify.hydration.address import Hop, first_hop, next_hop

LOGIN = ("user", "s3cret")


def hop(url: str, login: tuple[str, str] | None = LOGIN) -> Hop:
    """A request under way, with a login."""
    return Hop(first_hop(url).url, login)


def test_userinfo_becomes_the_login() -> None:
    """It leaves the address, decoded; the fragment goes too."""
    first = first_hop("https://user:p%40ss@host:8443/a?b=c#latest")
    assert str(first.url) == "https://host:8443/a?b=c"
    assert first.login == ("user", "p@ss")
    assert first.asset == "https://host:8443/a"


def test_a_user_without_a_password_has_an_empty_one() -> None:
    """Tokens are often written that way."""
    assert first_hop("https://token@host/a").login == ("token", "")


def test_no_userinfo_is_no_login() -> None:
    """Nothing is made up."""
    assert first_hop("http://host/a").login is None


@pytest.mark.parametrize("path", ["/a%2Fb", "/a+b?X-Sig=a%2Bb%2F%3D&x=%7E", "/a~b?q='(1)'", "/%41"])
def test_quoting_is_kept_as_it_is(path: str) -> None:
    """A presigned address is signed as it is written."""
    assert str(first_hop(f"https://host{path}").url) == f"https://host{path}"


def test_letters_beyond_ascii_are_quoted() -> None:
    """People write them, HTTP does not."""
    assert str(first_hop("https://host/ü").url) == "https://host/%C3%BC"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host/path",
        "/path",
        "ftp://host/a",
        "file:///a",
        "http://",
        "http:///a",
        "http://host..name/a",
        f"http://{'a' * 64}.com/a",
        "http://host:99999/a",
        "http://host:port/a",
        "http://[::1/a",
        "http://host/a\r\nX: y",
        "http://host/a b",
        "http://host/\x00",
        "http://us%3Aer:password@host/a",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """Relative, of another scheme, malformed, or able to smuggle a header."""
    with pytest.raises(PermanentFetchError) as caught:
        first_hop(url)
    assert caught.value.code == "url_invalid"


@pytest.mark.parametrize(
    ("start", "location", "end", "keeps_login"),
    [
        ("http://host/a/b", "c", "http://host/a/c", True),
        ("http://host/a/b", "/c?d#e", "http://host/c?d", True),
        ("http://host/a", "//host/c", "http://host/c", True),
        ("http://host/a", "HTTP://Host:80/c", "http://Host/c", True),
        ("http://host/a", "http://other/c", "http://other/c", False),
        ("http://host/a", "http://host:81/c", "http://host:81/c", False),
        ("http://host/a", "https://host/c", "https://host/c", False),
        ("http://host/a", "//other/c", "http://other/c", False),
        ("http://host/a", "http://evil:pw@host/c", "http://host/c", True),
        ("https://host/a", "https://cdn/c?sig=a%2Fb", "https://cdn/c?sig=a%2Fb", False),
    ],
)
def test_redirects_are_followed(start: str, location: str, end: str, *, keeps_login: bool) -> None:
    """Relative or absolute; the login stays with its scheme, host and port, and none is taken from the server."""
    target = next_hop(hop(start), location)
    assert str(target.url) == end
    assert target.login == (LOGIN if keeps_login else None)


def test_a_login_that_was_dropped_stays_dropped() -> None:
    """A detour through another host does not bring it back."""
    away = next_hop(hop("http://host/a"), "http://other/b")
    assert next_hop(away, "http://host/c").login is None


def test_https_never_leads_to_http() -> None:
    """The message names both ends, without their queries."""
    with pytest.raises(PermanentFetchError, match="https to http") as caught:
        next_hop(hop("https://host/a?token=s3cret"), "http://host/b?token=s3cret")
    assert caught.value.code == "redirect_downgrade"
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("location", [None, "file:///etc/passwd", "ftp://host/a", "http://h/\r\nX: y", "javascript:x"])
def test_other_redirects_are_refused(location: str | None) -> None:
    """No Location, or one that leads away from HTTP."""
    with pytest.raises(PermanentFetchError) as caught:
        next_hop(hop("http://host/a"), location)
    assert caught.value.code == "redirect_invalid"


@given(location=st.text(max_size=80))
def test_no_location_does_anything_else(location: str) -> None:
    """Whatever a server writes, it is followed within HTTP or refused."""
    try:
        target = next_hop(hop("http://host/a"), location)
    except PermanentFetchError:
        return
    assert target.url.scheme in ("http", "https")
    assert target.url.user is None
    assert target.login is None or (target.url.host, target.url.port) == ("host", 80)


@given(url=st.text(max_size=80) | st.text(max_size=80).map(lambda rest: f"http://{rest}"))
def test_no_address_does_anything_else(url: str) -> None:
    """Whatever a setting holds, it is an address without userinfo or refused."""
    try:
        first = first_hop(url)
    except PermanentFetchError:
        return
    assert first.url.user is None
    assert first.url.password is None
