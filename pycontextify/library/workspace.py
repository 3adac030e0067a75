"""A workspace: one index directory, with the encoder and the source that its settings ask for.

Everything that the command line, the server and the library offer is made of these few operations.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pycontextify.config import Settings
from pycontextify.encoder.opening import EncoderCache, local_encoder, open_encoder
from pycontextify.encoder.protocol import Encoder
from pycontextify.errors import NotReadyError
from pycontextify.hydration.attempt import Attempt, Bounds, Outcome, Served
from pycontextify.hydration.service import HydrationService, Schedule
from pycontextify.hydration.status import HydrationStatus, StatusBoard
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.connect import Keys, Patience, open_client
from pycontextify.hydration.transfer.mirrors import Mirrors
from pycontextify.hydration.transfer.secure import Certificates
from pycontextify.hydration.workers import Workers
from pycontextify.index.live import LiveIndex
from pycontextify.index.view import View
from pycontextify.ingest.crawl import CrawlRules
from pycontextify.ingest.report import IndexReport, IndexRequest, OnProgress
from pycontextify.ingest.update import update_index
from pycontextify.library.source import configured_source
from pycontextify.publish.directory import publish_directory
from pycontextify.publish.pair import publish_archive, publish_pair
from pycontextify.publish.report import PublishReport
from pycontextify.snapshot.config import EncoderInfo, SnapshotConfig
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.manifest import RefTable
from pycontextify.store.layout import Layout
from pycontextify.store.prune import prune

__all__ = ["Workspace"]

_LOG = logging.getLogger(__name__)
_LOCK_SECONDS = 60.0


class Workspace:
    """One index directory. Making one reads and writes nothing; the methods block, but for those that are async."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.layout = Layout(settings.index_dir)
        self._cache = EncoderCache()

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
        return self._open_view(generation, self.layout.config(generation), self.layout.blob_path)

    def _open_view(self, generation: Digest, config: SnapshotConfig, blob: Callable[[Digest], Path]) -> View:
        """Open a generation with its encoder; without one, by words alone, and the view says why."""
        local = partial(self._local_or_none, config.encoder)
        try:
            encoder, lack = open_encoder(config.encoder, blob, local, self._cache), None
        except NotReadyError as error:
            encoder, lack = None, str(error)
        return View.open(generation, config, blob, encoder, lack=lack)

    def _local(self, *, dimension: int | None = None) -> Encoder:
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
            return self._local(dimension=wanted.dimension if wanted.provider == "http" else None)
        except NotReadyError as error:
            _LOG.info("no encoder of this machine's own: %s", error)
            return None

    def _encoder_for(self, generation: Digest | None) -> Encoder:
        """Return the encoder to index with: the one that built the generation, for a new index the settings' own."""
        if generation is None:
            return self._local()
        info = self.layout.config(generation).encoder
        local = partial(self._local_or_none, info)
        return open_encoder(info, self.layout.blob_path, local, self._cache) or self._local()

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
            name=self.settings.index_name,
            rules=rules or CrawlRules(),
            version=version,
            base=base,
            activate=activate,
        )
        encoder = self._encoder_for(base or self.layout.current())
        return update_index(self.layout, request, encoder, on_progress=on_progress, now=_build_time)

    def publish_directory(self, target: Path) -> PublishReport:
        """Publish the current generation as a layout; see `publish_directory`."""
        return publish_directory(self.layout, self._current(), target)

    def publish_archive(self, target: Path) -> PublishReport:
        """Publish the current generation as an archive; see `publish_archive`."""
        return publish_archive(self.layout, self._current(), target, name=self._given_name())

    def publish_pair(self, target: Path) -> PublishReport:
        """Publish the current generation as a pair of files; see `publish_pair`."""
        return publish_pair(self.layout, self._current(), target, name=self._given_name())

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
        """Forget every generation and free their space; what is being read stays readable until it is closed."""
        self.layout.create()
        with self.layout.lock(timeout=_LOCK_SECONDS):
            self.layout.write_refs(RefTable())
            self.layout.trees.unlink(missing_ok=True)
            prune(self.layout)

    def hydration(self, live: Served, workers: Workers) -> HydrationService:
        """Return the service that keeps ``live`` hydrated from the configured source. Does not block."""
        board, refresh = self._board(), self.settings.index_bootstrap_refresh

        async def needed() -> bool:
            return await workers.run(self._wants_index)

        return HydrationService(
            self._attempt(live, workers, board),
            board,
            Schedule(refresh=refresh if self._follows else None),
            needed=needed,
        )

    @property
    def _follows(self) -> bool:
        return self.settings.index_bootstrap_mode == "follow"

    def _wants_index(self) -> bool:
        """Tell whether to hydrate without being told to: always when following, else only while there is no index."""
        return self._follows or self.layout.current() is None

    async def hydrate(
        self, on_start: Callable[[Callable[[], HydrationStatus]], object] = lambda _: None
    ) -> tuple[Outcome, HydrationStatus]:
        """Hydrate once, now; return what came of it and the last status.

        ``on_start`` is given a function that tells the status, to be asked from any thread.

        Raises NotReadyError when no source is configured, FetchError, SnapshotRejected or StoreError.
        """
        board = self._board()
        live: LiveIndex[View] = LiveIndex()
        on_start(lambda: board.status)
        with Workers() as workers:
            attempt = self._attempt(live, workers, board)
            if attempt is None:
                raise NotReadyError(
                    "no source to hydrate from is configured",
                    code="no_source",
                    hint="name one with --index-bootstrap-url or --index-bootstrap-archive",
                )
            board.begin("manual")
            try:
                outcome = await attempt.run()
            finally:
                live.swap(None)
            board.finish(outcome.result)
            return outcome, board.status

    def _board(self) -> StatusBoard:
        source = configured_source(self.settings)
        label = None if source is None else source.label
        return StatusBoard(label, now=_now, monotonic=time.monotonic)

    def _attempt(self, live: Served, workers: Workers, board: StatusBoard) -> Attempt | None:
        source = configured_source(self.settings)
        if source is None:
            return None

        settings, mirrors = self.settings, Mirrors(time.monotonic)
        keys = Keys(
            settings.index_bootstrap_token,
            settings.index_bootstrap_headers,
            Certificates(
                settings.index_bootstrap_ca_file,
                settings.index_bootstrap_client_cert,
                settings.index_bootstrap_client_key,
            ),
        )
        patience = Patience(connections=settings.index_bootstrap_connections)

        def client() -> AbstractAsyncContextManager[Client]:
            return open_client(workers, mirrors, on_retry=board.retrying, keys=keys, patience=patience)

        return Attempt(
            source,
            self.layout,
            live,
            board,
            workers,
            self._open_view,
            client,
            Bounds(settings.index_bootstrap_max_size),
            self._wants_index,
        )


def _now() -> datetime:
    return datetime.now(UTC)


def _build_time() -> datetime:
    """Return the time to date a build with: SOURCE_DATE_EPOCH where it is set (reproducible-builds.org), else now."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else _now()
