"""What a server asks of the interpreter, in a process of its own: it can't be taken back for the other tests."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc, sys
from pycontextify.server.interpreter import be_responsive
be_responsive()
print(gc.get_freeze_count() > 1000, sys.getswitchinterval())
"""


def test_what_is_there_is_left_alone_and_threads_give_way_sooner() -> None:
    """Nothing that was imported is looked through for garbage again."""
    said = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True).stdout.split()
    assert said == ["True", "0.001"]
