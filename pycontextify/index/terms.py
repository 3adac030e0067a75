"""Words for the keyword side: a pure rule for what is indexed and what is asked.

SQLite's tokenizer already splits at punctuation and underscores, so ``read_index`` is found by ``read`` and ``index``.
What it can't see is the words inside ``readIndex`` and ``HTTPServer``: they are added here, on both sides alike.
"""

from __future__ import annotations

import re

__all__ = ["LONGEST_FILTER", "can_match", "indexed_text", "match_expression"]

# An accent that follows its letter as a character of its own belongs to the word, as it does for SQLite's tokenizer.
_WORD = re.compile(r"(?:[^\W_][\u0300-\u0331]*)+")
_CASED_PART = re.compile(r"A+(?=Aa)|A?a+|A+|0+")
_MOST_TERMS = 64
_LONGEST_TERM = 1000
LONGEST_FILTER = 1000
"""In characters."""


def indexed_text(text: str) -> str:
    """Return the text to index: as it is, with the parts of its mixed-case words added once each."""
    parts = dict.fromkeys(part for word in _WORD.findall(text) for part in _parts(word))
    return f"{text}\n{' '.join(parts)}" if parts else text


def match_expression(query: str) -> str:
    """Return an FTS5 expression that matches any of the query's words; empty when it has none.

    Every word is quoted (https://sqlite.org/fts5.html, section 3.1), so nothing a user types is read as syntax. At
    most 64 words count, and none of more than a thousand letters: more would only slow the search down.
    """
    words = (term for word in _WORD.findall(query) for term in (word, *_parts(word)))
    terms = dict.fromkeys(word.lower() for word in words if len(word) <= _LONGEST_TERM)
    return " OR ".join(f'"{term}"' for term in list(terms)[:_MOST_TERMS])


def can_match(text: str) -> bool:
    """Tell whether a filter could match anything: SQLite takes neither half surrogate pairs nor overlong globs."""
    return len(text) <= LONGEST_FILTER and text.encode(errors="replace").decode() == text


def _parts(word: str) -> list[str]:
    """Split ``HTTPServer2`` into HTTP, Server and 2; nothing for a word that is of one piece."""
    if word.islower() or word.isdigit():
        return []
    shape = "".join("A" if letter.isupper() else "0" if letter.isdigit() else "a" for letter in word)
    parts = [word[found.start() : found.end()] for found in _CASED_PART.finditer(shape)]
    return parts if len(parts) > 1 else []
