"""Fail when a built page loads something from elsewhere or lacks a file that it should show, or when the site can't be
searched: ``site.py DIRECTORY``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

__all__ = ["loaded", "main", "unfilled"]

# Links that a reader follows load nothing; what is canonical or alternate is only named.
_LOADING = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "link": "href",
    "script": "src",
    "source": "src",
    "video": "src",
}
_NAMED = {"alternate", "author", "canonical", "license", "next", "prev"}
_ELSEWHERE = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_UNFILLED = re.compile(r"--8\s*&lt;\s*--\s*(?:&quot;|\")?([^&\"\s]*)")
_TAG = re.compile(r"<[^>]*>")
_IN_STYLE = re.compile(r"(?:@import\s+|url\()\s*[\"']?((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)


def main(site: Path) -> int:
    """Look at every page, style and picture, say what is wrong, and return the exit code."""
    wrong = [
        f"{path.relative_to(site)} loads {address}"
        for path in sorted(site.rglob("*"))
        if path.suffix in {".html", ".css", ".svg"}
        for address in loaded(path.read_text(encoding="utf-8"), kind=path.suffix)
    ]
    wrong += [
        f"{path.relative_to(site)} does not show {name}"
        for path in sorted(site.rglob("*.html"))
        for name in unfilled(path.read_text(encoding="utf-8"))
    ]
    index = site / "search" / "search_index.json"
    found = json.loads(index.read_text(encoding="utf-8"))["docs"] if index.is_file() else []
    wrong += [] if found else ["there is nothing to search"]
    for each in wrong:
        print(each)
    print(f"{len(list(site.rglob('*.html')))} pages, {len(found)} entries to search, {len(wrong)} things wrong")
    return 1 if wrong else 0


def loaded(text: str, *, kind: str) -> list[str]:
    """Return the addresses elsewhere that a file makes a browser ask for."""
    if kind == ".html":
        page = _Page()
        page.feed(text)
        return page.found + list(_styled(page.style))
    return list(_styled(text))


def unfilled(page: str) -> list[str]:
    """Return the files that a page should show, and shows the line in their place (``--8<--``), mangled or not."""
    return _UNFILLED.findall(_TAG.sub("", page))


def _styled(text: str) -> Iterator[str]:
    return (match[1] for match in _IN_STYLE.finditer(text))


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.style = ""
        self._styling = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag loads."""
        given = dict(attrs)
        self._styling = tag == "style"
        self.style += given.get("style") or ""
        address = given.get(_LOADING.get(tag, "")) or ""
        named = tag == "link" and set((given.get("rel") or "").split()) <= _NAMED
        if not named and _ELSEWHERE.match(address):
            self.found.append(address)

    def handle_endtag(self, _tag: str) -> None:
        """Note that a style ends."""
        self._styling = False

    def handle_data(self, data: str) -> None:
        """Collect styles."""
        if self._styling:
            self.style += data


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
