"""The page over real sockets: who gets which form, coming in with a token, going back, and events."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import anyio
import httpx2
import pytest

from pycontextify.errors import StoreError
from pycontextify.index.model import Answer, Query
from pycontextify.server.badge import badge_cookie
from pycontextify.server.bind import address_of, bind
from pycontextify.server.doors import Refusal
from pycontextify.server.lane import Lane
from pycontextify.server.listen import Listener
from pycontextify.server.page.routes import Page
from pycontextify.server.routes import build_app
from tests.fakes.bench import bench
from tests.fakes.child import ROOT
from tests.fakes.engine import FakeEngine, FakeView, make_view
from tests.server.page.situations import HOSTILE
from tests.server.test_routes import TOKEN, get, listening

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
BADGE = badge_cookie(TOKEN).partition(";")[0]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def two() -> FakeEngine:
    """An engine with a generation, and one to go back to."""
    return FakeEngine(current=make_view(version=42), earlier=make_view({"old.py": "queue"}, version=41), needed=False)


async def post(url: str, content: str = "", **headers: str) -> httpx2.Response:
    """Send a form."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        return await client.post(url, content=content, headers={**FORM, **headers})


async def test_one_address_has_a_page_for_browsers_and_json_for_all_others() -> None:
    """/status.json is JSON for everybody; caches are told what it depends on."""
    async with listening(two()) as (parts, url):
        await parts.at_rest()
        page = await get(f"{url}/status", accept=BROWSER)
        plain = await get(f"{url}/status")
        named = await get(f"{url}/status.json", accept=BROWSER)
        async with httpx2.AsyncClient(trust_env=False) as client:
            head = await client.head(f"{url}/status", headers={"accept": BROWSER})
    assert page.headers["content-type"] == head.headers["content-type"] == "text/html; charset=utf-8"
    assert "<!doctype html>" in page.text
    assert "Version 42" in page.text
    assert (head.status_code, head.content) == (200, b"")
    assert plain.headers["content-type"] == named.headers["content-type"] == "application/json"
    assert plain.json()["index"]["version"] == named.json()["index"]["version"] == 42
    assert "Accept" in page.headers["vary"]
    assert plain.headers["vary"] == "Accept"
    for answer in (page, plain, named):
        assert answer.headers["cache-control"] == "no-store"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


def test_nobody_waits_for_jinja_who_asks_for_no_page() -> None:
    """It is imported for the first page."""
    code = "import sys, pycontextify.server.app; print('jinja2' in sys.modules, 'markupsafe' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["False", "False"]


async def test_a_search_is_answered_on_the_page() -> None:
    """As the tool would, and what was found is text."""
    engine = FakeEngine(current=make_view({f"{HOSTILE[:-1]}.py": f"queue {HOSTILE[:-1]}"}), needed=False)
    async with listening(engine) as (parts, url):
        await parts.at_rest()
        found = await get(f"{url}/status?q=queue&mode=keyword", accept=BROWSER)
        hostile = await get(f"{url}/status?q=%3Cscript%3Ealert(1)%3C/script%3E%ed%a0%80", accept=BROWSER)
        nothing = await get(f"{url}/status?q=zebra", accept=BROWSER)
        wrong = await get(f"{url}/status?q=x&mode=none", accept=BROWSER)
    assert "1 result, the best first." in found.text
    assert '<option value="keyword" selected>' in found.text
    assert found.text.count("<script>") == hostile.text.count("<script>") == 1
    assert "Nothing matches" in nothing.text
    assert (wrong.status_code, "There is no mode" in wrong.text) == (400, True)


async def test_before_there_is_an_index_a_search_says_so() -> None:
    """And the page shows how far it is."""
    async with listening(FakeEngine()) as (parts, url):
        (await parts.fetching()).receive(250_000)
        page = await get(f"{url}/status?q=queue", accept=BROWSER)
    assert "No results yet, the index is warming up" in page.text
    assert 'value="25.0"' in page.text


