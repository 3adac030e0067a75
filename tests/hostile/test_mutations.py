"""Damaged index files: the server never dies of one, and refuses it or serves it with answers that hold.

A thousand of each format here; ADR 0015 has the figures of a hundred thousand each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from tests.fakes.child import ROOT
from tests.hostile.mutations import Form, mutate
from tests.hostile.subjects import SUBJECTS

COUNT = 1000
FORM = Form(bytes(range(256)) * 40, bytes(10_000), (range(16), range(4096, 4160)))

# Forks want a process of one thread; that of the tests has more.
pytestmark = pytest.mark.skipif(os.name != "posix", reason="children are forked")

HARNESS = """
import json, os, signal, time
from tests.hostile.children import attempt_all

def attempt(number):
    if number == 1: os.kill(os.getpid(), signal.SIGSEGV)
    if number == 2: raise MemoryError("too much")
    if number == 3: time.sleep(60)
    if number == 4: return str(len(bytearray(1 << 40)))
    return "served"

print(json.dumps(dict(attempt_all(attempt, range(7), silence=1.0))))
"""


def _output(*arguments: str) -> Any:
    run = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_damaged_file_is_refused_or_served_well(subject: str) -> None:
    """No signal, no error but ours, no answer that changes, no row that does not exist; and some of each outcome."""
    report = _output("-m", "tests.hostile.mutate", "--count", str(COUNT), subject)
    assert report["failures"] == {}
    assert report["count"] == sum(report["verdicts"].values()) == COUNT
    assert report["verdicts"]["served"] > COUNT / 20
    assert report["verdicts"]["served"] < COUNT / 2


def test_what_goes_wrong_in_a_child_is_seen() -> None:
    """A signal, an error, silence and too much memory are each laid to the attempt that they belong to."""
    outcomes = _output("-c", HARNESS)
    assert [outcomes[number] for number in "056"] == ["served"] * 3
    assert outcomes["1"] == "failed: the child ended with -11"
    assert outcomes["2"].startswith("failed: MemoryError 'too much'")
    assert outcomes["3"] == "failed: the child ended with -9"
    assert outcomes["4"].startswith("failed: MemoryError")


def test_a_mutation_is_known_by_its_number() -> None:
    """The same again, whenever it is asked for; and another number or seed is another mutation."""
    made = [mutate(FORM, 1, number) for number in range(200)]
    assert made == [mutate(FORM, 1, number) for number in range(200)]
    assert len(set(made)) > 190
    assert mutate(FORM, 2, 0) != made[0]


def test_most_damage_is_where_the_structure_is() -> None:
    """And it is of all sorts: what comes of it is longer, shorter, or of the same length."""
    made = [mutate(FORM, 1, number) for number in range(1000)]
    lengths = Counter((len(content) > len(FORM.content)) - (len(content) < len(FORM.content)) for content in made)
    assert min(lengths.values()) > 50
    where = [_first_difference(content) for content in made]
    assert sum(any(at in hot for hot in FORM.hot) for at in where) > 500


def _first_difference(content: bytes) -> int:
    pairs = zip(content, FORM.content, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), 0)


def test_nothing_is_too_small_to_be_damaged() -> None:
    """Empty files, too."""
    for number in range(300):
        assert isinstance(mutate(Form(b"", b"", ()), 1, number), bytes)
