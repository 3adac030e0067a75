"""Who may come in, and what they may reach: what the settings make of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pycontextify.config.access import is_loopback
from tests.config.conftest import Load

TOKEN = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("host", "local"),
    [
        *(("127.0.0.1", True), ("::1", True), ("[::1]", True), ("localhost", True), ("127.9.9.9", True)),
        *(("0.0.0.0", False), ("::", False), ("192.168.1.5", False), ("example", False), ("", False)),
        *(("127.0.0.1.example", False), ("localhost.example", False), ("0", False)),
    ],
)
def test_is_loopback(host: str, *, local: bool) -> None:
    """Only what no other machine can reach."""
    assert is_loopback(host) is local


@pytest.mark.parametrize("token", [TOKEN, "x" * 16, "x" * 1024, "a-b.c_d~e+f/g=h!i,j\"k'l"])
def test_a_token_is_taken_as_it_is(token: str, load: Load) -> None:
    """Whatever a header can carry; a file that holds it may end its line."""
    assert load(HTTP_TOKEN=f" {token}\n").http_token == token


def test_the_token_may_be_in_the_file(load: Load) -> None:
    """As other secrets may."""
    load.write(f'http_token = "{TOKEN}"\n')
    assert load().http_token == TOKEN


def test_roots_are_separated_as_path_is(load: Load) -> None:
    """Empty ones count for nothing, and a relative one starts from the working directory."""
    written = os.pathsep.join(["/srv/one", "", " ~/two ", "three", ""])
    roots = load(ALLOWED_ROOTS=written).allowed_roots
    assert roots == (Path("/srv/one").absolute(), Path("~/two").expanduser(), Path("three").absolute())


def test_roots_in_the_file_may_be_a_list(load: Load) -> None:
    """A relative one starts from the file's directory."""
    path = load.write('allowed_roots = ["/srv/one", "two"]\n')
    assert load().allowed_roots == (Path("/srv/one").absolute(), path.parent / "two")


def test_roots_must_name_one(load: Load) -> None:
    """A separator alone would mean nothing at all."""
    error = load.mistake(ALLOWED_ROOTS=os.pathsep)
    assert str(error).startswith("environment PYCONTEXTIFY_ALLOWED_ROOTS: names no directory; write directories")


def test_by_default_the_working_directory_is_the_root(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked up at the start: where the server is started is what it is for."""
    monkeypatch.chdir(tmp_path)
    settings = load()
    assert settings.allowed_roots == (tmp_path,)
    assert str(settings.origins["allowed_roots"]) == "default"


def test_the_top_of_the_file_system_is_no_default(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some editors start servers there, and nobody means everything by that; who says so gets it."""
    top = Path.cwd().anchor
    monkeypatch.chdir(top)
    assert load().allowed_roots == ()
    assert load(ALLOWED_ROOTS=top).allowed_roots == (Path(top),)


def test_a_working_directory_that_is_gone_is_no_default(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server starts all the same, as long as no setting is relative to it."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert load().allowed_roots == ()