async def test_a_browser_without_the_token_is_asked_for_it() -> None:
    """On the page's own addresses; programs are told as ever, and so are browsers elsewhere."""
    async with listening(two(), token=TOKEN) as (_, url):
        asked = await get(f"{url}/status", accept=BROWSER)
        stale = await get(f"{url}/status", accept=BROWSER, cookie=f"{BADGE}x")
        program = await get(f"{url}/status")
        elsewhere = await get(f"{url}/livez", accept=BROWSER)
        stream = await get(f"{url}/status/events", accept="text/event-stream")
    for answer in (asked, stale):
        assert answer.status_code == 401
        assert 'action="status/login"' in answer.text
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "Version" not in answer.text
    for answer in (program, elsewhere, stream):
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "token_missing")


async def test_when_too_many_are_asked_for_the_token_the_answer_is_short() -> None:
    """It is refused all the same, and nothing of ours fails."""
    answers: list[Mapping[str, Any]] = []

    async def send(message: Any) -> None:
        answers.append(message)

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async with bench(two()) as parts:
        page = Page(parts.desk, token=TOKEN)
        page._drawing = Lane(threads=1, waiting=-1)
        headers = [(b"accept", BROWSER.encode())]
        scope = {"type": "http", "method": "GET", "path": "/status", "query_string": b"", "headers": headers}
        await page.refuse(Refusal(401, "token_missing", "show it"), scope, receive, send)
    assert answers[0]["status"] == 401
    assert b"token_missing" in answers[1]["body"]


async def test_the_token_gets_a_badge_and_the_badge_opens_the_page() -> None:
    """And the page's JSON and events, but no tool and no probe."""
    async with listening(two(), token=TOKEN) as (parts, url):
        await parts.at_rest()
        entered = await post(f"{url}/status/login", f"token={TOKEN}", accept=BROWSER, origin=url)
        badge = entered.headers["set-cookie"].partition(";")[0]
        page = await get(f"{url}/status", accept=BROWSER, cookie=badge)
        document = await get(f"{url}/status.json", cookie=badge)
        others = [await get(f"{url}{path}", cookie=badge) for path in ("/mcp", "/livez", "/readyz", "/healthz")]
        tool = await post(f"{url}/mcp", "{}", cookie=badge, accept="application/json, text/event-stream")
        left = await post(f"{url}/status/logout", cookie=badge, origin=url)
    assert (entered.status_code, entered.headers["location"]) == (303, "../status")
    assert (page.status_code, "Sign out" in page.text) == (200, True)
    assert document.status_code == 200
    assert {answer.status_code for answer in (*others, tool)} == {401}
    assert (left.status_code, "Max-Age=0" in left.headers["set-cookie"]) == (303, True)


async def test_what_was_searched_for_is_found_after_the_token_was_asked_for() -> None:
    """The form takes it along, also when the first token was wrong; and nothing else that an address may hold."""
    async with listening(two(), token=TOKEN) as (_, url):
        asked = await get(f"{url}/status?q=queue+%26+%22x&mode=keyword&next=http://evil.example", accept=BROWSER)
        form = "q=queue+%26+%22x&mode=keyword&next=http://evil.example&token="
        again = await post(f"{url}/status/login", f"{form}wrong", accept=BROWSER)
        entered = await post(f"{url}/status/login", f"{form}{TOKEN}", accept=BROWSER)
    for page in (asked, again):
        assert '<input type="hidden" name="q" value="queue &amp; &#34;x">' in page.text
        assert '<input type="hidden" name="mode" value="keyword">' in page.text
        assert "evil" not in page.text
    assert entered.headers["location"] == "../status?q=queue+%26+%22x&mode=keyword"


async def test_what_a_form_answered_can_be_loaded_again() -> None:
    """A browser then asks with GET for where the form led; with a badge that is the page, without one the login."""
    async with listening(two(), token=TOKEN) as (_, url):
        for where in ("rollback", "login", "logout"):
            known = await get(f"{url}/status/{where}", accept=BROWSER, cookie=BADGE)
            unknown = await get(f"{url}/status/{where}", accept=BROWSER)
            assert (known.status_code, known.headers["location"]) == (303, "../status")
            assert (unknown.status_code, 'action="../status/login"' in unknown.text) == (401, True)


