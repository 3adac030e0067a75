"""Locks of the operating system on files, which a killed process lets go by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pycontextify.errors import StoreError
from pycontextify.store.durable import store_error

__all__ = ["if_free", "lock_for_life", "writer_lock"]

_LOOKED_AT_SECONDS = 5.0


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
    """Lock a file until the function that is returned is called or this process ends.

    Nobody else locks it, but for a moment to see whether it is held (`if_free`). Raises OSError.
    """
    lock = FileLock(path, timeout=_LOOKED_AT_SECONDS, thread_local=False)
    lock.acquire(poll_interval=0.01)
    return lock.release


@contextmanager
def if_free(path: Path) -> Iterator[bool]:
    """Lock a file for a block unless somebody, this process included, holds it; gives whether that was so.

    False as well when it can't be told.
    """
    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except OSError:  # a Timeout is one
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
