"""The verb ``search``."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli, Site


def test_hits_are_places_with_passages(cli: Cli, site: Site) -> None:
    """``path:start-end``, symbol and score, then the passage, indented."""
    shown = cli("search", "pause before trying again", "-n", "1", "--index-path", site.index)
    assert shown.code == 0
    head, first, *_ = shown.out.splitlines()
    assert head.startswith("guide/retry.md:1-3  Retries  ")
    assert first == "    # Retries"
    assert shown.err == ""


def test_json_is_what_the_tool_answers(cli: Cli, site: Site) -> None:
    """State and results, whole."""
    found = cli("search", "time of day", "--language", "Python", "--json", "--index-path", site.index).json()
    assert found["index_state"] == "ready"
    assert [result["path"] for result in found["results"]] == ["src/clock.py"]
    assert found["results"][0]["symbol"] == "wall_clock"


def test_filters_hold(cli: Cli, site: Site) -> None:
    """By tag, by path, by mode."""
    ask = ("search", "validator", "--json", "--index-path", site.index)
    assert cli(*ask, "--tag", "v1", "--path", "guide/*", "--mode", "keyword").json()["results"]
    assert cli(*ask, "--tag", "v2").json()["results"] == []
    assert cli(*ask, "--path", "src/*", "--mode", "keyword").json()["results"] == []


def test_nothing_found_is_said_beside_the_data(cli: Cli, site: Site) -> None:
    """Standard output stays empty, as what there is."""
    shown = cli("search", "zebra", "--mode", "keyword", "--index-path", site.index)
    assert (shown.code, shown.out) == (0, "")
    assert "nothing matches" in shown.err


def test_no_index_is_a_failure_that_says_what_to_do(cli: Cli, tmp_path: Path) -> None:
    """Never an empty answer."""
    failed = cli("search", "anything", "--index-path", tmp_path / "nowhere")
    assert (failed.code, failed.out) == (1, "")
    assert "there is no index here yet" in failed.err
    assert "pycontextify index PATH" in failed.err
    assert failed.err.endswith("[index_empty]\n")


def test_a_hostile_passage_does_not_reach_the_terminal(cli: Cli, tmp_path: Path) -> None:
    """Control sequences of an indexed file are shown, not obeyed."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "evil.md").write_text("# Evil\n\n\x1b]0;owned\x07 zebra crossing\n", encoding="utf-8")
    where = ("--index-path", tmp_path / "index")
    assert cli("index", tree, *where).code == 0
    shown = cli("search", "zebra crossing", *where)
    assert "zebra crossing" in shown.out
    assert "\x1b" not in shown.out
    assert "\x07" not in shown.out
