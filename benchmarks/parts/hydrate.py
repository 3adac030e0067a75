"""Hydrate an empty index directory, in a process whose imports are done: ``hydrate DIRECTORY KIND URL [KEY]``.

``KIND`` is ``url`` or ``archive``. Ends with a search, so that "searchable" is no promise. The time is a server's: its
imports are done while it waits for its first request.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import anyio

from benchmarks.parts.telling import tell
from pycontextify.config import settings_of_call
from pycontextify.encoder.opening import EncoderCache
from pycontextify.hydration.workers import Workers
from pycontextify.index.live import LiveIndex
from pycontextify.index.model import Query
from pycontextify.index.view import View
from pycontextify.library.hydrating import hydration_service
from pycontextify.library.workspace import Workspace
from pycontextify.server.interpreter import be_responsive, use_one_arena

__all__ = ["be_loaded", "hydrate_into", "settings_for"]


def be_loaded() -> None:
    """Be where a server is when it hydrates: everything is imported, and the interpreter knows what it is for."""
    import aiohttp  # noqa: F401
    import onnxruntime  # noqa: F401

    use_one_arena()
    be_responsive()


def settings_for(
    directory: Path, kind: str, url: str, key: str = "", encoders: EncoderCache | None = None
) -> Workspace:
    """Return a workspace that hydrates from a source; with ``encoders``, some are open already."""
    arguments = {"index_dir": str(directory), f"index_bootstrap_{kind}": url}
    if key:
        arguments["index_bootstrap_trusted_keys"] = key
    return Workspace(settings_of_call(arguments), encoders)


async def hydrate_into(workspace: Workspace, live: LiveIndex[View]) -> None:
    """Hydrate as a server does, once. Raises RuntimeError when nothing came of it."""
    with Workers() as workers:
        service = hydration_service(workspace, live, workers)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(service.run)
            status = await service.rehydrate(wait=True)
            tasks.cancel_scope.cancel()
    if status.last_error is not None:
        raise RuntimeError(str(status.last_error))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(directory: str, kind: str, url: str, key: str = "") -> None:
    """Hydrate, search, and tell what it took."""
    be_loaded()
    live: LiveIndex[View] = LiveIndex()
    workspace = settings_for(Path(directory), kind, url, key)
    began, cpu = time.perf_counter(), _cpu()
    anyio.run(hydrate_into, workspace, live)
    seconds, spent = time.perf_counter() - began, _cpu() - cpu
    with live.lease() as view:
        found = view is not None and bool(view.search(Query("read the lines of a file")).hits)
    if not found:
        raise RuntimeError("nothing was found")
    tell(seconds=seconds, cpu=spent)


if __name__ == "__main__":
    main(*sys.argv[1:])
