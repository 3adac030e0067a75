"""The table of settings, and how `config show` tells them."""

from __future__ import annotations

import json
import os
import typing
from dataclasses import asdict

import pytest

from pycontextify.config import SETTINGS, Setting, Settings, describe
from tests.config.conftest import Load

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_the_type_of_a_value_is_the_one_declared(setting: Setting, load: Load) -> None:
    """What a reader returns is what the field of `Settings` promises."""
    examples = {
        "index_bootstrap_url": "file:///srv/index",
        "embedding_url": "https://host/v1",
        "index_bootstrap_trusted_keys": "RWRHmeux3jditTE5UnOvglOc0FTB2jBBfhFFMDm667mvtBOeXWPBEtyE",
        "index_bootstrap_refresh": "5m",
        "config": str(load.write("")),
        "port": "0",
        "http": "[::1]:0",
        "http_token": HEX,
    }
    urls = "https://host/file"
    fallback = urls if setting.absent == () else HEX if setting.form == "HEX" else "some-text"
    text = setting.default or examples.get(setting.name, fallback)
    hint = typing.get_type_hints(Settings)[setting.name]
    value = setting.read(text)
    options = typing.get_args(hint) if type(None) in typing.get_args(hint) else (hint,)
    literals = [choice for option in options for choice in typing.get_args(option) if isinstance(choice, str)]
    if literals:
        assert value in literals
    else:
        kinds = tuple(typing.get_origin(option) or option for option in options)
        assert isinstance(value, kinds)


def test_the_names_are_the_documented_ones() -> None:
    """Variables follow from the names; so do flags, but for the index path's, and a secret has none."""
    table = {setting.name: (setting.env, setting.flag) for setting in SETTINGS}
    assert table["index_bootstrap_url"] == ("PYCONTEXTIFY_INDEX_BOOTSTRAP_URL", "--index-bootstrap-url")
    assert table["index_bootstrap_faiss_sha256"][0] == "PYCONTEXTIFY_INDEX_BOOTSTRAP_FAISS_SHA256"
    assert table["index_dir"] == ("PYCONTEXTIFY_INDEX_DIR", "--index-path")
    assert table["index_name"] == ("PYCONTEXTIFY_INDEX_NAME", "--index-name")
    assert table["http"] == ("PYCONTEXTIFY_HTTP", "--http")
    assert table["config"] == ("PYCONTEXTIFY_CONFIG", "--config")
    assert table["embedding_api_key"] == ("PYCONTEXTIFY_EMBEDDING_API_KEY", None)
    assert table["http_token"] == ("PYCONTEXTIFY_HTTP_TOKEN", None)
    assert table["allowed_roots"] == ("PYCONTEXTIFY_ALLOWED_ROOTS", "--allowed-roots")
    alone = {setting.name for setting in SETTINGS if setting.stands_alone}
    assert alone == {"auto_load", "auto_persist", "insecure", "require_index"}
    assert all(setting.help and setting.form for setting in SETTINGS)


def test_describe_tells_values_and_origins_as_json(load: Load) -> None:
    """`config show` has every setting, in the form it is written in, and survives JSON."""
    settings = load(
        {"index_bootstrap_url": "https://u:p@a/x#v1,https://b/y#v1", "index_bootstrap_sha256": HEX, "http": "[::1]:0"},
        INDEX_BOOTSTRAP_REFRESH="5m",
    )
    rows = [asdict(row) for row in describe(settings)]
    assert json.loads(json.dumps(rows)) == rows
    assert [row["name"] for row in rows] == [setting.name for setting in SETTINGS]
    values = {row["name"]: row["value"] for row in rows}
    assert values["index_bootstrap_url"] == ["https://a/x#v1", "https://b/y#v1"]
    assert values["index_bootstrap_sha256"] == f"sha256:{HEX}"
    assert values["index_bootstrap_refresh"] == "300s"
    assert values["http"] == "[::1]:0"
    assert values["port"] == 8765
    assert values["auto_load"] is True
    assert values["embedding_url"] is None
    assert {row["name"]: row["origin"] for row in rows}["http"] == "flag --http"


def test_what_describe_shows_can_be_written_back(load: Load) -> None:
    """The values of `config show`, given as flags, make the same settings."""
    settings = load(
        INDEX_BOOTSTRAP_ARCHIVE="https://a/x.zip",
        INDEX_BOOTSTRAP_SHA256=HEX,
        INDEX_BOOTSTRAP_REFRESH="1d",
        ALLOWED_ROOTS=os.pathsep.join(["/srv/one", "/srv/two"]),
    )
    again = load({row.name: row.value for row in describe(settings) if row.value not in (None, [])})
    assert [row.value for row in describe(again)] == [row.value for row in describe(settings)]


def test_no_secret_shows(load: Load) -> None:
    """Keys, passwords and signed queries are in the values and in nothing that is shown."""
    settings = load(
        EMBEDDING_PROVIDER="http",
        EMBEDDING_MODEL="m",
        EMBEDDING_API_KEY="CANARY1",
        HTTP_TOKEN="CANARY7-and-some-more",
        EMBEDDING_URL="https://user:CANARY2@host/v1?key=CANARY3",
        INDEX_BOOTSTRAP_ARCHIVE="https://user:CANARY4@host/x.zip?sig=CANARY5,https://CANARY6@host/x.zip",
    )
    assert settings.embedding_api_key == "CANARY1"
    assert "CANARY5" in settings.index_bootstrap_archive[0]
    assert "CANARY" not in repr(settings) + str(describe(settings))