async def test_behind_a_proxy_that_goes_by_another_name_the_forms_work() -> None:
    """It sends a Host of its own; the browser says that page and server are one to it. Else the names must be one."""
    engine, far = two(), {"host": "localhost", "origin": "https://search.example.com"}
    async with listening(engine, token=TOKEN) as (parts, url):
        await parts.at_rest()
        own = {**far, "sec-fetch-site": "same-origin"}
        entered = await post(f"{url}/status/login", f"token={TOKEN}", accept=BROWSER, **own)
        assert (entered.status_code, "set-cookie" in entered.headers) == (303, True)
        done = await post(f"{url}/status/rollback", "to=sha256%3Aab", cookie=BADGE, accept=BROWSER, **own)
        assert done.status_code == 303
        for site in ({}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "none"}):
            answer = await post(f"{url}/status/rollback", cookie=BADGE, **far, **site)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "origin_refused")
        forged = await post(f"{url}/status/rollback", cookie=BADGE, **{**own, "host": "search.example.com"})
        assert forged.status_code == 421
        elsewhere = await post(f"{url}/mcp", "{}", authorization=f"Bearer {TOKEN}", **own)
        assert elsewhere.status_code == 403
    assert engine.wanted == ["sha256:ab"]


@pytest.mark.parametrize("form", ["token=wrong", "token=", "", "x" * 1000, "&" * 1000, f"tok={TOKEN}", "token=%ff%00"])
async def test_a_wrong_token_gets_no_badge(form: str) -> None:
    """Whatever is sent in its place; the page asks again, a program gets a code."""
    async with listening(two(), token=TOKEN) as (_, url):
        page = await post(f"{url}/status/login", form, accept=BROWSER)
        plain = await post(f"{url}/status/login", form)
    assert (page.status_code, 'action="../status/login"' in page.text) == (401, True)
    assert (plain.status_code, plain.json()["error"]["code"][:6]) == (401, "token_")
    for answer in (page, plain):
        assert "set-cookie" not in answer.headers


async def test_without_a_token_there_is_nothing_to_sign_in_to() -> None:
    """The forms lead back to the page."""
    async with listening(two()) as (_, url):
        answers = [await post(f"{url}/status/{where}", origin=url) for where in ("login", "logout")]
    assert [(answer.status_code, "set-cookie" in answer.headers) for answer in answers] == [(303, False)] * 2


async def test_no_other_page_may_send_the_forms() -> None:
    """Not one of another port of this machine, which may read the status; nor with the badge along."""
    engine = two()
    async with listening(engine, token=TOKEN) as (parts, url):
        await parts.at_rest()
        for where, form in (("rollback", ""), ("logout", ""), ("login", f"token={TOKEN}")):
            for origin in ("http://localhost:3000", "http://127.0.0.1:1", url.replace("127.0.0.1", "localhost")):
                answer = await post(f"{url}/status/{where}", form, origin=origin, cookie=BADGE)
                assert (answer.status_code, answer.json()["error"]["code"]) == (403, "origin_refused")
                assert "set-cookie" not in answer.headers
    assert engine.wanted == []


async def test_going_back_with_the_badge() -> None:
    """The generation that the button names is served again, and the page is shown anew."""
    engine = two()
    async with listening(engine, token=TOKEN) as (parts, url):
        await parts.at_rest()
        done = await post(f"{url}/status/rollback", "to=sha256%3Aab", cookie=BADGE, origin=url, accept=BROWSER)
        page = await get(f"{url}/status", accept=BROWSER, cookie=BADGE)
    assert (done.status_code, done.headers["location"]) == (303, "../status")
    assert engine.wanted == ["sha256:ab"]
    assert "Version 41: 1 chunk of 1 document" in page.text


