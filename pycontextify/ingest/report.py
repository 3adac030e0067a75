"""What is asked of an index run, what it tells on its way, and what it has done in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from pycontextify.ingest.crawl import CrawlRules
from pycontextify.snapshot.digest import Digest

__all__ = ["IndexProgress", "IndexReport", "IndexRequest", "OnProgress", "SkippedFile"]


@dataclass(frozen=True, slots=True)
class IndexRequest:
    """Bring ``tree`` up to date with what lies at ``root``.

    ``tags`` go on every document of the tree. ``name`` is what the index is called from now on (default: what it is
    called already, a new one ``index``). ``version`` is the new generation's (default: the UTC time as
    YYYYMMDDHHMMSS, which grows by itself wherever the index is built). ``base`` is the generation to start from
    (default: the current one). Without ``activate``, the new generation is stored, but ``current`` stays.
    """

    root: Path
    tree: str
    tags: tuple[str, ...] = ()
    name: str | None = None
    rules: CrawlRules = field(default_factory=CrawlRules)
    version: int | None = None
    base: Digest | None = None
    activate: bool = True


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """How far a run is: ``done`` of ``total`` files (scanning) or passages (embedding); 0 of 0 while writing."""

    stage: Literal["scanning", "embedding", "writing"]
    done: int
    total: int


OnProgress = Callable[[IndexProgress], None]
"""Told how far a run is, in the thread that runs it."""


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file that was not indexed, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a run did. ``documents`` and ``chunks`` count the whole index, the other counts the files of the tree.

    ``changed`` is False when the tree was as the index had it: the generation is then the old one. ``ignored`` counts
    what ignore rules left out; ``skipped`` names what should have been indexed and could not.
    """

    generation: Digest
    version: int
    changed: bool
    documents: int
    chunks: int
    added: int
    updated: int
    unchanged: int
    removed: int
    ignored: int
    skipped: tuple[SkippedFile, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)
