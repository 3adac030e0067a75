"""What programs are told with ``--json`` by a verb that takes its time: a JSON object a line, on stdout.

``{"event": "progress", "verb": …, …}`` comes twice a second at most, and says how far things are; ``{"event":
"result", …}`` comes once, last, with what was done. A failure has no result: it is a line on stderr and the exit code.

=============  ==========================================================================================
verb           members of its progress
=============  ==========================================================================================
``index``      ``tree``, ``stage`` (scanning, embedding, writing), ``done`` of ``total`` files or passages
``publish``    ``stage`` (copying, assembling, packing, hashing), ``bytes_done`` of ``bytes_total``
``hydrate``    ``state``, ``percent``, ``eta_seconds`` and the byte counts of the status document
=============  ==========================================================================================
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pycontextify.hydration.status import HydrationStatus
    from pycontextify.ingest.report import IndexProgress, OnProgress
    from pycontextify.publish.progress import OnProgress as OnPublishProgress
    from pycontextify.publish.progress import PublishProgress

__all__ = ["hydration_lines", "index_lines", "print_result", "publish_lines"]

_SECONDS = 0.5
_HYDRATION = (
    "state",
    "percent",
    "bytes_done",
    "bytes_total",
    "bytes_fetched",
    "bytes_reused",
    "rate_bytes_per_second",
    "eta_seconds",
)


def print_result(document: Mapping[str, Any]) -> None:
    """Print the last line."""
    _print("result", document)


def index_lines(tree: str, monotonic: Callable[[], float] = time.monotonic) -> OnProgress:
    """Return what `Workspace.index_tree` reports to."""
    tell = _Rarely(monotonic)

    def on_progress(now: IndexProgress) -> None:
        tell({"verb": "index", "tree": tree, "stage": now.stage, "done": now.done, "total": now.total})

    return on_progress


def publish_lines(monotonic: Callable[[], float] = time.monotonic) -> OnPublishProgress:
    """Return what `Workspace.publish_directory` and the others report to."""
    tell = _Rarely(monotonic)

    def on_progress(now: PublishProgress) -> None:
        tell({"verb": "publish", "stage": now.stage, "bytes_done": now.done, "bytes_total": now.total})

    return on_progress


@contextmanager
def hydration_lines(look: Callable[[], HydrationStatus | None], seconds: float = _SECONDS) -> Iterator[None]:
    """Print what ``look`` tells, again and again; it is called in another thread."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(seconds):
            status = look()
            if status is not None:
                try:
                    _print("progress", {"verb": "hydrate"} | {name: getattr(status, name) for name in _HYDRATION})
                except OSError:  # whoever reads has had enough; the result finds that out as well
                    return

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        ended.set()
        watching.join()


class _Rarely:
    """Prints progress, unless it has just done so."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._next = 0.0

    def __call__(self, members: Mapping[str, Any]) -> None:
        now = self._monotonic()
        if now >= self._next:
            self._next = now + _SECONDS
            _print("progress", members)


def _print(event: str, members: Mapping[str, Any]) -> None:
    print(json.dumps({"event": event, **members}), flush=True)
