"""What a browser shows in place of the token."""

from __future__ import annotations

import pytest

from pycontextify.server.badge import badge_cookie, no_badge_cookie, shows_badge

TOKEN = "0123456789abcdef-0123456789ABCDEF"
BADGE = badge_cookie(TOKEN).partition(";")[0]


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites() -> None:
    """It lasts until the browser is closed, and does not hold the token."""
    terms = [term.strip() for term in badge_cookie(TOKEN).split(";")[1:]]
    assert terms == ["HttpOnly", "SameSite=Strict", "Path=/"]
    assert TOKEN not in badge_cookie(TOKEN)


def test_the_badge_is_known_among_other_cookies() -> None:
    """In one header or several, as browsers write them, whatever else has been set for the host."""
    for cookies in ([BADGE], [f"a=b; {BADGE}; c"], ["a=b", f" {BADGE} "], [f"{BADGE.partition('=')[0]}=old; {BADGE}"]):
        assert shows_badge(TOKEN, cookies), cookies


@pytest.mark.parametrize(
    "cookies",
    [
        *([], [""], ["a=b"], [BADGE[:-1]], [f"{BADGE}0"], [f"x{BADGE}"], [BADGE.upper()], [f"{BADGE}\u00e4"]),
        *([BADGE.partition("=")[0]], [f"{BADGE.partition('=')[0]}={TOKEN}"], ["\ud800=\udfff; =;;="]),
        [badge_cookie(TOKEN[::-1]).partition(";")[0]],
    ],
)
def test_nothing_else_is_the_badge(cookies: list[str]) -> None:
    """Nearly right is wrong, the token itself too; another token's badge has another name."""
    assert not shows_badge(TOKEN, cookies)


def test_it_can_be_taken_away() -> None:
    """Under the name that it was given with."""
    assert no_badge_cookie(TOKEN).startswith(f"{BADGE.partition('=')[0]}=; Max-Age=0;")
