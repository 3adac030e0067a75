"""What the tests of the library share: a workspace with a small index, and what was published of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontextify.config import Settings
from pycontextify.library.workspace import Workspace
from pycontextify.publish.directory import publish_directory
from pycontextify.snapshot.digest import Digest
from pycontextify.store.layout import Layout
from tests.fakes.child import settings
from tests.fakes.generation import make_generation

__all__ = ["TEXTS", "Library"]

TEXTS = ("zebras have stripes", "teapots brew tea", "the moon has no air")


class Library:
    """A place for index directories; the generations in them differ by their version."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.public = home / "public"

    def workspace(self, name: str = "index", **flags: object) -> Workspace:
        """Return a workspace on an index directory."""
        return Workspace(self.settings(name, **flags))

    def settings(self, name: str = "index", **flags: object) -> Settings:
        """Return the settings of one; without an encoder, for words are enough here."""
        return settings({"index_dir": str(self.home / name), "embedding_model": str(self.home / "none"), **flags})

    def following(self, name: str = "index", **flags: object) -> Workspace:
        """Return a workspace whose source is what was published."""
        return self.workspace(name, index_bootstrap_url=self.public.as_uri(), **flags)

    def make(self, layout: Layout, version: int) -> Digest:
        """Add a generation to a layout and make it current; each shares a segment with the others."""
        layout.create()
        return make_generation(layout, [TEXTS[0]], [*TEXTS[1:], f"edition{version}"], version=version)

    def publish(self, version: int) -> Digest:
        """Publish a generation."""
        built = Layout(self.home / "built")
        generation = self.make(built, version)
        publish_directory(built, generation, self.public)
        return generation


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty place."""
    return Library(tmp_path)
