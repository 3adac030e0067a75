"""The plain values that go into an index and come out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Answer", "Chunk", "Document", "Hit", "Mode", "Overview", "Query"]

Mode = Literal["hybrid", "dense", "keyword"]
"""How a query is matched: by meaning and by words together, by meaning alone, by words alone."""


@dataclass(frozen=True, slots=True)
class Document:
    """One indexed file.

    ``path`` is relative to the root of its ``tree`` and uses ``/``. ``content_hash`` is the SHA-256 of the file's raw
    bytes in hex: what decides whether the file has changed. ``size`` is in bytes.
    """

    path: str
    tree: str
    language: str
    content_hash: str
    size: int
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """One passage of a document: the unit that is embedded and found.

    Lines count from 1, both ends included (pages, in a PDF). ``symbol`` is a dotted name for code, a heading path
    (``Install > Linux``) for prose, or empty.
    """

    text: str
    start_line: int
    end_line: int
    kind: str
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for. All filters must hold; ``tags`` must all be on the document.

    ``path`` is a glob in SQLite's GLOB syntax (``*`` also matches ``/``), tried on the document's path alone and with
    its tree's label in front. ``language`` is a name that `Overview` lists, in upper or lower case.
    """

    text: str
    limit: int = 10
    mode: Mode = "hybrid"
    tags: tuple[str, ...] = ()
    path: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer. ``dense`` is the cosine similarity, ``keyword`` the BM25 score (higher is better); None where that
    side did not find the chunk. ``score`` is the fused one in [0, 1], comparable within one answer only.
    """

    path: str
    tree: str
    start_line: int
    end_line: int
    language: str
    kind: str
    symbol: str
    tags: tuple[str, ...]
    score: float
    dense: float | None
    keyword: float | None
    snippet: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query found, best first. ``degraded`` says why meaning was not searched; None when it was."""

    hits: tuple[Hit, ...]
    degraded: str | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """What an index holds; the mappings count documents."""

    chunks: int = 0
    documents: int = 0
    segments: int = 0
    trees: Mapping[str, int] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, int] = field(default_factory=dict)
