"""Answers as text: short, and honest about what they leave out."""

from __future__ import annotations

from dataclasses import replace

from pycontextify.hydration.status import HydrationStatus
from pycontextify.index.model import Answer, Hit, Overview
from pycontextify.ingest.report import IndexReport, SkippedFile
from pycontextify.server.document import Situation, Standing, standing, status_document
from pycontextify.server.text import indexed_text, overview_text, search_text, status_text
from pycontextify.snapshot.digest import digest_of
from tests.fakes.bench import NOW
from tests.server.test_document import facts

READY = Standing("ready", "Searching 2 chunks of 2 documents.", coverage=1.0)
HIT = Hit("a/b.py", "lib", 3, 4, "python", "function", "f", (), 0.875, 0.5, None, "def f():\n    pass\n")


def test_a_hit_is_a_place_a_name_a_score_and_its_lines() -> None:
    """The place can be opened as it stands."""
    assert search_text(Answer((HIT,)), READY) == "a/b.py:3-4  f  (0.88)\n    def f():\n        pass"


def test_hits_of_several_trees_name_their_tree() -> None:
    """A hit without a symbol has none in its head."""
    text = search_text(Answer((HIT, replace(HIT, tree="docs", symbol=""))), READY)
    heads = [block.splitlines()[0] for block in text.split("\n\n")]
    assert heads == ["lib/a/b.py:3-4  f  (0.88)", "docs/a/b.py:3-4  (0.88)"]


def test_a_long_passage_is_cut_and_says_so() -> None:
    """How many lines are missing; and a line that is too long ends in an ellipsis."""
    text = search_text(Answer((replace(HIT, snippet="x" * 300 + "\n" + "line\n" * 15),)), READY)
    assert text.splitlines()[-1] == "    … 1 more line"
    assert text.splitlines()[1] == "    " + "x" * 200 + "…"


def test_a_state_without_results_is_its_message() -> None:
    """Nothing about matches: nothing was searched."""
    assert search_text(Answer(()), Standing("warming", "Ask again in 2 seconds.")) == "Ask again in 2 seconds."


def test_a_degraded_answer_notes_it_with_and_without_hits() -> None:
    """The reader must know that meaning was left out."""
    degraded = Standing("degraded", "Words alone.")
    assert search_text(Answer((HIT,)), degraded).startswith("Note: Words alone.\n\na/b.py")
    assert search_text(Answer(()), degraded).startswith("Note: Words alone.\n\nNothing matches.")


def test_overview_lists_the_most_frequent_and_counts_the_rest() -> None:
    """No list grows without end."""
    situation = Situation(facts(), HydrationStatus())
    overview = Overview(9, 2, 1, {"lib": 2}, {f"l{number:02}": number for number in range(25)}, {})
    text = overview_text(overview, situation, standing(situation, NOW))
    assert text.startswith("9 chunks of 2 documents, built 60 s ago\ntrees: lib (2)\nlanguages: l24 (24), l23 (23)")
    assert ", and 5 more\ntags: none" in text


def test_overview_of_nothing_is_the_message() -> None:
    """The same that search gives."""
    situation = Situation(None, HydrationStatus())
    assert "index_filebase" in overview_text(Overview(), situation, standing(situation, NOW))


def test_status_is_three_lines() -> None:
    """Health, index, hydration."""
    situation = Situation(facts(), HydrationStatus(state="resolving", source="https://host/index"))
    health = status_document(situation, NOW)["health"]
    assert status_text(situation, health, standing(situation, NOW)).splitlines()[1:] == [
        "index: version 1, built 60 s ago",
        "hydration: asking the source what there is from https://host/index",
    ]


def test_indexing_tells_counts_and_every_skipped_file_up_to_a_limit() -> None:
    """The rest is counted."""
    skipped = tuple(SkippedFile(f"{number}.bin", "binary") for number in range(22))
    report = IndexReport(digest_of(b""), 3, True, 10, 1, 4, 3, 2, 1, 5, skipped, 1.26)
    lines = indexed_text(report).splitlines()
    assert lines[0] == (
        "Indexed in 1.3 s: 4 added, 3 updated, 2 unchanged, 1 removed; 5 ignored, 22 skipped. "
        "The index holds 1 chunk of 10 documents."
    )
    assert lines[1] == "skipped 0.bin: binary"
    assert lines[-1] == "and 2 more, named in the structured content"
