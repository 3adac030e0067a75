"""What would be indexed: a dry run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pycontextify.ingest.crawl import CrawlRules, Found, Skipped, crawl
from pycontextify.ingest.report import SkippedFile

__all__ = ["Preview", "preview_tree"]


@dataclass(frozen=True, slots=True)
class Preview:
    """``files`` and ``skipped`` by their paths in the tree; ``ignored`` counts what rules left out; sizes in bytes."""

    files: tuple[str, ...]
    size: int
    skipped: tuple[SkippedFile, ...]
    ignored: int

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def preview_tree(root: Path, rules: CrawlRules) -> Preview:
    """Walk a tree as indexing would, without reading further than it takes to tell text from binary.

    Raises IngestError when the root is not there.
    """
    files: list[Found] = []
    skipped: list[Skipped] = []
    for entry in crawl(root, rules):
        if isinstance(entry, Found):
            files.append(entry)
        else:
            skipped.append(entry)
    return Preview(
        files=tuple(found.relative for found in files),
        size=sum(found.size for found in files),
        skipped=tuple(SkippedFile(entry.relative, entry.reason) for entry in skipped if not entry.ignored),
        ignored=sum(entry.ignored for entry in skipped),
    )
