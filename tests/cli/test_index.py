"""The verb ``index``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Site


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two documents and a file that can't be indexed."""
    root = tmp_path / "notes"
    root.mkdir()
    (root / "one.md").write_text("# One\n\nThe first of them.\n", encoding="utf-8")
    (root / "two.md").write_text("# Two\n\nThe second of them.\n", encoding="utf-8")
    (root / "picture.bin").write_bytes(b"\0\1\2" * 50)
    return root


def test_a_dry_run_names_files_and_writes_nothing(cli: Cli, tree: Path, tmp_path: Path) -> None:
    """What would be indexed, what is left out, and why."""
    shown = cli("index", tree, "--dry-run", "--index-path", tmp_path / "index")
    assert shown.code == 0
    assert shown.out.splitlines()[:2] == ["one.md", "two.md"]
    assert "notes: would index 2 files" in shown.out
    assert "skipped picture.bin: binary" in shown.out
    assert not (tmp_path / "index").exists()


def test_a_dry_run_as_json(cli: Cli, tree: Path) -> None:
    """The same for programs."""
    found = cli("index", tree, "--dry-run", "--json", "--include", "one.*").result()
    assert found["dry_run"] is True
    assert found["trees"][0]["tree"] == "notes"
    assert found["trees"][0]["files"] == ["one.md"]
    assert found["trees"][0]["ignored"] == 2


def test_what_changed_is_told(cli: Cli, tree: Path, tmp_path: Path) -> None:
    """First everything is new, then one file is changed, one gone, one new."""
    index = ("index", tree, "--index-path", tmp_path / "index")
    first = cli(*index)
    assert first.code == 0, first.err
    assert "notes: 2 added, 0 updated, 0 unchanged, 0 removed, 0 ignored, 1 skipped" in first.out
    assert "  skipped picture.bin: binary" in first.out
    assert "The index holds 2 chunks of 2 documents" in first.out
    (tree / "one.md").write_text("# One\n\nThe first of them, changed.\n", encoding="utf-8")
    (tree / "two.md").unlink()
    (tree / "three.md").write_text("# Three\n\nThe third of them.\n", encoding="utf-8")
    second = cli(*index, "--json").result()
    told = second["trees"][0]
    assert (told["added"], told["updated"], told["unchanged"], told["removed"]) == (1, 1, 0, 1)
    assert told["skipped"] == [{"path": "picture.bin", "reason": "binary"}]
    assert second["documents"] == 2
    assert second["generation"].startswith("sha256:")


def test_several_paths_go_into_one_index(cli: Cli, tree: Path, site: Site, tmp_path: Path) -> None:
    """Each is a tree of its own; the report ends with the whole."""
    done = cli(
        "index", tree, site.corpus, "--tag", "a", "--tag", "b", "--index-path", tmp_path / "index", "--json"
    ).result()
    assert [each["tree"] for each in done["trees"]] == ["notes", "tree"]
    assert done["documents"] == 5


@pytest.mark.parametrize("flag", [("--tree", "x"), ("--index-version", "7")])
def test_what_is_for_one_path_is_refused_for_two(cli: Cli, tree: Path, site: Site, flag: tuple[str, str]) -> None:
    """A label or a version can't be two trees'."""
    refused = cli("index", tree, site.corpus, *flag)
    assert refused.code == 2
    assert refused.err.startswith(f"error: {flag[0]}: is for one PATH")


def test_version_and_label_are_taken(cli: Cli, tree: Path, tmp_path: Path) -> None:
    """A CI job names both."""
    named = ("--tree", "handbook", "--index-version", "7", "--index-path", tmp_path / "index")
    done = cli("index", tree, *named, "--json").result()
    assert done["version"] == 7
    assert done["trees"][0]["tree"] == "handbook"


def test_a_path_that_is_not_there_is_a_wrong_command_line(cli: Cli, tmp_path: Path) -> None:
    """Said before anything is embedded, whichever of the paths it is."""
    refused = cli("index", tmp_path, tmp_path / "nowhere")
    assert refused.code == 2
    assert "nowhere" in refused.err


def test_a_tree_with_nothing_in_it_is_a_failure(cli: Cli, tmp_path: Path) -> None:
    """A CI job with a wrong path must not go green."""
    empty = tmp_path / "empty"
    empty.mkdir()
    failed = cli("index", empty, "--index-path", tmp_path / "index")
    assert failed.code == 1
    assert failed.err.endswith("[nothing_found]\n")
