"""The local index, as the verbs that read it see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pycontextify.errors import NotReadyError
from pycontextify.server.document import Facts

if TYPE_CHECKING:
    from pycontextify.config import Settings
    from pycontextify.index.view import View

__all__ = ["current_view", "facts_of"]


@contextmanager
def current_view(settings: Settings) -> Iterator[View]:
    """Lend the current generation, open.

    Raises NotReadyError when there is none, StoreError or SnapshotRejected when it is damaged.
    """
    from pycontextify.library.workspace import Workspace

    view = Workspace(settings).open_current()
    if view is None:
        raise NotReadyError(
            "there is no index here yet",
            code="index_empty",
            asset=str(settings.index_dir),
            hint="fill it with `pycontextify index PATH` or `pycontextify hydrate`, or name another with --index-path",
        )
    try:
        yield view
    finally:
        view.close()


def facts_of(view: View, *, degraded: str | None) -> Facts:
    """Return what the status document tells of a view."""
    return Facts(view.generation, view.config, view.chunks, view.documents, degraded)
