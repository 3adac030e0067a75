"""Who may come in: the rule, case by case. test_routes.py shows that it holds on every route."""

from __future__ import annotations

import pytest

from pycontextify.server.doors import examine, is_loopback

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


@pytest.mark.parametrize(
    ("host", "local"),
    [
        *(("127.0.0.1", True), ("::1", True), ("localhost", True), ("127.9.9.9", True)),
        *(("0.0.0.0", False), ("::", False), ("192.168.1.5", False), ("example", False)),
    ],
)
def test_is_loopback(host: str, *, local: bool) -> None:
    """Only what no other machine can reach."""
    assert is_loopback(host) is local
