"""A workspace: one index directory, with the encoder and the source that its settings ask for.

Everything that the command line, the server and the library offer is made of these few operations.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pycontextify.config import Settings
from pycontextify.encoder.opening import EncoderCache, local_encoder, open_encoder
from pycontextify.encoder.protocol import Encoder
from pycontextify.errors import NotReadyError
from pycontextify.index.view import View
from pycontextify.ingest.crawl import CrawlRules
from pycontextify.ingest.report import IndexReport, IndexRequest, OnProgress
from pycontextify.ingest.update import update_index
from pycontextify.publish.directory import publish_directory
from pycontextify.publish.issue import AS_IT_IS, Issue
from pycontextify.publish.pair import publish_archive, publish_pair
from pycontextify.publish.progress import OnProgress as OnPublishProgress
from pycontextify.publish.report import PublishReport
from pycontextify.snapshot.config import EncoderInfo, SnapshotConfig
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.manifest import RefTable
from pycontextify.store.layout import Layout
from pycontextify.store.prune import prune

__all__ = ["LOCK_SECONDS", "Workspace"]

_LOG = logging.getLogger(__name__)
LOCK_SECONDS = 60.0


class Workspace:
    """One index directory. Making one reads and writes nothing; the methods block.

    ``encoders`` are those that are open already; workspaces of one process can share them.
    """

    def __init__(self, settings: Settings, encoders: EncoderCache | None = None) -> None:
        self.settings = settings
        self.layout = Layout(settings.index_dir, keep=settings.keep_generations)
        self._cache = encoders or EncoderCache()

    def open_current(self) -> View | None:
        """Open the current generation; None when there is none.

        Raises StoreError or SnapshotRejected when it is damaged.
        """
        generation = self.layout.current()
        return None if generation is None else self.open(generation)

    def open(self, generation: Digest) -> View:
        """Open a stored generation.

        Raises StoreError or SnapshotRejected when it is damaged.
        """
        return self.open_view(generation, self.layout.config(generation), self.layout.blob_path)

    def open_view(self, generation: Digest, config: SnapshotConfig, blob: Callable[[Digest], Path]) -> View:
        """Open a generation with its encoder; without one, by words alone, and the view says why."""
        local = partial(self._local_or_none, config.encoder)
        try:
            encoder, lack = open_encoder(config.encoder, blob, local, self._cache), None
        except NotReadyError as error:
            encoder, lack = None, str(error)
        blobs = [generation, *config.blobs]
        self.layout.leases.take(blobs)
        give_back = partial(self.layout.leases.drop, blobs)
        try:
            return View.open(generation, config, blob, encoder, lack=lack, on_close=give_back)
        except BaseException:
            give_back()
            raise

    def local_encoder(self, *, dimension: int | None = None) -> Encoder:
        """Open the encoder that the settings ask for; a service is only asked for its dimension if that is unknown."""
        settings = self.settings
        return self._cache.add(
            local_encoder(
                settings.embedding_provider,
                settings.embedding_model,
                settings.embedding_url,
                settings.embedding_api_key,
                dimension=dimension,
            )
        )

    def _local_or_none(self, wanted: EncoderInfo) -> Encoder | None:
        try:
            return self.local_encoder(dimension=wanted.dimension if wanted.provider == "http" else None)
        except NotReadyError as error:
            _LOG.info("no encoder of this machine's own: %s", error)
            return None

    def _encoder_for(self, generation: Digest | None) -> Encoder:
        """Return the encoder to index with: the one that built the generation, for a new index the settings' own."""
        if generation is None:
            return self.local_encoder()
        info = self.layout.config(generation).encoder
        local = partial(self._local_or_none, info)
        return open_encoder(info, self.layout.blob_path, local, self._cache) or self.local_encoder()

    def index_tree(
        self,
        root: Path,
        *,
        tree: str | None = None,
        tags: Sequence[str] = (),
        rules: CrawlRules | None = None,
        version: int | None = None,
        base: Digest | None = None,
        activate: bool = True,
        on_progress: OnProgress = lambda _: None,
    ) -> IndexReport:
        """Bring a tree of the index up to date; ``tree`` is its label (default: the name of the directory).

        The encoder is the one that built the index, for a new one the one that the settings ask for. See
        `IndexRequest` for the rest, and `update_index` for what is raised.
        """
        request = IndexRequest(
            root=root,
            tree=tree or root.resolve().name,
            tags=tuple(tags),
            name=self._given_name(),
            rules=rules or CrawlRules(),
            version=version,
            base=base,
            activate=activate,
        )
        encoder = self._encoder_for(base or self.layout.current())
        return update_index(self.layout, request, encoder, on_progress=on_progress, now=_build_time)

    def publish_directory(
        self, target: Path, issue: Issue = AS_IT_IS, on_progress: OnPublishProgress = lambda _: None
    ) -> PublishReport:
        """Publish the current generation as a layout; see `publish_directory`."""
        return publish_directory(self.layout, self._current(), target, issue, on_progress)

    def publish_archive(
        self, target: Path, issue: Issue = AS_IT_IS, on_progress: OnPublishProgress = lambda _: None
    ) -> PublishReport:
        """Publish the current generation as an archive; see `publish_archive`."""
        name = self._given_name()
        return publish_archive(self.layout, self._current(), target, name=name, issue=issue, on_progress=on_progress)

    def publish_pair(
        self, target: Path, issue: Issue = AS_IT_IS, on_progress: OnPublishProgress = lambda _: None
    ) -> PublishReport:
        """Publish the current generation as a pair of files; see `publish_pair`."""
        name = self._given_name()
        return publish_pair(self.layout, self._current(), target, name=name, issue=issue, on_progress=on_progress)

    def _given_name(self) -> str | None:
        """Return the name that somebody gave the index; the default is nobody's, and would rename what has a name."""
        by_default = self.settings.origins["index_name"].layer == "default"
        return None if by_default else self.settings.index_name

    def _current(self) -> Digest:
        generation = self.layout.current()
        if generation is None:
            raise NotReadyError(
                "there is no index here yet",
                code="index_empty",
                asset=str(self.layout.root),
                hint="index or hydrate something into it first, or name another index directory",
            )
        return generation

    def reset(self) -> None:
        """Forget every generation; `prune` frees their space, once nobody has them open."""
        self.layout.create()
        with self.layout.lock(timeout=LOCK_SECONDS):
            self.layout.write_refs(RefTable())
            self.layout.trees.unlink(missing_ok=True)

    def prune(self) -> None:
        """Remove the blobs that no ref reaches and no living process has open."""
        with self.layout.lock(timeout=LOCK_SECONDS):
            prune(self.layout)


def _build_time() -> datetime:
    """Return the time to date a build with: SOURCE_DATE_EPOCH where it is set (reproducible-builds.org), else now."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else datetime.now(UTC)
