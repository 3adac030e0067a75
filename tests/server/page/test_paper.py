"""The page as HTML: self-contained, and nothing that is shown ever becomes a part of it."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from pycontextify.hydration.status import AssetProgress, HydrationStatus
from pycontextify.index.model import Answer, Hit, Overview, Query
from pycontextify.server.document import Facts, Situation, standing
from pycontextify.server.page.found import asked_for, found, not_asked, refused
from pycontextify.server.page.model import Seen, clients
from pycontextify.server.page.paper import REGIONS, Paper
from tests.fakes.bench import NOW
from tests.server.page.situations import FACTS, FETCHING, FRAME, HOSTILE, attempt, failed, generation, page_of, see

OK = see(HydrationStatus(state="idle", history=(attempt(1, "installed", fetching=1.0),)), FACTS, generation())
STATES = {
    "empty": see(HydrationStatus(), None),
    "fetching": see(FETCHING, None),
    "failed": see(failed(), None),
    "ok": OK,
    "without a token": see(HydrationStatus(), FACTS, generation(), generation("sha256:" + "ab" * 32), allowed=False),
}
VOID = frozenset({"meta", "link", "input", "progress"})


class Reader(HTMLParser):
    """Reads what a page is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.content: dict[str, str] = {}
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside in ("style", "script"):
            self.content[self._inside] = data
        else:
            self.text.append(data)
        self._inside = ""

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every such element."""
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("shown", STATES.values(), ids=STATES)
def test_a_page_asks_nobody_for_anything(shown: Seen) -> None:
    """No address in it leads elsewhere, and nothing in it loads anything; a link is there to be followed."""
    page = Reader(page_of(shown))
    addresses = [
        value
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in ("src", "href", "action", "srcset", "poster", "data", "formaction", "xlink:href")
    ]
    assert addresses
    for address in addresses:
        assert address is not None
        assert address.startswith(("status", "data:image/svg+xml,"))
    assert not [name for name, _ in page.tags if name in ("iframe", "img", "object", "embed", "video", "base")]
    assert not re.findall(r"url\(|@import|https?:", page.content["style"])
    assert not re.findall(r"https?://[\w.]", page.content["script"])


@pytest.mark.parametrize("shown", STATES.values(), ids=STATES)
def test_a_page_has_one_first_heading_and_the_others_in_order(shown: Seen) -> None:
    """As people hear it who move from heading to heading; every id is there once."""
    page = Reader(page_of(shown))
    levels = [int(name[1]) for name, _ in page.tags if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {*REGIONS, "results"} <= set(ids)


def test_only_our_own_style_and_script_may_run() -> None:
    """The policy names their hashes, and the page has no attribute that would need more."""
    paper = Paper()
    policy = paper.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none';")
    page = Reader(paper.page(OK, not_asked(), FRAME))
    for name in ("style", "script"):
        digest = base64.b64encode(sha256(page.content[name].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    attributes = {name for _, found in page.tags for name in found}
    assert not [name for name in attributes if name == "style" or name.startswith("on")]
    assert Reader(paper.login("", {})).content["style"] == page.content["style"]


def hostile() -> tuple[Seen, Answer]:
    """A server, an index and an answer of which every text is made to do harm."""
    config = replace(FACTS.config, channel=HOSTILE, created=HOSTILE, expires=HOSTILE)
    config = replace(config, encoder=replace(config.encoder, id=HOSTILE))
    status = replace(
        failed(),
        source=HOSTILE,
        notice=HOSTILE,
        assets=(AssetProgress(HOSTILE, None, 10, 5, "fetching"),),
        bytes_total=10,
        history=(replace(attempt(1, "failed"), error_code=HOSTILE),),
    )
    assert status.last_error is not None
    status = replace(status, last_error=replace(status.last_error, message=HOSTILE, code=HOSTILE))
    kept = replace(generation("sha256:" + HOSTILE), refs=(HOSTILE,), signed_by=HOSTILE)
    hit = Hit(HOSTILE, HOSTILE, 1, 2, HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), 1.0, None, None, HOSTILE)
    overview = Overview(trees={HOSTILE: 1}, languages={HOSTILE: 1})
    shown = see(status, Facts(FACTS.generation, config, 1, 1, HOSTILE), kept, overview=overview)
    return shown, Answer((hit, replace(hit, tree="other")))


def test_nothing_that_is_shown_becomes_html() -> None:
    """Paths, passages, queries, names, messages: an element more than on a harmless page would be one too many."""
    shown, answer = hostile()
    state = standing(Situation(FACTS, FETCHING), NOW)
    frame = replace(FRAME, host=HOSTILE, failure=HOSTILE, clients=clients(HOSTILE, HOSTILE, token=True))
    page = Reader(Paper().page(shown, found(Query(HOSTILE), answer, state), frame))
    assert len(page.all("script")) == 1
    assert not page.all("img")
    assert all(not name.startswith("on") for _, attributes in page.tags for name in attributes)
    login = Reader(Paper().login("", {"q": HOSTILE}, HOSTILE))
    assert not login.all("script") + login.all("img")
    text = "".join(page.text)
    assert text.count("<script>alert(1)</script>") > 10
    assert "{{ 7*7 }}" in text
    (box,) = [attributes for attributes in page.all("input") if attributes.get("name") == "q"]
    assert box["value"] == HOSTILE


def test_no_part_that_comes_later_becomes_html_either() -> None:
    """What events bring is made by the same templates."""
    regions = Paper().regions(hostile()[0])
    assert set(regions) == set(REGIONS)
    for name, html in regions.items():
        assert not Reader(html).all("script"), name
        assert not Reader(html).all("img"), name


def test_the_parts_are_those_of_the_page() -> None:
    """So a page that has just been loaded is not changed by the first event."""
    paper = Paper()
    page = paper.page(OK, not_asked(), FRAME)
    for html in paper.regions(OK).values():
        assert html in page


def test_without_a_script_the_page_is_loaded_again_while_something_happens() -> None:
    """Seldom while the next attempt is awaited: what somebody types is lost with it. Left alone otherwise."""
    often = {name: re.findall('http-equiv="refresh" content="(.*?)"', page_of(STATES[name])) for name in STATES}
    assert {name: each for name, each in often.items() if each} == {"fetching": ["3"], "failed": ["30"]}
    below = Paper().page(STATES["fetching"], not_asked(), replace(FRAME, root="../"))
    assert 'content="3; url=../status"' in below


def test_going_back_has_a_button_where_a_token_allows_it() -> None:
    """Elsewhere it says how to do it on the command line."""
    other = generation("sha256:" + "ab" * 32)
    with_button, without = (
        page_of(see(HydrationStatus(), FACTS, generation(), other, allowed=allowed)) for allowed in (True, False)
    )
    assert f'name="to" value="{other.digest}"' in with_button
    assert 'name="to"' not in without
    assert "pycontextify rollback --to abababababab" in without


def test_a_search_says_how_it_went() -> None:
    """What it found, that it found nothing, or that there is nothing to search yet."""
    state = standing(Situation(FACTS, FETCHING), NOW)
    assert found(Query("x"), Answer(()), state).said == "Nothing matches; try other words."
    warming = standing(Situation(None, FETCHING), NOW)
    assert found(Query("x"), Answer(()), warming).said.startswith("No results yet, the index is warming up")


def test_a_passage_from_deep_inside_begins_at_the_margin() -> None:
    """On a narrow screen its indentation would take half the line. Its lines are cut short afterwards."""
    snippet = "\n".join(["    def wait():", "", *["        pass"] * 9])
    hit = Hit("tree", "a.py", 1, 11, "wait", "python", "", (), 1.0, None, None, snippet)
    text = found(Query("x"), Answer((hit,)), standing(Situation(FACTS, FETCHING), NOW)).passages[0].text
    assert text.splitlines()[:3] == ["def wait():", "", "    pass"]
    assert text.endswith("\n… 3 more lines")


def test_a_query_has_the_limits_of_the_tool() -> None:
    """Beyond them, a sentence says so; without any there is nothing to search for."""
    assert asked_for({"q": "  "}) is None
    assert asked_for({}) is None
    assert asked_for({"q": " wait ", "mode": "keyword"}) == Query("wait", 10, "keyword")
    for parameters, why in (({"q": "x" * 10_001}, "10,000 characters"), ({"q": "x", "mode": "<b>"}, "no mode")):
        with pytest.raises(ValueError, match=why):
            asked_for(parameters)
    assert refused({"q": "x"}, "why").said == "why"
