"""What can be wrong with a file of settings, and with the names in it."""

from __future__ import annotations

import pytest

from tests.config.conftest import Load


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("index_bootstrap_uri", "did you mean index_bootstrap_url?"),
        ("index_path", "did you mean index_dir?"),
        ("index-dir", "did you mean index_dir?"),
        ("PYCONTEXTIFY_INDEX_DIR", "did you mean index_dir?"),
        ("zebra", "`pycontextify config show` lists all settings; they are flat"),
        ("config", "`pycontextify config show` lists all settings; they are flat"),
    ],
)
def test_an_unknown_key(key: str, hint: str, load: Load) -> None:
    """A slip in the file stops the start, and the nearest name is told; the value is not."""
    path = load.write(f'{key} = "CANARY"')
    error = load.mistake()
    assert str(error) == f"{key} in file {path}: there is no such setting; {hint}"
    assert error.code == "config_unknown_key"


def test_an_unknown_flag(load: Load) -> None:
    """Callers of the function can slip too."""
    assert str(load.mistake({"prot": 1})) == "flag prot: there is no such setting; did you mean port?"


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("port = {a = 1}", "port in file {path}: is a table; write it as one text, in quotes"),
        ('port = ["1"]', "port in file {path}: is a list; write it as one text, in quotes"),
        ("index_bootstrap_url = [1]", "index_bootstrap_url in file {path}: is a list; write it as one text, in quotes"),
        (
            "port = 1979-05-27",
            "port in file {path}: is not a text, number or truth value; write it as one text, in quotes",
        ),
        (
            "port = 0x" + "f" * 9999,
            "port in file {path}: is not a text, number or truth value; write it as one text, in quotes",
        ),
        ('index_name = ""', "index_name in file {path}: is empty; give it a value, or leave it out"),
        (
            "port 1",
            (
                "file {path}: is not TOML: Expected '=' after a key in a key/value pair (at line 1, column 6); "
                'write lines such as index_dir = "/srv/index"'
            ),
        ),
    ],
)
def test_a_file_with_a_mistake(content: str, wrong: str, load: Load) -> None:
    """The line has the file, and the key or the place in it."""
    path = load.write(content)
    assert str(load.mistake()) == wrong.format(path=path)


@pytest.mark.parametrize("content", ["[" * 100_000, 'a = "\x00"', "port = " + "9" * 9999])
def test_a_file_that_breaks_the_parser(content: str, load: Load) -> None:
    """Deep nesting, control characters and endless numbers are mistakes like others."""
    load.write(content)
    assert load.mistake().code == "config_file"


def test_a_file_that_can_not_be_read(load: Load) -> None:
    """A named file must be there, be a file and be text."""
    missing = load.directory / "missing.toml"
    error = load.mistake({"config": missing})
    assert error.code == "config_file"
    assert error.asset == "flag --config"
    assert error.what.startswith(f"can't read {missing}: ")
    assert load.mistake(CONFIG=str(load.directory)).asset == "environment PYCONTEXTIFY_CONFIG"
    path = load.write(b'port = "\xff"')
    assert (
        str(load.mistake()) == f"default of config: can't read {path}: it is not UTF-8 text; name a readable TOML file"
    )
