"""What all pages have in common that come from the code."""

from __future__ import annotations

__all__ = ["WRITTEN", "page"]

WRITTEN = "<!-- Written by `make tables`: change what it is made from, not this page. -->"


def page(*lines: str) -> str:
    """Return a page of these lines, with a note to those who would edit it."""
    return "\n".join((WRITTEN, "", *lines)).rstrip() + "\n"
