"""How the interpreter and the C library behave in a server: it runs for long, and others wait for it."""

from __future__ import annotations

import ctypes
import gc
import os
import sys

__all__ = ["be_responsive", "use_one_arena"]

_SWITCH_SECONDS = 0.001
_M_ARENA_MAX = -8  # malloc.h, of glibc


def use_one_arena() -> None:
    """Have threads share what malloc keeps for later, where it can be asked (mallopt(3), of glibc).

    Otherwise each thread keeps what a search or a download once took: four that search hold on to 205 MB instead of
    148, and take as long (docs/adr/0023). For when there are no threads yet.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def be_responsive() -> None:
    """Have nothing wait longer than it must; for when everything is imported, and what there was is open.

    What is imported stays. To look through it for garbage would stop everything for 130 ms, in the middle of a search
    or a hydration (measured on a machine that had nothing else to do). And a thread that another one waits for gives
    way after 1 ms instead of 5: the event loop is late by a fifth less in the worst hundredth of cases, and hydrations
    and searches take as long as before (docs/adr/0022).
    """
    gc.freeze()
    sys.setswitchinterval(_SWITCH_SECONDS)
