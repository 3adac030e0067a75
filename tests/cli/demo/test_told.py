"""The demo's account in words."""

from __future__ import annotations

import pytest

from pycontextify.cli.demo import told
from pycontextify.cli.demo.client import Asked
from pycontextify.cli.demo.host import Served

HIT = {"tree": "stdlib", "path": "a.py", "start_line": 3, "end_line": 9, "symbol": "f", "score": 0.5}
HYDRATION = {
    "bytes_done": 40_000,
    "bytes_reused": 26_000_000,
    "assets": [
        {"name": "encoder model.onnx", "size": 26_000_000, "state": "reused"},
        {"name": "segment 2 chunks", "size": 40_000, "state": "verified"},
    ],
    "history": [{"phases": {"fetching": 0.123, "validating": 1.0}}],
}


def test_an_answer_names_places() -> None:
    """Tree, path and lines, to look them up."""
    lines = told.answered(Asked("where", {"results": [HIT, {**HIT, "symbol": ""}, HIT]}))
    assert lines == ["   where", "     stdlib/a.py:3-9  f  (0.50)", "     stdlib/a.py:3-9  (0.50)"]


def test_a_rehydration_tells_what_was_fetched_and_what_was_not() -> None:
    """The host's own count stands beside the server's."""
    assert told.rehydrated(HYDRATION, Served(4, 43_000)) == [
        "      40.0 kB  segment 2 chunks",
        "   fetched 40.0 kB, kept 26.0 MB; the host sent 43.0 kB in 4 requests",
        "   phases: fetching 0.12 s, validating 1.00 s",
    ]


def test_searches_are_counted_by_generation() -> None:
    """So that one sees the swap."""
    asked = [Asked("x", {"generation": f"sha256:{letter * 64}"}) for letter in "aab"]
    assert told.swapped(asked) == [
        "   3 searches meanwhile, none failed: 2 by generation aaaaaaaaaaaa, 1 by generation bbbbbbbbbbbb"
    ]


def test_what_is_said_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Names of files come from elsewhere."""
    told.say(["a\x1b[2Jb\nc"])
    assert capsys.readouterr().out == "a\\x1b[2Jb\\nc\n"
