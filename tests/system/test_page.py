"""The status page in a real browser, of a real server that hydrates: what people see.

Pictures of every state, size and scheme are left in ``$CI_OUTPUT_DIR/screenshots`` (build/screenshots without it).
"""

from __future__ import annotations

import re
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import anyio
import anyio.to_thread
import pytest
import pytest_asyncio
from mcp import Client
from playwright.async_api import Browser, expect

from pycontextify.encoder.onnx import open_directory
from pycontextify.publish.directory import publish_directory
from pycontextify.store.layout import Layout
from tests.fakes.acts import Drip, Honest, Status
from tests.fakes.encoder import write_tiny_model
from tests.fakes.generation import Doc, make_generation
from tests.fakes.server import SnapshotServer
from tests.fakes.serving import serving
from tests.fakes.stopping import WORDS, vectors_of
from tests.system.browser import PICTURES, browser, look, open_page
from tests.system.conftest import MakeNginx

pytestmark = pytest.mark.system

VERSIONS = 20_261_122_100_000
"""Where versions begin: they are made from the clock, and long."""

TOKEN = "0123456789abcdef-of-the-page"
FOLLOW = ("--index-bootstrap-mode", "follow", "--index-bootstrap-refresh", "1s")
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest_asyncio.fixture
async def chromium(record_property: Callable[[str, object], None]) -> AsyncIterator[Browser]:
    """A browser; where its pictures are is told at the end of the run."""
    record_property("screenshots of the status page", str(PICTURES))
    async with browser() as running:
        yield running


def build(home: Path, version: int) -> Path:
    """Index a few documents, one of which would be more than text, and publish that as the latest; return the site.

    What was published before stays. It takes some 600 kB, nearly all of them in one blob of vectors.
    """
    write_tiny_model(home / "model", words=WORDS, dimension=1024)
    built = Layout(home / "built")
    built.create()
    many = [Doc(f"docs/{each}.md", (f"passage number {each} of many",), language="markdown") for each in range(300)]
    docs = [Doc(HOSTILE, (HOSTILE * version,), language="html", symbol=HOSTILE), *many]
    generation = make_generation(built, docs, encoder=open_directory(home / "model"), version=VERSIONS + version)
    publish_directory(built, generation, home / "site")
    return home / "site"


async def test_it_follows_a_slow_hydration(tmp_path: Path, chromium: Browser) -> None:
    """Bytes, rate and steps change in place, while somebody types; and then there is an index to search."""
    site = build(tmp_path, 1)
    async with SnapshotServer(site) as host, serving(tmp_path, "--index-bootstrap-url", host.url()) as server:
        host.always(f"blobs/sha256/{vectors_of(site).digest.hex}", Drip(8_000, 0.2))
        async with open_page(chromium, await server.url()) as page:
            total = page.locator(".total progress")
            await expect(page.locator(".steps .now .label")).to_have_text("Fetch")
            await page.locator("#q").press_sequentially("passage num")
            seen = {await total.get_attribute("value")}
            while len(seen) < 4:
                seen.add(await total.get_attribute("value"))
            await expect(page.locator(".total")).to_contain_text(re.compile(r"of [0-9.]+ [kM]B · .*/s · [0-9]+ s left"))
            await look(page, "fetching")
            await page.locator("#q").press_sequentially("ber 7")
            await expect(page.locator("#state .pill")).to_have_text("Serving", timeout=60_000)
            await expect(page.locator("#q")).to_be_focused()
            await expect(page.locator("#q")).to_have_value("passage number 7")
            await expect(page).to_have_title("Serving · PyContextify")
            await expect(page.locator(".steps .done")).to_have_count(5)
            await expect(page.locator("#past tbody tr")).to_have_count(1)
            await page.locator("#q").press("Enter")
            await expect(page.locator(".results li")).to_have_count(10)


async def test_an_error_is_shown_with_its_retry_and_gone_once_it_has_recovered(
    tmp_path: Path, chromium: Browser
) -> None:
    """Nothing has to be reloaded. The next attempt is asked for here; it would come by itself. Both are counted."""
    async with (
        SnapshotServer(build(tmp_path, 1)) as host,
        serving(tmp_path, "--index-bootstrap-url", host.url()) as server,
    ):
        host.always("index.json", Status(503))
        async with open_page(chromium, await server.url()) as page:
            fault = page.locator(".fault")
            await expect(fault).to_contain_text("503", timeout=30_000)
            await expect(fault).to_contain_text(re.compile(r"Next attempt in [0-9]+ s"))
            await expect(page.locator(".steps .failed .label")).to_have_text("Resolve")
            await look(page, "failed")
            host.always("index.json", Honest())
            async with Client(f"{await server.url()}/mcp") as client:
                await client.call_tool("rehydrate", {})
            await expect(page.locator("#state .pill")).to_have_text("Serving")
            await expect(fault).to_have_count(0)
            await expect(page.locator("#past tbody tr")).to_have_count(2)
        async with aiohttp.ClientSession() as session, session.get(f"{await server.url()}/metrics") as reply:
            told = (await reply.text()).splitlines()
        for result, trigger in (("failed", "startup"), ("installed", "manual")):
            assert f'pycontextify_hydrations_total{{result="{result}",trigger="{trigger}"}} 1.0' in told


