"""A terminal for a child, and what it writes there."""

from __future__ import annotations

import os

__all__ = ["open_terminal", "read_to_the_end"]


def open_terminal() -> tuple[int, int]:
    """Return our end of a pseudo-terminal, and the child's. Who calls it is marked ``terminal``: Windows has none."""
    import pty

    return pty.openpty()


def read_to_the_end(ours: int) -> bytes:
    """Read our end of a pseudo-terminal until nobody has the other end open any more; close it then."""
    shown = b""
    try:
        while block := os.read(ours, 1 << 16):
            shown += block
    except OSError:  # how Linux tells that
        pass
    finally:
        os.close(ours)
    return shown
