"""Leases: what the living processes of an index directory have open, so that nobody prunes it under them.

    .pycontextify/leases/ID.lock     locked for as long as the process lives: the system lets go when it dies, however
    .pycontextify/leases/ID.json     the blobs that it holds

A writer leases what it is about to build on before it looks whether that is there. So even two writers that do not see
each other's lock (a network file system without locks) leave each other's blobs alone:

1. the pruner lists the files that there are. What comes later is not in its list;
2. it reads refs and leases. What is leased by then stays; the rest is moved aside;
3. it reads refs and leases again, and puts back what is leased by then. What is leased later still is not there any
   more when its holder looks, who then fetches it, or fails to activate: that looks whether everything is there.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pycontextify.snapshot.digest import Digest, parse_digest
from pycontextify.store.durable import found_in, post_bytes, store_error, unique
from pycontextify.store.lock import if_free, lock_for_life

__all__ = ["Leases", "leased"]


class Leases:
    """What this process holds of one index directory. Thread safe; nothing is written before the first lease.

    A directory that can't be written to has no pruners either, so there the leases are only counted.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = directory / f"{unique()}.lock"
        self._file = self._lock.with_suffix(".json")
        self._release: Callable[[], None] | None = None
        self._counts: Counter[Digest] = Counter()
        self._guard = threading.Lock()

    @contextmanager
    def holding(self, blobs: Collection[Digest]) -> Iterator[None]:
        """Hold blobs for the length of a block."""
        self.take(blobs)
        try:
            yield
        finally:
            self.drop(blobs)

    def take(self, blobs: Collection[Digest]) -> None:
        """Hold blobs until `drop`; each as often as it was taken."""
        with self._guard:
            self._counts.update(blobs)
            self._tell()

    def drop(self, blobs: Collection[Digest]) -> None:
        """Let blobs go."""
        with self._guard:
            self._counts.subtract(blobs)
            self._counts = +self._counts
            self._tell()

    def _tell(self) -> None:
        with suppress(OSError):
            if self._counts:
                self._write()
            elif self._release is not None:
                self._file.unlink(missing_ok=True)
                self._release()
                self._release = None
                self._lock.unlink(missing_ok=True)

    def _write(self) -> None:
        if self._release is None:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._release = lock_for_life(self._lock)
        post_bytes(self._file, json.dumps(sorted(self._counts)).encode())


def leased(directory: Path) -> frozenset[Digest]:
    """Return what living processes hold; what the dead have left is removed.

    Raises StoreError when that can't be told.
    """
    held: set[Digest] = set()
    try:
        locks = sorted(directory.glob("*.lock"))
    except OSError as error:
        raise store_error(error, directory) from error
    for lock in locks:
        file = lock.with_suffix(".json")
        with if_free(lock) as free:  # held meanwhile, so that nobody is about to use what is removed
            if not free:
                held.update(_read(file))
                continue
            for left in (file, *found_in(directory, f".{file.name}.*.tmp"), lock):
                with suppress(OSError):
                    left.unlink(missing_ok=True)
    return frozenset(held)


def _read(file: Path) -> Iterator[Digest]:
    with suppress(OSError, ValueError, TypeError):
        for text in json.loads(file.read_bytes()):
            yield parse_digest(str(text))
