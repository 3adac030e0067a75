"""The verb ``publish``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Site


def test_a_directory_is_written_once(cli: Cli, site: Site, tmp_path: Path) -> None:
    """The second time nothing is copied."""
    publish = ("publish", tmp_path / "public", "--json", "--index-path", site.index)
    first, second = cli(*publish).json(), cli(*publish).json()
    assert (tmp_path / "public" / "index.json").is_file()
    assert 0 < first["bytes_copied"] <= first["bytes_total"]
    assert second["bytes_copied"] == 0
    assert second["generation"] == first["generation"]


def test_people_are_told_where_it_is(cli: Cli, site: Site, tmp_path: Path) -> None:
    """A path a line, then what it was."""
    shown = cli("publish", "--archive", tmp_path / "a.tar.gz", "--index-path", site.index)
    lines = shown.out.splitlines()
    assert lines[:2] == [str(tmp_path / "a.tar.gz"), str(tmp_path / "a.tar.gz.sha256")]
    assert lines[2].startswith("Published generation ")


def test_a_pair_is_four_files(site: Site) -> None:
    """Each file has its digest beside it."""
    names = {path.name for path in site.pair.iterdir()}
    assert names == {"small.faiss", "small.faiss.sha256", "small.sqlite", "small.sqlite.sha256"}


def test_the_files_have_the_name_that_was_given(cli: Cli, site: Site, tmp_path: Path) -> None:
    """By flag or environment; without one, they have the name that the index was built with."""
    pair = ("publish", "--index-path", site.index, "--pair")
    assert cli(*pair, tmp_path, "--index-name", "by-flag").code == 0
    assert cli(*pair, tmp_path, INDEX_NAME="by-environment").code == 0
    assert cli(*pair, tmp_path).code == 0
    assert {path.name for path in tmp_path.glob("*.faiss")} == {"by-flag.faiss", "by-environment.faiss", "small.faiss"}


@pytest.mark.parametrize("places", [(), ("here", "--pair", "there"), ("--archive", "a.zip", "--pair", "there")])
def test_one_place_must_be_named(cli: Cli, site: Site, places: tuple[str, ...]) -> None:
    """Not none, and not two."""
    refused = cli("publish", *places, "--index-path", site.index)
    assert refused.code == 2
    assert "name one place" in refused.err


def test_an_archive_of_no_known_kind_is_refused(cli: Cli, site: Site, tmp_path: Path) -> None:
    """The name says what to write."""
    refused = cli("publish", "--archive", tmp_path / "a.rar", "--index-path", site.index)
    assert refused.code == 2
    assert refused.err.endswith("[archive_kind]\n")


def test_without_an_index_there_is_nothing_to_publish(cli: Cli, tmp_path: Path) -> None:
    """And nothing is written."""
    failed = cli("publish", tmp_path / "public", "--index-path", tmp_path / "nowhere")
    assert failed.code == 1
    assert not (tmp_path / "public").exists()


def test_what_is_not_included_is_said_beside_the_report(cli: Cli, site: Site, tmp_path: Path) -> None:
    """A directory brings the encoder along, unless the index itself came without."""
    archived, where = site.archive.as_uri(), ("--index-path", tmp_path / "index")
    assert cli("hydrate", "--index-bootstrap-archive", archived, "--index-name", "small", *where).code == 0
    whole = cli("publish", tmp_path / "whole", "--json", "--index-path", site.index)
    assert (whole.err, whole.json()["lacks"]) == ("", None)
    without = cli("publish", tmp_path / "without", "--json", *where)
    assert without.err == f"note: {without.json()['lacks']}\n"
    assert "all-MiniLM-L6-v2-int8 is not included" in without.err
