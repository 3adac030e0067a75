"""What the tests of the command line share: ways to run it, and an index that it has made."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pycontextify.cli.app import app

__all__ = ["Cli", "Finished", "Site"]

CORPUS = {
    "guide/retry.md": "# Retries\n\nA request is sent again after a pause that doubles each time.\n",
    "guide/cache.md": "# Caching\n\nAnswers are kept until their validator changes.\n",
    "src/clock.py": 'def wall_clock():\n    """Tell the time of day."""\n    return None\n',
}


@dataclass(frozen=True, slots=True)
class Finished:
    """What a run left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Read the document that was printed."""
        return json.loads(self.out)

    def result(self) -> Any:
        """Read the last of the lines that were printed, which is the result."""
        *before, last = map(json.loads, self.out.splitlines())
        assert {each["event"] for each in before} <= {"progress"}
        assert last.pop("event") == "result"
        return last


class Cli:
    """Runs the command line for a user whose home is an empty directory."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *arguments: object, **environment: str) -> Finished:
        """Run a verb in this process; environment names are given without their prefix."""
        mine = {name: None for name in os.environ if name.startswith("PYCONTEXTIFY_")}
        runner = CliRunner(env={**mine, **self.environment(environment)})
        result = runner.invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
        return Finished(result.exit_code, result.stdout, result.stderr)

    def start(self, *arguments: object, python: tuple[str, ...] = (), **streams: Any) -> subprocess.Popen[str]:
        """Start the command line as a process; streams are as for Popen, pipes where nothing is said."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYCONTEXTIFY_")}
        return subprocess.Popen(
            [sys.executable, *python, "-m", "pycontextify", *map(str, arguments)],
            env={**clean, **self.environment({}), **streams.pop("env", {})},
            text=True,
            encoding="utf-8",
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
        )

    def spawn(self, *arguments: object, **streams: Any) -> Finished:
        """Run the command line as a process and wait for its end."""
        with self.start(*arguments, **streams) as child:
            out, err = child.communicate()
        return Finished(child.returncode, out, err)

    def environment(self, settings: dict[str, str]) -> dict[str, str]:
        """Return what keeps a run away from this machine's user, and these settings."""
        home = {name: str(self.home) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "LOCALAPPDATA")}
        return {**home, **{f"PYCONTEXTIFY_{name}": value for name, value in settings.items()}}


@dataclass(frozen=True, slots=True)
class Site:
    """An index and what was published of it. Only to be read: all tests share it."""

    corpus: Path
    index: Path
    public: Path
    archive: Path
    pair: Path


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Put the root logger back: a verb that runs in this process sends it to streams that are gone afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("pycontextify")
    before, levels = list(root.handlers), (root.level, ours.level)
    yield
    root.handlers[:] = before
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """The command line, for somebody with an empty home."""
    home = tmp_path / "home"
    home.mkdir()
    return Cli(home)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A small tree, indexed and published in every form by the command line itself."""
    place = tmp_path_factory.mktemp("site")
    site = Site(place / "tree", place / "index", place / "public", place / "small.zip", place / "pair")
    for name, text in CORPUS.items():
        path = site.corpus / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    cli = Cli(place)
    for arguments in (
        ("index", site.corpus, "--tag", "v1"),
        ("publish", site.public),
        ("publish", "--archive", site.archive),
        ("publish", "--pair", site.pair),
    ):
        done = cli.spawn(*arguments, "--index-path", site.index, "--index-name", "small")
        assert done.code == 0, done.err
    return site