async def test_searching_with_and_without_a_script(tmp_path: Path, chromium: Browser) -> None:
    """The results are the same, what was found is text, and with a script the page stays where it is."""
    async with (
        SnapshotServer(build(tmp_path, 1)) as host,
        serving(tmp_path, "--index-bootstrap-url", host.url()) as server,
    ):
        await server.hydrated()
        url = await server.url()
        async with open_page(chromium, url) as page, open_page(chromium, url, scripts=False) as plain:
            await page.evaluate("window.stays = true")
            for each in (page, plain):
                await each.locator("#q").fill("img src onerror alert")
                await each.locator("#mode").select_option("keyword")
                await each.locator("#q").press("Enter")
                await expect(each.locator(".results li").first).to_contain_text(HOSTILE)
                await expect(each.locator(".results .place").first).to_contain_text(f"{HOSTILE}:1-3")
                assert await each.locator(".results img").count() == 0
                assert each.url.startswith(f"{url}/status?q=img")
            assert await page.evaluate("window.stays")
            await page.locator("#q").fill("passage number 7 of many")
            await page.locator("#mode").select_option("hybrid")
            await page.locator("#q").press("Enter")
            await expect(page.locator(".results .place").first).to_contain_text("docs/7.md:1-3")
            await look(page, "results")


async def test_what_has_nothing_to_show_says_so(tmp_path: Path, chromium: Browser) -> None:
    """No index, no source; and its configuration can be copied."""
    gone = "ERR_CONNECTION_REFUSED"
    async with serving(tmp_path) as server, open_page(chromium, await server.url(), expected=gone) as page:
        await expect(page.locator("#state .pill")).to_have_text("Empty")
        await look(page, "empty")
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.get_by_role("button", name="Copy the configuration for Claude Code").first.click()
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert copied == f"claude mcp add --transport http pycontextify {await server.url()}/mcp"
        await server.leave(signal.SIGTERM)
        await expect(page.locator("#lost")).to_be_visible()


async def test_going_back_with_the_token(tmp_path: Path, chromium: Browser) -> None:
    """Sign in, see a second version arrive, go back with the keyboard, sign out."""
    site = build(tmp_path, 1)
    async with (
        SnapshotServer(site) as host,
        serving(tmp_path, "--index-bootstrap-url", host.url(), *FOLLOW, env={"HTTP_TOKEN": TOKEN}) as server,
        open_page(chromium, await server.url(), expected="status of 401") as page,
    ):
        await look(page, "login")
        await page.get_by_label("Token").fill("not the token of this server")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("not the token")
        await look(page, "login-again")
        await page.get_by_label("Token").fill(TOKEN)
        await page.keyboard.press("Enter")
        await expect(page.locator("#state")).to_contain_text(f"Version {VERSIONS + 1}:")
        await expect(page.get_by_role("button", name="Roll back")).to_have_count(0)
        await anyio.to_thread.run_sync(build, tmp_path, 2)
        await expect(page.locator("#state")).to_contain_text(f"Version {VERSIONS + 2}:")
        await look(page, "with-token")
        await page.get_by_role("button", name=f"Roll back to version {VERSIONS + 1}").press("Enter")
        await expect(page.locator("#state")).to_contain_text(f"Version {VERSIONS + 1}:")
        await expect(page.locator("#kept li").first).to_contain_text("served")
        await expect(page.locator("#kept li").nth(1)).to_contain_text("gone back from")
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_label("Token")).to_be_visible()


async def test_a_server_that_hangs_is_told_from_one_at_rest(tmp_path: Path, chromium: Browser) -> None:
    """It takes connections and says nothing, as one does that swaps, or one at the other end of a dead line."""
    async with serving(tmp_path) as server, open_page(chromium, await server.url()) as page:
        await expect(page.locator("#state .pill")).to_have_text("Empty")
        server.process.send_signal(signal.SIGSTOP)
        await expect(page.locator("#lost")).to_be_visible(timeout=30_000)
        await page.screenshot(path=PICTURES / "hangs-1280-light.png")
        server.process.send_signal(signal.SIGCONT)
        await expect(page.locator("#lost")).to_be_hidden(timeout=30_000)


async def test_behind_a_proxy_and_under_a_path(tmp_path: Path, chromium: Browser, nginx: MakeNginx) -> None:
    """Which goes by a name of its own: sign in to what was asked, follow, go back, sign out; nothing leaves it."""
    site = build(tmp_path, 1)
    async with (
        SnapshotServer(site) as host,
        serving(tmp_path, "--index-bootstrap-url", host.url(), *FOLLOW, env={"HTTP_TOKEN": TOKEN}) as server,
    ):
        location = f"location /search/ {{ proxy_pass {await server.url()}/; proxy_set_header Host localhost;"
        url = f"{nginx(tmp_path, server=f'{location} proxy_buffering off; }}').url}/search"
        async with open_page(chromium, url, expected="status of 401") as page:
            await page.goto(f"{url}/status?q=passage+number+7&mode=keyword")
            await page.get_by_label("Token").fill("not the token of this server")
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("alert")).to_contain_text("not the token")
            await page.get_by_label("Token").fill(TOKEN)
            await page.keyboard.press("Enter")
            await expect(page.locator("#state .pill")).to_have_text("Serving")
            await expect(page.locator("#q")).to_have_value("passage number 7")
            await expect(page.locator("#text-claude")).to_contain_text(f" {url}/mcp ")
            assert page.url == f"{url}/status?q=passage+number+7&mode=keyword"
            await page.get_by_role("button", name="Search").click()
            await expect(page.locator(".results .place").first).to_contain_text("docs/7.md:1-3")
            await anyio.to_thread.run_sync(build, tmp_path, 2)
            await expect(page.locator("#state")).to_contain_text(f"Version {VERSIONS + 2}:")
            await page.get_by_role("button", name="Roll back").click()
            await expect(page.locator("#state")).to_contain_text(f"Version {VERSIONS + 1}:")
            assert page.url == f"{url}/status"
            await page.get_by_role("button", name="Sign out").click()
            await expect(page.get_by_label("Token")).to_be_visible()
