"""Debian's Chromium, driven by Playwright: pages of a width and a colour scheme, checked by axe-core, with pictures.

A page that writes an error to its console fails the test, and so does one that asks anybody else for anything.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, get_args

from axe_core_python.base import AXE_SCRIPT
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright

__all__ = ["PICTURES", "SCHEMES", "SIZES", "Scheme", "browser", "look", "open_page"]

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
SIZES = ((360, 740), (1280, 860))

_CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PICTURES = Path(os.environ.get("CI_OUTPUT_DIR", "build"), "screenshots").resolve()
"""Where pictures are left: with what else CI keeps, or below ``build``."""


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Run a browser with a profile of its own for the length of a block."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_ARGUMENTS))
        yield running
        await running.close()


@asynccontextmanager
async def open_page(
    running: Browser, url: str, *, scripts: bool = True, expected: str | None = None
) -> AsyncIterator[Page]:
    """Lend the status page at an address, with cookies of its own.

    The ``expected`` words may be among what Chromium writes to the console of what the server answers.
    """
    context = await running.new_context(java_script_enabled=scripts, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    page = await context.new_page()
    wrong: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and (expected is None or expected not in message.text):
            wrong.append(message.text)

    def on_request(request: Request) -> None:
        if not request.url.startswith((url, "data:")):
            wrong.append(f"asked for {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", on_request)
    await page.goto(f"{url}/status")
    yield page
    await context.close()
    assert wrong == []


async def look(page: Page, name: str) -> None:
    """Look at a page in every size and scheme: axe finds nothing, nothing scrolls sideways, and a picture is kept."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            await page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png", full_page=True)
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            assert await _violations(page) == [], (name, width, scheme)


async def _violations(page: Page) -> list[str]:
    """Return what axe-core objects to, in a line each. As a debugger's script it is above the page's policy."""
    found: dict[str, Any] = await page.evaluate(f"() => {{ {AXE_SCRIPT}; return axe.run(document); }}")
    assert len(found["passes"]) > 10, "axe has looked at nothing"
    return [
        f"{each['id']}: {each['help']}: {[node['target'] for node in each['nodes']][:5]}"
        for each in found["violations"]
    ]
