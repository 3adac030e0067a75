"""Locks of the operating system on files, which a killed process lets go by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pycontextify.errors import StoreError
from pycontextify.store.durable import store_error

__all__ = ["is_held", "lock_for_life", "writer_lock"]


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


def lock_for_life(path: Path) -> Callable[[], None]:
    """Lock a file that nobody else locks, until the function that is returned is called or this process ends.

    Raises OSError.
    """
    lock = FileLock(path, timeout=0, thread_local=False)
    lock.acquire()
    return lock.release


def is_held(path: Path) -> bool:
    """Tell whether somebody, this process included, holds the lock on a file; True as well when it can't be told."""
    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return True
    lock.release()
    return False
