"""Who may come in: the rule, case by case. test_routes.py shows that it holds on every route."""

from __future__ import annotations

import pytest

from pycontextify.server.badge import badge_cookie
from pycontextify.server.doors import admit, admit_browser, examine, is_page, own_page

LOCAL_HOSTS = ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "localhost", "LOCALHOST:1"]
FORGED_HOSTS = [
    "evil.example",
    "evil.example:8765",
    "localhost.evil.example",
    "127.0.0.1.evil.example:8765",
    "localhost:8765@evil.example",
    "127.0.0.1:8765:8765",
    "",
    "0.0.0.0:8765",
    "localhost\x00",
]


@pytest.mark.parametrize("host", LOCAL_HOSTS)
def test_local_names_are_let_in_on_loopback(host: str) -> None:
    """On any port: tunnels change it."""
    assert examine("127.0.0.1", [host], []) is None


@pytest.mark.parametrize("host", FORGED_HOSTS)
def test_other_names_are_misdirected_on_loopback(host: str) -> None:
    """421, as the SDK answers: a page whose name was made to point at this machine."""
    refusal = examine("127.0.0.1", [host], [])
    assert refusal is not None
    assert refusal.status == 421


@pytest.mark.parametrize("hosts", [[], ["localhost", "localhost"], ["localhost", "evil.example"]])
def test_there_must_be_exactly_one_host(hosts: list[str]) -> None:
    """None, or two to choose from, is refused on every bind."""
    for bound in ("127.0.0.1", "0.0.0.0"):
        refusal = examine(bound, hosts, [])
        assert refusal is not None
        assert refusal.status == 421


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1", "https://[::1]:1"])
def test_local_pages_may_ask_on_loopback(origin: str) -> None:
    """A tool of the user's own that runs in a browser."""
    assert examine("127.0.0.1", ["localhost:1"], [origin]) is None


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://localhost.evil.example", "file://localhost", "", "http://a@localhost"],
)
def test_other_pages_are_forbidden_on_loopback(origin: str) -> None:
    """403, as the SDK answers."""
    refusal = examine("127.0.0.1", ["localhost:1"], [origin])
    assert refusal is not None
    assert refusal.status == 403


def test_two_origins_are_forbidden() -> None:
    """There is one at most."""
    refusal = examine("127.0.0.1", ["localhost"], ["http://localhost", "http://localhost"])
    assert refusal is not None
    assert refusal.status == 403


def test_a_loopback_address_of_its_own_is_known_by_it() -> None:
    """Bound to 127.0.0.5 or ::1, it may be asked for by that."""
    assert examine("127.0.0.5", ["127.0.0.5:1"], []) is None
    assert examine("::1", ["[::1]:1"], []) is None


def test_on_other_binds_any_host_is_taken_and_pages_may_ask_their_own() -> None:
    """Names in front of a pod are not known here; a page of another site still may not ask."""
    assert examine("0.0.0.0", ["index.example:8765"], []) is None
    assert examine("0.0.0.0", ["index.example"], ["https://index.example"]) is None
    refusal = examine("0.0.0.0", ["index.example"], ["https://evil.example"])
    assert refusal is not None
    assert refusal.status == 403


TOKEN = "0123456789abcdef-0123456789ABCDEF"


@pytest.mark.parametrize("shown", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER   {TOKEN}", f"Bearer {TOKEN} "])
def test_the_token_lets_in(shown: str) -> None:
    """The scheme is written in either case, with any number of spaces behind it (RFC 9110, 11.1 and 11.4)."""
    assert admit(TOKEN, [shown]) is None


@pytest.mark.parametrize(
    "shown",
    [
        *(
            f"Bearer {TOKEN}x",
            f"Bearer x{TOKEN}",
            f"Bearer {TOKEN[:-1]}",
            f"Bearer {TOKEN.lower()}",
            "Bearer ",
            "bearer",
        ),
        *(f"Bearer {TOKEN}, Bearer {TOKEN}", f"Bearer {TOKEN} {TOKEN}", f"Bearer\t{TOKEN}", f"Bearer {TOKEN}\u00e4"),
    ],
)
def test_another_token_is_refused(shown: str) -> None:
    """Nearly right is wrong; what is not ASCII compares as well."""
    refusal = admit(TOKEN, [shown])
    assert refusal is not None
    assert (refusal.status, refusal.code) in {(401, "token_refused"), (401, "token_missing")}
    assert TOKEN not in refusal.message


@pytest.mark.parametrize("shown", [[], [""], ["Basic dXNlcjpwYXNz"], [TOKEN], [f"Bearer{TOKEN}"]])
def test_no_token_is_asked_for(shown: list[str]) -> None:
    """The answer says how to send it."""
    refusal = admit(TOKEN, shown)
    assert refusal is not None
    assert (refusal.status, refusal.code) == (401, "token_missing")
    assert "Authorization: Bearer" in refusal.message


@pytest.mark.parametrize("second", [f"Bearer {TOKEN}", "Bearer other", ""])
def test_two_authorizations_are_refused(second: str) -> None:
    """Which of them a proxy has looked at is anybody's guess."""
    for shown in ([f"Bearer {TOKEN}", second], [second, f"Bearer {TOKEN}"]):
        refusal = admit(TOKEN, shown)
        assert refusal is not None
        assert refusal.status == 401


def test_without_a_token_nothing_is_asked_for() -> None:
    """Whatever is sent along."""
    assert admit(None, []) is None
    assert admit(None, ["Bearer x", "Basic y"]) is None


BADGE = badge_cookie(TOKEN).partition(";")[0]


def test_a_badge_lets_a_browser_in_where_no_token_is_shown() -> None:
    """Who shows a token is judged by that alone."""
    assert admit_browser(TOKEN, [], [BADGE]) is None
    assert admit_browser(TOKEN, [f"Bearer {TOKEN}"], []) is None
    assert admit_browser(None, [], []) is None
    for shown, cookies in (([], []), ([], [f"{BADGE}x"]), (["Bearer wrong"], [BADGE]), ([""], [BADGE])):
        refusal = admit_browser(TOKEN, shown, cookies)
        assert refusal is not None
        assert refusal.status == 401


@pytest.mark.parametrize("path", ["/status", "/status.json", "/status/events", "/status/rollback"])
def test_the_page_is_where_badges_count(path: str) -> None:
    """All of its addresses."""
    assert is_page(path)


@pytest.mark.parametrize("path", ["/", "/mcp", "/mcp/status", "/statuses", "/status.jsonx", "/livez", "/metrics", ""])
def test_nothing_else_is_the_page(path: str) -> None:
    """There, the token is asked for."""
    assert not is_page(path)


def test_only_our_own_page_may_change_something() -> None:
    """Host and port must be those that were asked; without an Origin it is no page that asks."""
    assert own_page(["localhost:8765"], []) is None
    assert own_page(["LOCALHOST:8765"], ["http://localhost:8765"]) is None
    assert own_page(["index.example"], ["https://index.example"]) is None
    for origin in ("http://localhost:3000", "http://localhost", "http://127.0.0.1:8765", "null", "", "localhost:8765"):
        refusal = own_page(["localhost:8765"], [origin])
        assert refusal is not None, origin
        assert refusal.status == 403
    assert own_page(["localhost:8765"], ["http://localhost:8765"] * 2) is not None
