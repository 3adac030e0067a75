"""JSON for programs, the page for browsers."""

from __future__ import annotations

import pytest

from pycontextify.server.page.accept import wants_page

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    "accepts",
    [
        *([CHROMIUM], [FIREFOX], ["text/html"], ["TEXT/HTML; charset=utf-8"], ["text/*"], ["text/html, */*;q=0.1"]),
        *(["application/json;q=0.5, text/html;q=0.6"], ["application/json;q=0", "text/html;q=0.001"]),
    ],
)
def test_who_likes_html_better_gets_the_page(accepts: list[str]) -> None:
    """Browsers name it; weights are heeded, in one header or several."""
    assert wants_page(accepts)


@pytest.mark.parametrize(
    "accepts",
    [
        *([], [""], ["*/*"], ["application/json"], ["application/json, text/html"], ["application/*, text/html;q=0.9"]),
        *(
            ["text/html;q=0"],
            ["text/html;q=0, */*"],
            ["text/html;q=2"],
            ["text/html;q=x"],
            ["text/event-stream"],
            [";;,"],
        ),
    ],
)
def test_everybody_else_gets_json(accepts: list[str]) -> None:
    """curl, what monitors, who likes both alike, and who can't be understood."""
    assert not wants_page(accepts)
