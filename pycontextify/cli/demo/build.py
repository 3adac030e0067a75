"""Indexing and publishing: what a CI job does."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pycontextify.cli.screen import index_progress
from pycontextify.config import load_settings
from pycontextify.ingest.crawl import CrawlRules
from pycontextify.library.workspace import Workspace

if TYPE_CHECKING:
    from rich.console import Console

    from pycontextify.ingest.report import IndexReport
    from pycontextify.publish.report import PublishReport

__all__ = ["NOTE", "NOTE_PATH", "PACKAGES", "Builder", "Indexed"]

PACKAGES = ("asyncio", "http", "json", "email")
"""What is indexed of the standard library."""

NOTE_PATH = "zephyr-release.md"
NOTE = """# Releasing Zephyr

The Zephyr release is held back until Ada Byron has signed the checklist. Only she may sign it, and only after the
dress rehearsal on the staging balloon.
"""
"""The document that is added later on, and its name."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """A tree that was indexed; ``seconds`` by the clock on the wall."""

    label: str
    report: IndexReport
    seconds: float


class Builder:
    """A build machine: an index of its own, and the directory it publishes to. All methods block."""

    def __init__(self, place: Path, config: Path, console: Console | None) -> None:
        settings = load_settings({"config": config, "index_dir": place / "build"}, {})
        self._workspace = Workspace(settings)
        self._notes = place / "notes"
        self._console = console
        self.published = place / "public"

    def index_packages(self) -> Indexed:
        """Index `PACKAGES` of the running interpreter's standard library."""
        rules = CrawlRules(include=tuple(f"/{package}/" for package in PACKAGES))
        return self._index(Path(os.__file__).parent, "stdlib", rules)

    def index_docs(self, path: Path) -> Indexed:
        """Index a file or directory of documents."""
        return self._index(path, path.name, CrawlRules())

    def index_note(self) -> Indexed:
        """Write a new document, and index it."""
        self._notes.mkdir()
        (self._notes / NOTE_PATH).write_text(NOTE, encoding="utf-8")
        return self._index(self._notes, "notes", CrawlRules())

    def publish(self) -> PublishReport:
        """Publish the index."""
        return self._workspace.publish_directory(self.published)

    def _index(self, root: Path, label: str, rules: CrawlRules) -> Indexed:
        began = time.monotonic()
        with index_progress(self._console, label) as on_progress:
            report = self._workspace.index_tree(root, tree=label, rules=rules, on_progress=on_progress)
        return Indexed(label, report, time.monotonic() - began)
