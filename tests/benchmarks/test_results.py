"""Results and what is made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.results import RESULTS, Results
from docs.benchmarks import FULL, quantity, readme_part, sections
from docs.bounds import BOUNDS
from docs.marks import filled
from tests.benchmarks.results import MADE_UP


def test_results_come_back_from_their_file(tmp_path: Path) -> None:
    """And whoever reads the file by eye finds what the numbers come to."""
    path = tmp_path / "results" / "made-up.json"
    assert Results.read(path) is None
    MADE_UP.write(path)
    assert Results.read(path) == MADE_UP
    told = json.loads(path.read_text(encoding="utf-8"))["figures"][0]
    assert (told["ratio"], told["lowest"], told["highest"], told["met"]) == (1.4, 1.3, 1.5, False)


def test_the_committed_results_can_be_read() -> None:
    """Each is of the scale that it is named for."""
    for path in RESULTS.glob("*.json"):
        found = Results.read(path)
        assert found is not None
        assert found.scale == path.stem
        assert found.figures


def test_what_falls_short_says_why() -> None:
    """Every goal of the committed results that is missed has its reason on the page; no reason is left over."""
    found = Results.read(FULL)
    missed = {figure.name for figure in found.figures if figure.met is False} if found else set()
    assert missed == set(BOUNDS)


def test_the_page_tells_all_of_it() -> None:
    """Every figure is in a table, what falls short is named with how far, and growth has its exponent."""
    told = sections(MADE_UP)
    assert "| hydrate it | `curl` | 2.05 s | 1.50 s | **1.40** | 1.30 … 1.50 | ≤ 1.10: **no** |" in told["goals"]
    assert "| ≥ 0.90: yes |" in told["goals"]
    assert "| 20 µs | 2 µs | **10.00** | 10.00 … 10.00 | ours ≤ 1,000 µs: yes |" in told["goals"]
    assert "- **hydrate it**: 1.40, where ≤ 1.10 was to be reached (1.3 times that)." in told["short"]
    assert "- **bytes written**: 4.10 kB, where ours ≤ 0 B was to be reached." in told["short"]
    assert told["short"].count("\n") == 1
    assert "| hydrate it (recall@10, ours: 0.998) | upstream |" in told["peers"]
    assert "| search | 1 ms | 2 ms | 4 ms | 0.30 |" in told["growth"]
    assert told["machine"].startswith("Measured on 2026-11-22, in 2 minutes: processor an abacus; cores 2")


def test_the_readme_tells_what_tells_most() -> None:
    """With date and machine, and without what was not measured."""
    told = readme_part(MADE_UP)
    assert "| hydrate it | `curl` | 1.40 (to reach: ≤ 1.10) |" in told
    assert "2026-11-22, an abacus, 2 cores, 24 GiB" in told
    assert told.count("\n| ") == 1 + 2


def test_before_anything_is_measured_that_is_said() -> None:
    """In every part of the page."""
    assert {*sections(None).values(), readme_part(None)} == {
        "Nothing has been measured yet: `make bench` writes it here."
    }
    assert sections(None).keys() == sections(MADE_UP).keys()


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (0, "B", "0 B"),
        (999, "B", "999 B"),
        (4096, "B", "4.10 kB"),
        (1_234_567_890, "B", "1.23 GB"),
        (0.01234, "s", "0.012 s"),
        (12.34, "ms", "12.3 ms"),
        (1234.5, "µs", "1,234 µs"),
        (3, "", "3"),
    ],
)
def test_quantities(value: float, unit: str, told: str) -> None:
    """To three digits, with their unit."""
    assert quantity(value, unit) == told


def test_parts_are_filled_between_their_marks() -> None:
    """What was there before goes; a page that has lost its marks is no place to write to."""
    page = "a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb\n"
    assert filled(page, "x", "new") == "a\n<!-- x:begin -->\nnew\n<!-- x:end -->\nb\n"
    with pytest.raises(ValueError, match="no marks"):
        filled(page, "y", "new")
