"""Which layer wins, where each value came from, and what each kind of value may look like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.config import SETTINGS, HostPort, Origin, Places, Settings, describe, load_settings, user_places
from pycontextify.errors import ConfigError
from pycontextify.snapshot.digest import Digest
from tests.config.conftest import Load

HEX = "0123456789abcdef" * 4


def test_defaults(load: Load) -> None:
    """Nothing has to be set: no source, the built-in encoder, stdio, an index in the user's data directory."""
    settings = load()
    assert settings.index_bootstrap_url == ()
    assert settings.index_bootstrap_sha256 is None
    assert settings.index_bootstrap_mode == "if-missing"
    assert settings.index_bootstrap_refresh == 900.0
    assert settings.index_dir == load.directory / "indexes" / "index"
    assert settings.auto_load is True
    assert settings.auto_persist is True
    assert (settings.embedding_provider, settings.embedding_model) == ("onnx", None)
    assert (settings.transport, settings.host, settings.port) == ("stdio", "127.0.0.1", 8765)
    assert settings.http is None
    assert settings.log_level == "INFO"
    assert {str(origin) for origin in settings.origins.values()} == {"default"}
    assert settings.warnings == ()


def test_each_layer_goes_before_the_one_below(load: Load) -> None:
    """A flag beats the environment, which beats the file, which beats the default; each value tells which it was."""
    path = load.write('port = 1\nhost = "localhost"\nindex_name = "file"\n')
    settings = load({"port": 3, "host": None}, PORT="2", HOST="0.0.0.0")
    assert (settings.port, settings.host, settings.index_name) == (3, "0.0.0.0", "file")
    assert settings.origins["port"] == Origin("flag", "--port")
    assert str(settings.origins["port"]) == "flag --port"
    assert str(settings.origins["host"]) == "environment PYCONTEXTIFY_HOST"
    assert str(settings.origins["index_name"]) == f"file {path}"
    assert str(settings.origins["transport"]) == "default"


def test_a_value_that_is_overridden_is_not_read(load: Load) -> None:
    """Only values in force can be wrong."""
    load.write('port = "nonsense"\n')
    assert load({"port": "1"}, PORT="nonsense too").port == 1


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("index_bootstrap_url", "https://a/x", ("https://a/x",)),
        ("index_bootstrap_url", "HTTPS://a/x#v1 , http://u:p@b:80/y#v1", ("https://a/x#v1", "http://u:p@b:80/y#v1")),
        ("index_bootstrap_url", "https://a.example/$web/x", ("https://a.example/$web/x",)),
        ("index_bootstrap_url", "file:///C:/srv/index", ("file:///C:/srv/index",)),
        ("index_bootstrap_archive", "https://a/x.zip?sig=a,b", ("https://a/x.zip?sig=a,b",)),
        ("index_bootstrap_archive", "file://localhost/srv/x.zip", ("file://localhost/srv/x.zip",)),
        ("index_bootstrap_sha256", f"SHA256:{HEX.upper()}", Digest(f"sha256:{HEX}")),
        ("index_bootstrap_refresh", "30s", 30.0),
        ("index_bootstrap_refresh", "1.5 H", 5400.0),
        ("index_name", "my-project_2.0", "my-project_2.0"),
        ("auto_load", "No", False),
        ("auto_load", "1", True),
        ("transport", "HTTP", "http"),
        ("log_level", "debug", "DEBUG"),
        ("host", "[::1]", "::1"),
        ("host", "0.0.0.0", "0.0.0.0"),
        ("port", "0", 0),
        ("http", "localhost:0", HostPort("localhost", 0)),
        ("http", "[::1]:80", HostPort("::1", 80)),
        ("index_name", "  padded \n", "padded"),
    ],
)
def test_what_may_be_written(name: str, text: str, value: object, load: Load) -> None:
    """Every kind of value, in its usual forms, with white space around it."""
    beside = {"index_bootstrap_archive": "https://host/x.zip"} if name == "index_bootstrap_sha256" else {}
    assert getattr(load({name: text, **beside}), name) == value


def test_host_and_port_print_as_they_are_written() -> None:
    """An IPv6 address gets its brackets back."""
    assert str(HostPort("::1", 80)) == "[::1]:80"
    assert str(HostPort("localhost", 0)) == "localhost:0"


def test_an_empty_variable_counts_as_unset(load: Load) -> None:
    """Compose files and manifests leave variables empty that they do not set."""
    settings = load(INDEX_BOOTSTRAP_URL="", PORT=" ")
    assert settings.index_bootstrap_url == ()
    assert str(settings.origins["port"]) == "default"


def test_values_of_the_file_may_have_their_own_types(load: Load) -> None:
    """TOML knows numbers, truth values and lists; a byte order mark is no obstacle."""
    load.write(b'\xef\xbb\xbfport = 9\nauto_load = false\nindex_bootstrap_url = ["https://a/x", "https://b/y"]\r\n')
    settings = load()
    assert (settings.port, settings.auto_load) == (9, False)
    assert settings.index_bootstrap_url == ("https://a/x", "https://b/y")


def test_values_of_flags_may_have_their_own_types(load: Load) -> None:
    """The command line's parser may have made paths, numbers and truth values already."""
    settings = load({"port": 9, "auto_persist": False, "index_dir": load.directory / "x"})
    assert (settings.port, settings.auto_persist, settings.index_dir) == (9, False, load.directory / "x")


