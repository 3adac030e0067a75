"""What memory an open encoder holds on to."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.fakes.child import ROOT

HELD = """
import ctypes, gc, re
from pathlib import Path

def anonymous():
    return int(re.search(r"RssAnon:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024

from pycontextify.encoder.default import find_default
from pycontextify.encoder.onnx import open_model
closed = anonymous()
encoder = open_model(find_default())
opened = anonymous()
ctypes.CDLL(None).malloc_trim(0)
print(opened - closed, opened - anonymous())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc keeps what is free, and Linux tells how much")
def test_an_open_encoder_holds_little() -> None:
    """Its weights in float32 (44 MB) and its vocabulary, but no table of words, and nothing that is free."""
    told = subprocess.run([sys.executable, "-c", HELD], cwd=ROOT, check=True, capture_output=True, text=True)
    held, free = map(int, told.stdout.split())
    assert held < 70  # it was 90 with the table, and 150 with what is free
    assert free < 15
