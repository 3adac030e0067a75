"""The straight way from the command line to serving."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.cli.flags import ALL, BOOTSTRAP, COMMON, EMBEDDING, serve_flags, spelled_out, with_default_verb
from pycontextify.config import SETTINGS
from tests.cli.conftest import Cli

FLAGS = {setting.name: setting.flag for setting in SETTINGS if setting.flag}
values = st.text(min_size=1, max_size=20).filter(lambda text: not text.startswith("-"))


@given(st.dictionaries(st.sampled_from(sorted(FLAGS)), values), st.booleans(), st.booleans())
def test_a_line_of_settings_is_read_back(given_: dict[str, str], named: bool, glued: bool) -> None:
    """Whatever settings are given, in whichever form, with or without the verb: that is what serving gets."""
    words = ["serve"] if named else []
    for name, value in given_.items():
        words += [f"{FLAGS[name]}={value}"] if glued else [str(FLAGS[name]), value]
    assert serve_flags(words) == given_


@pytest.mark.parametrize(
    "line",
    [
        ["index", "."],
        ["--help"],
        ["serve", "--help"],
        ["--version"],
        ["--indexpath", "x"],
        ["--index-path"],
        ["--index-path", "--port", "1"],
        ["--index-path", "x", "surplus"],
    ],
)
def test_everything_else_is_left_to_typer(line: list[str]) -> None:
    """Another verb, help, and whatever is wrong with a line for serving."""
    assert serve_flags(line) is None


def test_the_last_of_several_counts() -> None:
    """As typer has it."""
    assert serve_flags(["--port", "1", "--port=2"]) == {"port": "2"}


@pytest.mark.parametrize(
    ("line", "spelled"),
    [
        (["--insecure"], ["--insecure=true"]),
        (["serve", "--insecure", "--port", "1"], ["serve", "--insecure=true", "--port", "1"]),
        (["--insecure", "no"], ["--insecure", "no"]),
        (["--insecure=no", "--auto-load"], ["--insecure=no", "--auto-load=true"]),
        (["--auto-load", "false", "--help"], ["--auto-load", "false", "--help"]),
        (["search", "--", "--insecure"], ["search", "--", "--insecure"]),
        (["--insecure", "--"], ["--insecure=true", "--"]),
        (["--port", "--host"], ["--port", "--host"]),
        ([], []),
    ],
)
def test_a_truth_values_flag_may_stand_alone(line: list[str], spelled: list[str]) -> None:
    """It then means true; with a value beside it, that counts."""
    assert spelled_out(line) == spelled


def test_the_straight_way_and_typer_agree_on_flags_that_stand_alone(cli: Cli) -> None:
    """Both get to see the line after it was spelled out."""
    line = ["--insecure", "--auto-load", "no", "--auto-persist"]
    assert serve_flags(spelled_out(line)) == {"insecure": "true", "auto_load": "no", "auto_persist": "true"}
    shown = cli("config", "show", "--json", *spelled_out(line)).json()["settings"]
    values = {row["name"]: row["value"] for row in shown}
    assert (values["insecure"], values["auto_load"], values["auto_persist"]) == (True, False, True)


def test_a_flag_alone_works_on_a_real_command_line(cli: Cli) -> None:
    """From the process's arguments on."""
    shown = cli.spawn("config", "show", "--insecure", "--auto-load", "false")
    assert shown.code == 0, shown.err
    assert "true  (flag --insecure)" in shown.out
    assert "false  (flag --auto-load)" in shown.out


@pytest.mark.parametrize(
    ("line", "full"),
    [
        ([], ["serve"]),
        (["--nonsense"], ["serve", "--nonsense"]),
        (["--help"], ["--help"]),
        (["-h"], ["-h"]),
        (["--version"], ["--version"]),
        (["index", "."], ["index", "."]),
    ],
)
def test_serving_is_the_default(line: list[str], full: list[str]) -> None:
    """A line that names no verb is one for serving."""
    assert with_default_verb(line) == full


def test_groups_hold_settings_that_have_flags() -> None:
    """A group that names a setting which is gone would silently offer nothing."""
    for group in (COMMON, EMBEDDING, BOOTSTRAP):
        assert group
        assert group <= ALL
    assert "embedding_api_key" not in ALL