async def test_going_back_needs_the_token() -> None:
    """Without it 401; on a server without one 403, which says how to do it."""
    engine = two()
    async with listening(engine, token=TOKEN) as (_, url):
        unknown = await post(f"{url}/status/rollback", origin=url)
    async with listening(engine) as (parts, url):
        await parts.at_rest()
        page = await post(f"{url}/status/rollback", origin=url, accept=BROWSER)
        plain = await post(f"{url}/status/rollback")
    assert unknown.status_code == 401
    assert (page.status_code, "pycontextify rollback" in page.text) == (403, True)
    assert (plain.status_code, plain.json()["error"]["code"]) == (403, "token_needed")
    assert engine.wanted == []


async def test_what_cannot_be_gone_back_to_is_said_on_the_page() -> None:
    """With its code; what is served stays."""
    async with listening(FakeEngine(current=make_view(version=42), needed=False), token=TOKEN) as (parts, url):
        await parts.at_rest()
        headers = {"cookie": BADGE, "origin": url}
        page = await post(f"{url}/status/rollback", accept=BROWSER, **headers)
        plain = await post(f"{url}/status/rollback", **headers)
        wrong = await post(f"{url}/status/rollback", "to=" + "x" * 201, **headers)
    assert (page.status_code, "there is no generation before this one" in page.text) == (409, True)
    assert "Version 42" in page.text
    assert (plain.status_code, plain.json()["error"]["code"]) == (409, "no_generation")
    assert wrong.status_code == 400


async def test_an_index_json_that_cannot_be_read_leaves_the_rest_of_the_page() -> None:
    """The generations are missing, and nothing fails."""

    class Unreadable(FakeEngine):
        def generations(self) -> Any:
            raise StoreError("the file is damaged", code="refs_invalid")

    async with listening(Unreadable(current=make_view(version=42), needed=False)) as (parts, url):
        await parts.at_rest()
        page = await get(f"{url}/status", accept=BROWSER)
    assert (page.status_code, "None yet." in page.text) == (200, True)


async def test_a_search_that_fails_is_said_on_the_page() -> None:
    """With its sentence."""

    class Failing(FakeView):
        def search(self, query: Query) -> Answer:
            raise StoreError("the disk is gone")

    held = make_view()
    view = Failing(held.passages, held.generation, held.config)
    async with listening(FakeEngine(current=view, needed=False)) as (parts, url):
        await parts.at_rest()
        page = await get(f"{url}/status?q=queue", accept=BROWSER)
    assert (page.status_code, "the disk is gone" in page.text) == (503, True)


async def test_events_follow_a_hydration() -> None:
    """From its bytes to the generation that it brought; HEAD gets the head alone."""
    async with (
        listening(FakeEngine()) as (parts, url),
        httpx2.AsyncClient(trust_env=False, timeout=10) as client,
        client.stream("GET", f"{url}/status/events") as stream,
    ):
        assert stream.headers["content-type"] == "text/event-stream"
        hydrator = await parts.fetching()
        seen: dict[str, str] = {}
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                seen |= json.loads(line.removeprefix("data: "))
            if "segment 1 vectors" in seen.get("work", "") and not hydrator.board.status.bytes_done:
                hydrator.receive(500_000)
            if 'value="50.0"' in seen.get("work", ""):
                hydrator.install(make_view(version=42))
            if "<dd>42</dd>" in seen.get("live", ""):
                break
        head = await client.head(f"{url}/status/events")
    assert (head.status_code, head.content) == (200, b"")


async def test_the_server_ends_while_pages_are_open(caplog: pytest.LogCaptureFixture) -> None:
    """A stream ends with it, in order, and at once."""
    async with bench(two()) as parts, anyio.create_task_group() as tasks:
        taken, ended = await bind("127.0.0.1", 0), anyio.Event()
        listener = Listener(build_app(parts.server, parts.desk, bound="127.0.0.1", token=None), taken)

        async def run() -> None:
            await listener.run()
            ended.set()

        tasks.start_soon(run)
        async with (
            httpx2.AsyncClient(trust_env=False) as client,
            client.stream("GET", f"{address_of(taken)}/status/events") as stream,
        ):
            lines = stream.aiter_lines()
            assert (await anext(lines)).startswith("retry:")
            listener.stop()
            with anyio.fail_after(1.5):
                async for _ in lines:
                    pass
                await ended.wait()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
