"""One writer at a time: an operating-system lock on a file, which a killed process lets go by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pycontextify.errors import StoreError
from pycontextify.store.durable import store_error

__all__ = ["writer_lock"]


@contextmanager
def writer_lock(path: Path, *, timeout: float) -> Iterator[None]:
    """Hold the writers' lock for the length of a block, waiting up to ``timeout`` seconds for it (0: do not wait).

    The lock belongs to the block, not to a thread: it may be entered in one thread and left in another.

    Raises StoreError with code ``store_locked`` when another writer keeps it.
    """
    # A fresh lock object each time: filelock counts re-entries per object, and two writers in one process must
    # exclude each other as two processes do.
    lock = FileLock(path, timeout=timeout, thread_local=False)
    try:
        lock.acquire(poll_interval=0.1)
    except Timeout as error:
        raise StoreError(
            "another writer is at work in this index directory",
            code="store_locked",
            asset=str(path.parent.parent),
            hint="wait until it has finished; the lock frees itself when its holder ends",
        ) from error
    except OSError as error:
        raise store_error(error, path) from error
    try:
        yield
    finally:
        lock.release()
