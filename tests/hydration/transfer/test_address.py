"""Which addresses are asked, and which redirects are followed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.errors import PermanentFetchError
from pycontextify.hydration.transfer.address import Credentials, Hop, beside, first_hop, joined, next_hop

LOGIN = (("Authorization", "Basic dXNlcjpzM2NyZXQ="),)
KEYS = Credentials("t0ken", (("X-Key", "k3y"),), {"host": ("me", "pw")})


def hop(url: str) -> Hop:
    """A request under way, with a login."""
    return Hop(first_hop(url).url, LOGIN)


def test_userinfo_becomes_the_login() -> None:
    """It leaves the address, decoded; the fragment goes too."""
    first = first_hop("https://user:p%40ss@host:8443/a?b=c#latest")
    assert str(first.url) == "https://host:8443/a?b=c"
    assert first.headers == (("Authorization", "Basic dXNlcjpwQHNz"),)
    assert first.asset == "https://host:8443/a"


def test_a_user_without_a_password_has_an_empty_one() -> None:
    """Tokens are often written that way."""
    assert first_hop("https://token@host/a").headers == (("Authorization", "Basic dG9rZW46"),)


def test_no_userinfo_is_no_login() -> None:
    """Nothing is made up."""
    assert first_hop("http://host/a").headers == ()


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
    assert target.headers == (LOGIN if keeps_login else ())
    assert target.own is keeps_login


def test_a_login_that_was_dropped_stays_dropped() -> None:
    """A detour through another host does not bring it back."""
    away = next_hop(hop("http://host/a"), "http://other/b")
    back = next_hop(away, "http://host/c")
    assert (back.headers, back.own) == ((), False)


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
    assert target.headers == () or (target.url.host, target.url.port) == ("host", 80)


@given(url=st.text(max_size=80) | st.text(max_size=80).map(lambda rest: f"http://{rest}"))
def test_no_address_does_anything_else(url: str) -> None:
    """Whatever a setting holds, it is an address without userinfo or refused."""
    try:
        first = first_hop(url)
    except PermanentFetchError:
        return
    assert first.url.user is None
    assert first.url.password is None


@pytest.mark.parametrize(
    ("url", "keys", "headers"),
    [
        ("http://host/a", KEYS, (("X-Key", "k3y"), ("Authorization", "Bearer t0ken"))),
        ("http://user:s3cret@host/a", KEYS, (("X-Key", "k3y"), *LOGIN)),
        ("http://host/a", Credentials(logins={"host": ("user", "s3cret")}), LOGIN),
        ("http://other/a", Credentials(logins={"host": ("user", "s3cret")}), ()),
        (
            "http://host/a",
            Credentials(None, (("authorization", "x"),), {"host": ("a", "b")}),
            (("authorization", "x"),),
        ),
        ("http://user:s3cret@host/a", Credentials(None, (("authorization", "x"),)), LOGIN),
    ],
)
def test_who_we_are_is_said_once(url: str, keys: Credentials, headers: tuple[tuple[str, str], ...]) -> None:
    """The address's own userinfo goes before the token and an Authorization header, and those before .netrc."""
    assert first_hop(url, keys).headers == headers


def test_credentials_have_no_representation_that_tells() -> None:
    """They end up in tracebacks otherwise."""
    assert "t0ken" not in repr(KEYS)
    assert "t0ken" not in repr(first_hop("http://host/a", KEYS))


@pytest.mark.parametrize(
    ("base", "below"),
    [
        ("http://host", "http://host/index.json"),
        ("http://host/a/?sig=1#latest", "http://host/a/index.json?sig=1"),
        ("file:///srv/a", "file:///srv/a/index.json"),
    ],
)
def test_what_lies_below_an_address(base: str, below: str) -> None:
    """A query goes along, a fragment does not."""
    assert joined(base, "index.json") == below


def test_what_lies_beside_an_address() -> None:
    """The suffix goes to the name, not behind the query."""
    assert beside("http://host/a.zip?sig=1", ".sha256") == "http://host/a.zip.sha256?sig=1"
