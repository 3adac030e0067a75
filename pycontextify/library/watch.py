"""Noticing that another process has made another generation current."""

from __future__ import annotations

import logging

from pycontextify.errors import PyContextifyError
from pycontextify.hydration.install import Served
from pycontextify.library.workspace import Workspace
from pycontextify.snapshot.digest import Digest

__all__ = ["CurrentWatch"]

_LOG = logging.getLogger(__name__)


class CurrentWatch:
    """Keeps ``live`` at what is current on the disk. Looking blocks, and costs one stat where nothing has changed.

    The first look compares with what is served when this is made. A generation that is served later without being
    current (``auto_persist`` is off) stays until ``current`` moves.
    """

    def __init__(self, workspace: Workspace, live: Served) -> None:
        self._workspace = workspace
        self._live = live
        self._seen = self._served()
        self._stamp: tuple[int, int, int] | None = None

    def look(self) -> bool:
        """Serve what has become current since the last look; tell whether that was anything."""
        stamp = self._look_at_the_file()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        current = self._current()
        if current == self._seen:
            return False
        if self._served() == current:
            self._seen = current
            return False
        return self._serve(current)

    def _served(self) -> Digest | None:
        with self._live.lease() as view:
            return None if view is None else view.generation

    def _serve(self, current: Digest | None) -> bool:
        try:
            view = None if current is None else self._workspace.open(current)
        except PyContextifyError as error:
            _LOG.warning("another process has made a generation current that can't be opened here: %s", error)
            return False
        if self._current() != current:  # it has moved on meanwhile, and whoever moved it serves it
            if view is not None:
                view.close()
            return False
        self._live.swap(view)
        self._seen = current
        _LOG.info("another process has made generation %s current", current.short if current else "none")
        return True

    def _current(self) -> Digest | None:
        try:
            return self._workspace.layout.current()
        except PyContextifyError as error:
            _LOG.warning("%s", error)
            return self._seen

    def _look_at_the_file(self) -> tuple[int, int, int] | None:
        try:
            status = (self._workspace.layout.root / "index.json").stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
