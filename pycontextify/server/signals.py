"""Ending on a signal, on every system and under any event loop."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["ending_signals"]

_NAMES = ("SIGINT", "SIGTERM", "SIGBREAK")


@contextmanager
def ending_signals(stop: Callable[[str], None]) -> Iterator[None]:
    """For the length of a block, call ``stop`` with the signal's name, on the event loop, when we are told to end.

    The second signal does what it does by default: it ends the process at once. Away from the main thread nothing
    changes, for signals belong to whoever runs that.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    wanted = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in wanted}

    def on_signal(number: int, _frame: FrameType | None) -> None:
        for each in wanted:
            signal.signal(each, signal.SIG_DFL)
        loop.call_soon_threadsafe(stop, signal.Signals(number).name)

    try:
        for number in wanted:
            signal.signal(number, on_signal)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
