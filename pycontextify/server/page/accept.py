"""Which form of an answer a client wants (RFC 9110, 12.5.1). Pure."""

from __future__ import annotations

import re

__all__ = ["wants_page"]

_WEIGHT = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)


def wants_page(accepts: list[str]) -> bool:
    """Tell whether a client with these Accept headers likes HTML better than JSON.

    Browsers do and say so. Whoever takes either alike, or says nothing (curl, what monitors), is a program.
    """
    weights = dict(_read(piece) for line in accepts for piece in line.split(","))
    return _weight(weights, "text/html") > _weight(weights, "application/json")


def _read(piece: str) -> tuple[str, float]:
    """Return a media range and its weight; one whose weight can't be read counts for nothing."""
    media, *parameters = (part.strip().lower() for part in piece.split(";"))
    stated = [part for part in parameters if part.startswith("q=")]
    if not stated:
        return media, 1.0
    match = _WEIGHT.fullmatch(stated[0])
    return media, 0.0 if match is None else float(match[1])


def _weight(weights: dict[str, float], media: str) -> float:
    """Return the weight of a media type: that of the narrowest range that holds it."""
    ranges = (media, f"{media.partition('/')[0]}/*", "*/*")
    return next((weights[each] for each in ranges if each in weights), 0.0)
