"""What a server asks of the interpreter and of the C library, in a process of its own: it can't be taken back."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

RESPONSIVE = """
import gc, sys
from pycontextify.server.interpreter import be_responsive
be_responsive()
print(gc.get_freeze_count() > 1000, sys.getswitchinterval())
"""
ARENAS = """
import ctypes, sys, threading
from pycontextify.server.interpreter import use_one_arena
if "one" in sys.argv:
    use_one_arena()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier(4)
def take():
    together.wait()  # nobody has ended whose arena could be used again
    libc.free(ctypes.c_void_p(libc.malloc(100_000)))
    together.wait()
threads = [threading.Thread(target=take) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def _said(script: str, *arguments: str) -> str:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_what_is_there_is_left_alone_and_threads_give_way_sooner() -> None:
    """Nothing that was imported is looked through for garbage again."""
    assert _said(RESPONSIVE).split() == ["True", "0.001"]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc's malloc that has arenas")
def test_threads_share_what_malloc_keeps() -> None:
    """Each would have an arena of its own."""
    assert _said(ARENAS, "one").count("<heap nr=") == 1
    assert _said(ARENAS).count("<heap nr=") > 1
