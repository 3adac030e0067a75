"""The straight way from the command line to serving."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.cli.flags import ALL, BOOTSTRAP, COMMON, EMBEDDING, serve_flags, with_default_verb
from pycontextify.config import SETTINGS

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
