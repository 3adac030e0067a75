"""LiveIndex: what is served now, lent to readers and swapped while they read.

The lock guards a pointer and counts, nothing else: nothing awaits, reads a file or closes under it.

1. A reader takes a lease: the view's count goes up, under the lock.
2. A swap puts the new view in place, under the lock; the old one is retired. Readers that hold it go on undisturbed.
3. Whoever brings a retired view's count to zero (the swap, when nobody reads) closes it, outside the lock.

So what is leased is never closed, a swap waits for nobody, and it cannot fail. Lucene's ReferenceManager is the model.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

__all__ = ["Closeable", "LiveIndex"]


class Closeable(Protocol):
    """What can be retired."""

    def close(self) -> None:
        """Release what is held; called once, by one thread."""


V = TypeVar("V", bound=Closeable)


class _Held(Generic[V]):
    """A view and how many hold it; being the live one counts as a hold."""

    __slots__ = ("count", "view")

    def __init__(self, view: V) -> None:
        self.view = view
        self.count = 1


class LiveIndex(Generic[V]):
    """The live view behind a lock. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live: _Held[V] | None = None

    @contextmanager
    def lease(self) -> Iterator[V | None]:
        """Hold the live view for the length of a block; None before the first generation.

        Take it inside the thread that searches, and keep it for one search.
        """
        with self._lock:
            held = self._live
            if held is not None:
                held.count += 1
        if held is None:
            yield None
            return
        try:
            yield held.view
        finally:
            self._drop(held)

    def swap(self, view: V | None) -> None:
        """Put ``view`` in place; the old one is closed by whoever drops its last lease.

        A view that is live already stays so.
        """
        fresh = None if view is None else _Held(view)
        with self._lock:
            if self._live is not None and self._live.view is view:
                return
            retired, self._live = self._live, fresh
        if retired is not None:
            self._drop(retired)

    def _drop(self, held: _Held[V]) -> None:
        with self._lock:
            held.count -= 1
            last = held.count == 0
        if last:
            held.view.close()
