"""What the README says is what the code does."""

from __future__ import annotations

import json
import re
import runpy
import tomllib
from pathlib import Path

import pytest

from pycontextify.config import Places, load_settings
from pycontextify.config.settings import BY_NAME

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


def test_the_settings_table_is_up_to_date() -> None:
    """The table is written by `make tables`; a new setting without it fails here."""
    tables = runpy.run_path(str(ROOT / "docs" / "tables.py"))
    assert tables["with_tables"](README) == README, "run `make tables`"


def test_every_environment_variable_named_exists() -> None:
    """No example sets a variable that nothing reads."""
    known = {setting.env for setting in BY_NAME.values()}
    named = set(re.findall(r"PYCONTEXTIFY_[A-Z0-9_]+", README))
    assert named
    assert named <= known


def test_every_client_snippet_parses_and_its_flags_are_accepted(tmp_path: Path) -> None:
    """What people copy into their editor is valid, and a server started so accepts it."""
    arguments = [
        *(_arguments(json.loads(text)) for kind, text in BLOCKS if kind == "json"),
        *(_arguments(tomllib.loads(text)) for kind, text in BLOCKS if kind == "toml"),
    ]
    assert len(arguments) >= 4
    for flag, value in arguments:
        name = flag.removeprefix("--").replace("-", "_")
        places = Places(config_file=tmp_path / "none.toml", indexes=tmp_path)
        settings = load_settings({name: value}, {}, places=places)
        assert getattr(settings, name) == (value,)


def _arguments(snippet: object) -> list[str]:
    """Find the "args" of a client's configuration, however deep."""
    if isinstance(snippet, dict):
        if isinstance(snippet.get("args"), list):
            assert snippet["command"] == "pycontextify"
            return list(snippet["args"])
        for value in snippet.values():
            if found := _arguments(value):
                return found
    return []


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library example works as it is printed, but for the address of the published index."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "retry.py").write_text('def delay():\n    """Retries are decided here."""\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (example,) = (text for kind, text in BLOCKS if kind == "python")
    address = (tmp_path / "public").as_uri()
    exec(compile(example.replace("https://example.com/public", address), "README.md", "exec"), {})  # noqa: S102 - ours
    assert (tmp_path / "elsewhere" / "index.json").exists()


def test_every_link_leads_somewhere() -> None:
    """Links to files of the project lead to files of the project."""
    linked = re.findall(r"\]\((?!https?://)([^)#]+)\)", README)
    for target in linked + re.findall(r'(?:href|src|srcset)="(?!https?://)([^"#]+)"', README):
        assert (ROOT / target).exists(), target


def test_the_first_screen_has_what_a_newcomer_looks_for() -> None:
    """What it is, how it is installed, a first search, the demo, and both pictures, before the first heading."""
    screen, _, _ = README.partition("\n## ")
    assert len(screen.splitlines()) <= 25
    for word in ("MCP", "pip install .", "pycontextify index ", "pycontextify search ", "make demo", "terminal.svg"):
        assert word in screen
    assert {"docs/images/status-page-light.png", "docs/images/status-page-dark.png"} <= set(
        re.findall(r'="([^"]+\.png)"', screen)
    )


def test_every_test_that_shows_something_exists() -> None:
    """SECURITY.md names tests as its evidence: files that are there, with functions of that name."""
    named = re.findall(r"`((?:tests|\.ci)/[^`:]+)(?:::(\w+))?`", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    assert len(named) > 30
    for path, function in named:
        assert (
            f"def {function}(" in (ROOT / path).read_text(encoding="utf-8") if function else (ROOT / path).exists()
        ), path
