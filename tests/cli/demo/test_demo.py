"""The verb ``demo``: what can go wrong before it starts. `make demo` plays it whole, and .ci/run plays that."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontextify.cli.demo.checks import DemoFailed, expect
from tests.cli.conftest import Cli


def test_it_works_in_an_empty_directory_only(cli: Cli, tmp_path: Path) -> None:
    """What is there already would make a first hydration a second one."""
    (tmp_path / "file").touch()
    refused = cli("demo", "--keep", tmp_path)
    assert refused.code == 2
    assert refused.err == "error: --keep: is not empty; name an empty or a new directory [usage]\n"


def test_documents_that_are_not_there_are_a_wrong_command_line(cli: Cli, tmp_path: Path) -> None:
    """Said before a minute of indexing."""
    assert cli("demo", "--docs", tmp_path / "nowhere").code == 2


def test_a_step_that_does_not_show_what_it_should_says_what_happened() -> None:
    """And ends the demo as a failure."""
    expect(["something"], "unused")
    with pytest.raises(DemoFailed, match="nothing came") as caught:
        expect([], "nothing came")
    assert caught.value.exit_code == 1
    assert caught.value.code == "demo_failed"
