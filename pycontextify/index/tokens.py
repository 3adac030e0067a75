"""Splitting text into the words that are indexed and asked for: SQLite's tokenizer, with the stems of English words."""

from __future__ import annotations

import threading
from typing import cast

import apsw

__all__ = ["Tokenizer"]

_NAME, _ARGUMENTS = "porter", ["unicode61"]
"""Case and accents go, then the endings of words (https://sqlite.org/fts5.html, section 4.3)."""


class Tokenizer:
    """Splits text into words, stemmed. Thread safe; `close` is for when nobody splits any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection = apsw.Connection(":memory:")
        self._split = self._connection.fts5_tokenizer(_NAME, _ARGUMENTS)

    def __call__(self, text: str) -> list[str]:
        """Return the words of a text, in their order, as often as they are there."""
        content = text.encode(errors="replace")
        with self._lock:
            words = self._split(
                content, apsw.FTS5_TOKENIZE_DOCUMENT, None, include_offsets=False, include_colocated=False
            )
        return cast("list[str]", words)

    def close(self) -> None:
        """Let go of what SQLite holds for it."""
        self._connection.close()
