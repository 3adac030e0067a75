"""Hydration put together: from the settings to the service that keeps a live index hydrated, or to one attempt."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

from pycontextify.config import Settings
from pycontextify.errors import NotReadyError, SnapshotRejected, StoreError
from pycontextify.hydration.attempt import Attempt, Bounds, Outcome
from pycontextify.hydration.board import StatusBoard
from pycontextify.hydration.install import Installation, Served
from pycontextify.hydration.service import HydrationService, Schedule
from pycontextify.hydration.status import HydrationStatus, OnEnd, unheard
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.connect import Keys, Patience, open_client
from pycontextify.hydration.transfer.mirrors import Mirrors
from pycontextify.hydration.transfer.secure import Certificates
from pycontextify.hydration.trust import Trust
from pycontextify.hydration.turns import Turns
from pycontextify.hydration.workers import Workers
from pycontextify.index.live import LiveIndex
from pycontextify.index.view import View
from pycontextify.library.source import configured_source
from pycontextify.library.workspace import Workspace
from pycontextify.snapshot.history import RECOVERED
from pycontextify.store.layout import Layout

__all__ = ["hydrate", "hydration_service", "keys_of", "trust_of", "wants_index"]


def hydration_service(
    workspace: Workspace, live: Served, workers: Workers, on_end: OnEnd = unheard
) -> HydrationService:
    """Return the service that keeps ``live`` hydrated from the configured source. Does not block."""
    settings, board = workspace.settings, _board(workspace.settings, on_end)

    async def needed() -> bool:
        return await workers.run(wants_index, workspace)

    return HydrationService(
        _attempt(workspace, live, workers, board),
        board,
        Schedule(refresh=settings.index_bootstrap_refresh if _follows(settings) else None),
        needed=needed,
    )


async def hydrate(
    workspace: Workspace,
    on_start: Callable[[Callable[[], HydrationStatus]], object] = lambda _: None,
    *,
    allow_older: bool = False,
) -> tuple[Outcome, HydrationStatus]:
    """Hydrate once, now; return what came of it and the last status.

    ``on_start`` is given a function that tells the status, to be asked from any thread. ``allow_older``: what the
    source has is taken even where something newer was seen.

    Raises NotReadyError when no source is configured, FetchError, SnapshotRejected or StoreError.
    """
    board = _board(workspace.settings)
    live: LiveIndex[View] = LiveIndex()
    on_start(lambda: board.status)
    with Workers() as workers:
        attempt = _attempt(workspace, live, workers, board, allow_older=allow_older)
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
            await workers.run(live.swap, None)
        board.finish(outcome.result)
        return outcome, board.status


def _follows(settings: Settings) -> bool:
    return settings.index_bootstrap_mode == "follow"


def wants_index(workspace: Workspace) -> bool:
    """Tell whether to hydrate without being told to: always when following, else while there is no sound index."""
    if _follows(workspace.settings):
        return True
    try:
        current = workspace.layout.whole_current()
    except (StoreError, SnapshotRejected):
        return True
    return current is None or RECOVERED in current.annotations


def _board(settings: Settings, on_end: OnEnd = unheard) -> StatusBoard:
    source = configured_source(settings)
    label = None if source is None else source.label
    return StatusBoard(label, now=lambda: datetime.now(UTC), monotonic=time.monotonic, on_end=on_end)


def _attempt(
    workspace: Workspace, live: Served, workers: Workers, board: StatusBoard, *, allow_older: bool = False
) -> Attempt | None:
    source = configured_source(workspace.settings)
    if source is None:
        return None
    settings, layout, mirrors = workspace.settings, workspace.layout, Mirrors(time.monotonic)
    trust = trust_of(layout, settings, allow_older=allow_older)
    patience = Patience(connections=settings.index_bootstrap_connections)

    def client() -> AbstractAsyncContextManager[Client]:
        return open_client(workers, mirrors, on_retry=board.retrying, keys=keys_of(settings), patience=patience)

    return Attempt(
        source=source,
        layout=layout,
        board=board,
        workers=workers,
        turns=Turns(layout, board, workers),
        installation=Installation(layout, live, workers, workspace.open_view),
        open_client=client,
        trust=trust,
        bounds=Bounds(settings.index_bootstrap_max_size),
        wanted=lambda: wants_index(workspace),
    )


def trust_of(layout: Layout, settings: Settings, *, allow_older: bool = False) -> Trust:
    """Return whom and what an index directory takes snapshots from."""
    pins = (
        settings.index_bootstrap_sha256,
        settings.index_bootstrap_faiss_sha256 and settings.index_bootstrap_metadata_sha256,
    )
    return Trust(
        layout=layout,
        now=lambda: datetime.now(UTC),
        channel=settings.index_bootstrap_channel,
        keys=settings.index_bootstrap_trusted_keys,
        pinned=any(pins),
        allow_older=allow_older,
    )


def keys_of(settings: Settings) -> Keys:
    """Return what the settings give to open the source's doors with."""
    return Keys(
        settings.index_bootstrap_token,
        settings.index_bootstrap_headers,
        Certificates(
            settings.index_bootstrap_ca_file,
            settings.index_bootstrap_client_cert,
            settings.index_bootstrap_client_key,
        ),
    )
