"""Texts on their way into a model."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["prepare"]


def prepare(texts: Iterable[str], prefix: str = "") -> list[str]:
    """Put ``prefix`` before each text, and make each one valid Unicode.

    Lone surrogates (from ``surrogateescape`` or from JSON's ``\\ud800``) become ``?``: neither tokenizers nor UTF-8
    takes them, and one bad character should not cost the whole text.
    """
    return [(prefix + text).encode("utf-8", "replace").decode("utf-8") for text in texts]
