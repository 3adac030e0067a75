"""Parts of a page that are written by `make tables`, each between two marks with its name."""

from __future__ import annotations

__all__ = ["filled"]


def filled(text: str, name: str, content: str) -> str:
    """Return the text with that content between the marks ``name:begin`` and ``name:end``, which it must have."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"there are no marks {begin} and {end}")
    return f"{before}{begin}\n{content}\n{end}{after}"
