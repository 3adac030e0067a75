"""All verbs together: help and version."""

from __future__ import annotations

import pytest

from pycontextify import __version__
from pycontextify.config import SETTINGS
from tests.cli.conftest import Cli

VERBS = ("serve", "index", "install", "search", "publish", "keygen", "hydrate", "status", "config", "demo")


def test_help_names_every_verb(cli: Cli) -> None:
    """With what each does, and examples to copy."""
    shown = cli("--help")
    assert shown.code == 0
    for verb in VERBS:
        assert f"\n  {verb}" in shown.out
    assert "..." not in shown.out.replace("[ARGS]...", "")
    assert "Examples:\n    pycontextify demo\n" in shown.out


@pytest.mark.parametrize("verb", [("config", "show") if verb == "config" else (verb,) for verb in VERBS])
def test_every_verb_has_examples_that_name_it(cli: Cli, verb: tuple[str, ...]) -> None:
    """An example is a whole command line of that verb; serving needs no verb."""
    shown = cli(*verb, "--help")
    _, examples = shown.out.split("Examples:\n")
    lines = [line.strip() for line in examples.splitlines() if line.strip()]
    start = "pycontextify" if verb == ("serve",) else f"pycontextify {' '.join(verb)}"
    assert lines
    assert all(line.startswith(start) for line in lines)


def test_serving_offers_every_setting_in_its_own_words(cli: Cli) -> None:
    """The options are made from the one list of settings."""
    shown = " ".join(cli("serve", "--help").out.split())
    for setting in SETTINGS:
        if setting.flag is not None:
            assert f"{setting.flag} {setting.form}" in shown
            assert " ".join(setting.help.split()) in shown


@pytest.mark.parametrize("verb", ["index", "install", "search", "publish", "hydrate", "status"])
def test_every_verb_takes_what_says_where_the_index_is(cli: Cli, verb: str) -> None:
    """And where the settings are, and how much to log: less than a server."""
    shown = cli(verb, "--help").out
    for flag in ("--config", "--index-path", "--index-name", "--log-level"):
        assert flag in shown
    assert "(default: WARNING)" in shown


def test_version(cli: Cli) -> None:
    """As people quote it in reports."""
    assert cli("--version").out == f"pycontextify {__version__}\n"


def test_config_alone_shows_help(cli: Cli) -> None:
    """It is a group of verbs, not one, so the line is not complete."""
    shown = cli("config")
    assert shown.code == 2
    assert "show" in shown.err
