"""Work behind whoever unpacks: one thread that does what it is told, in order.

On Linux it is as nice as the thread that tells it: what works behind a hydration gives way to queries as that does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from types import TracebackType
from typing import ParamSpec, Self

__all__ = ["Behind"]

_P = ParamSpec("_P")

_MOST_WAITING = 8
"""So that memory stays flat when the disk is the slower one."""


class Behind:
    """A thread that works behind its owner, a few steps at most; opened and closed by ``with``.

    What a step raises is raised from a later `do`, or at the end of `finished`.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pycontextify-behind")
        self._waiting: deque[Future[object]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def do(self, step: Callable[_P, object], *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Have a step done once those before it are."""
        while len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(step, *args, **kwargs))

    @contextmanager
    def finished(self) -> Iterator[None]:
        """Leave the block only when no step is under way; on an error, those that wait are never done."""
        try:
            yield
            while self._waiting:
                self._waiting.popleft().result()
        finally:
            for step in self._waiting:
                step.cancel()
            wait(self._waiting)
            self._waiting.clear()
