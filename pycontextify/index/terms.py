"""Words for the keyword side: a pure rule for what is indexed and what is asked.

SQLite's tokenizer already splits at punctuation and underscores, so ``read_index`` is found by ``read`` and ``index``.
What it can't see is the words inside ``readIndex`` and ``HTTPServer``: they are added here, on both sides alike.
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["LONGEST_FILTER", "asked_text", "can_match", "indexed_text"]

# An accent that follows its letter as a character of its own belongs to the word, as it does for SQLite's tokenizer.
_WORD = re.compile(r"(?:[^\W_][\u0300-\u0331]*)+")
_ASCII_WORD = re.compile(r"[a-zA-Z0-9]+")
_CASED_PART = re.compile(r"A+(?=Aa)|A?a+|A+|0+")
_MOST_TERMS = 64
_LONGEST_TERM = 1000
LONGEST_FILTER = 1000
"""In characters."""


def indexed_text(text: str) -> str:
    """Return the text to index: as it is, with the parts of its mixed-case words added once each."""
    parts = dict.fromkeys(part for word in dict.fromkeys(_words(text)) for part in _parts(word))
    return f"{text}\n{' '.join(parts)}" if parts else text


def asked_text(query: str) -> str:
    """Return the words of a query that are looked for, one a line; empty when it has none.

    At most 64 count, and none of more than a thousand letters: more would only slow the search down.
    """
    words = (term for word in _words(query) for term in (word, *_parts(word)))
    terms = dict.fromkeys(word.lower() for word in words if len(word) <= _LONGEST_TERM)
    return "\n".join(list(terms)[:_MOST_TERMS])


def can_match(text: str) -> bool:
    """Tell whether a filter could match anything: SQLite takes neither half surrogate pairs nor overlong globs."""
    return len(text) <= LONGEST_FILTER and text.encode(errors="replace").decode() == text


def _words(text: str) -> list[str]:
    # Most text is ASCII, where a word is found five times as fast.
    return (_ASCII_WORD if text.isascii() else _WORD).findall(text)


@lru_cache(1 << 16)  # the words of a tree repeat, and this takes longer than all else that is done with one
def _parts(word: str) -> tuple[str, ...]:
    """Split ``HTTPServer2`` into HTTP, Server and 2; nothing for a word that is of one piece."""
    if word.islower() or word.isdigit():
        return ()
    shape = "".join("A" if letter.isupper() else "0" if letter.isdigit() else "a" for letter in word)
    parts = tuple(word[found.start() : found.end()] for found in _CASED_PART.finditer(shape))
    return parts if len(parts) > 1 else ()
