"""How the interpreter behaves in a server, which others wait for."""

from __future__ import annotations

import gc
import sys

__all__ = ["be_responsive"]

_SWITCH_SECONDS = 0.001


def be_responsive() -> None:
    """Have nothing wait longer than it must; for when everything is imported, and what there was is open.

    What is imported stays. To look through it for garbage would stop everything for 130 ms, in the middle of a search
    or a hydration (measured on a machine that had nothing else to do). And a thread that another one waits for gives
    way after 1 ms instead of 5: the event loop is late by a fifth less in the worst hundredth of cases, and hydrations
    and searches take as long as before (docs/adr/0022).
    """
    gc.freeze()
    sys.setswitchinterval(_SWITCH_SECONDS)
