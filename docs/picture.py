"""Take the README's picture of the status page, light and dark: `make picture`. It needs Chromium.

The page is that of a real server, which has filled itself from this project's documentation and then fetched what came new
when some of its code was published as well. Nothing in the picture is made up.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import anyio
from mcp import Client
from playwright.sync_api import Browser, expect, sync_playwright

from docs.record import PICTURES, ROOT, host, run, serving, until

__all__ = ["main"]

_CHROMIUM = "/usr/bin/chromium"
_SIZE = (1120, 600)
_SHARPNESS = 1.5
_QUERY = "how is a view swapped"
_LARGEST = 300_000


def main() -> int:
    """Publish, serve, publish more, look; return the exit code."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        shutil.copytree(ROOT / "docs", home / "docs", ignore=shutil.ignore_patterns("*.py", "images", "*.json"))
        for room in ("index", "hydration"):
            shutil.copytree(ROOT / "pycontextify" / room, home / "pycontextify" / room)
        (home / "public").mkdir()
        _publish("docs", home)
        with host(home / "public") as address, serving(home, address, port=8765) as url:
            before = until(url, lambda _: True)["index"]["version"]
            _publish("pycontextify", home)
            anyio.run(_look_now, f"{url}/mcp")
            until(url, lambda told: told["index"]["version"] > before and told["hydration"]["state"] == "idle")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
                pictures = [_picture(browser, url, scheme) for scheme in ("light", "dark")]
                browser.close()
    return 0 if max(path.stat().st_size for path in pictures) < _LARGEST else 1


def _publish(tree: str, home: Path) -> None:
    run(f"pycontextify index {tree} --index-path index && pycontextify publish public --index-path index", home)


async def _look_now(address: str) -> None:
    async with Client(address) as client:
        await client.call_tool("rehydrate", {"wait": True})


def _picture(browser: Browser, url: str, scheme: str) -> Path:
    width, height = _SIZE
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=_SHARPNESS,
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{url}/status")
    page.locator("#q").fill(_QUERY)
    page.locator("#q").press("Enter")
    expect(page.locator(".results li").first).to_be_visible()
    page.locator("#q").blur()
    path = PICTURES / f"status-page-{scheme}.png"
    page.screenshot(path=path)
    context.close()
    return path


if __name__ == "__main__":
    sys.exit(main())