def test_a_named_file_is_read_instead_of_the_users(load: Load) -> None:
    """--config goes before PYCONTEXTIFY_CONFIG, and either before the user's own file."""
    own = load.write("port = 1\n")
    by_env, by_flag = load.directory / "env.toml", load.directory / "flag.toml"
    by_env.write_text("port = 2\n", encoding="utf-8")
    by_flag.write_text("port = 3\n", encoding="utf-8")
    assert (load().port, load().config) == (1, own)
    assert load(CONFIG=str(by_env)).port == 2
    settings = load({"config": by_flag}, CONFIG=str(by_env))
    assert (settings.port, settings.config) == (3, by_flag)
    assert str(settings.origins["config"]) == "flag --config"


def test_paths_start_from_where_they_are_written(load: Load) -> None:
    """A relative path of the file starts from its directory, any other from the working directory; ~ is home."""
    path = load.write('index_dir = "here"\nembedding_model = "model"\n')
    settings = load()
    assert settings.index_dir == path.parent / "here"
    assert settings.embedding_model == str(path.parent / "model")
    assert load(INDEX_DIR="there").index_dir == Path.cwd() / "there"
    assert load(INDEX_DIR="~/there").index_dir == Path.home() / "there"


def test_the_model_of_a_service_is_a_name(load: Load) -> None:
    """Only the onnx provider's model is a path."""
    settings = load(EMBEDDING_PROVIDER="http", EMBEDDING_URL="http://localhost:11434/v1", EMBEDDING_MODEL="minilm")
    assert settings.embedding_model == "minilm"


def test_the_index_name_names_the_default_directory(load: Load) -> None:
    """Two indexes of one user do not collide."""
    assert load(INDEX_NAME="other").index_dir == load.directory / "indexes" / "other"


def test_the_users_places_are_absolute() -> None:
    """Without an argument the system's conventions decide."""
    places = user_places()
    assert places.config_file is not None
    assert places.indexes is not None
    assert places.config_file.name == "config.toml"
    assert places.config_file.is_absolute()
    assert places.indexes.is_absolute()


def test_a_user_that_the_system_does_not_know_needs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may run under any number, without a home: the index directory is then all that has to be given."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    assert user_places() == Places(config_file=None, indexes=None)
    assert load_settings({"index_dir": tmp_path}, {}).index_dir == tmp_path
    with pytest.raises(ConfigError, match=r"no home directory .*; give --index-path or PYCONTEXTIFY_INDEX_DIR$"):
        load_settings({}, {})
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert load_settings({}, {}).index_dir == tmp_path / "pycontextify" / "index"


def test_a_users_file_that_can_not_be_looked_at_is_none(load: Load) -> None:
    """A container's user may be shut out of its home directory; a name too long for the system stands in for that."""
    places = Places(load.directory / ("x" * 5000) / "config.toml", load.directory)
    assert load_settings({}, {}, places=places).config is None


def test_unknown_variables_are_warned_of(load: Load) -> None:
    """A slip in a variable's name stops nothing, but is named, with what was meant; its value is not shown."""
    settings = load(INDEX_BOOTSTRAP_URI="CANARY", INDEX_PATH="CANARY", EXTRA="CANARY")
    assert settings.warnings == (
        "environment PYCONTEXTIFY_EXTRA: there is no such setting; it changes nothing",
        (
            "environment PYCONTEXTIFY_INDEX_BOOTSTRAP_URI: there is no such setting; "
            "did you mean PYCONTEXTIFY_INDEX_BOOTSTRAP_URL?"
        ),
        "environment PYCONTEXTIFY_INDEX_PATH: there is no such setting; did you mean PYCONTEXTIFY_INDEX_DIR?",
    )
    lower = load_settings({}, {"pycontextify_port": "1"}, places=load.places)
    assert lower.warnings == (
        "environment pycontextify_port: there is no such setting; did you mean PYCONTEXTIFY_PORT?",
    )


# Pieces of what people write, to be put together wrongly.
_PIECES = (
    "https:// http:// file:/// oci:// user:pw@ host [::1 ] :80 /x ?q=1 #ref , $ ${A} {{b}} %C% true follow http onnx "
    f"15m {'9' * 20} {HEX} ~ ~x/ \\ C:\\ \0"
).split()
_VALUES = st.one_of(st.text(), st.lists(st.sampled_from(_PIECES), max_size=6).map("".join))
_NAMES = st.one_of(st.sampled_from([setting.env for setting in SETTINGS]), st.text().map("PYCONTEXTIFY_".__add__))


@given(st.dictionaries(_NAMES, _VALUES, max_size=6))
def test_any_environment_loads_or_is_refused_in_one_line(environ: Mapping[str, str]) -> None:
    """Whatever the environment holds, nothing but a ConfigError of one line comes out."""
    home = Path.cwd() / "no-such-home"
    outcome: Settings | ConfigError
    try:
        outcome = load_settings({}, environ, places=Places(home / "config.toml", home))
    except ConfigError as error:
        outcome = error
    if isinstance(outcome, ConfigError):
        assert len(str(outcome).splitlines()) == 1
        assert outcome.asset
        assert outcome.hint
    else:
        assert outcome.index_dir.is_absolute()
        rows = [asdict(row) for row in describe(outcome)]
        assert json.loads(json.dumps(rows)) == rows
        assert all(len(warning.splitlines()) == 1 for warning in outcome.warnings)
