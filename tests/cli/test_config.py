"""The verb ``config show``."""

from __future__ import annotations

import os
from pathlib import Path

from pycontextify.config import SETTINGS
from tests.cli.conftest import Cli
from tests.fakes.signers import OTHER, SIGNER


def test_every_setting_is_shown_with_its_origin(cli: Cli, tmp_path: Path) -> None:
    """Flag, environment, file and default, each named."""
    file = tmp_path / "ci.toml"
    file.write_text("port = 9000\n", encoding="utf-8")
    shown = cli("config", "show", "--config", file, "--host", "0.0.0.0", AUTO_LOAD="no")
    lines = {line.split()[0]: line for line in shown.out.splitlines()}
    assert list(lines) == [setting.name for setting in SETTINGS]
    assert lines["host"].endswith("0.0.0.0  (flag --host)")
    assert lines["auto_load"].endswith("false  (environment PYCONTEXTIFY_AUTO_LOAD)")
    assert lines["port"].endswith(f"9000  (file {file})")
    assert lines["log_level"].endswith("INFO  (default)")


def test_roots_are_shown_as_they_are_written(cli: Cli, tmp_path: Path) -> None:
    """With what separates them on this system, and in JSON as a list; by default it is the working directory."""
    roots = [str(tmp_path / "a"), str(tmp_path / "b")]
    written = os.pathsep.join(roots)
    assert f"{written}  (environment" in cli("config", "show", ALLOWED_ROOTS=written).out
    for flags, expected in (((), [str(Path.cwd())]), (("--allowed-roots", written), roots)):
        rows = cli("config", "show", "--json", *flags).json()["settings"]
        assert {row["name"]: row["value"] for row in rows}["allowed_roots"] == expected


def test_a_server_for_other_machines_without_a_token_is_a_wrong_usage(cli: Cli) -> None:
    """Exit code 2, and the line says both ways out."""
    refused = cli.spawn("serve", "--transport", "http", "--host", "0.0.0.0", "--port", "0")
    assert refused.code == 2
    assert refused.err.endswith("[listening_insecure]\n")
    assert "PYCONTEXTIFY_HTTP_TOKEN" in refused.err
    assert "--insecure" in refused.err


def test_secrets_are_hidden(cli: Cli) -> None:
    """In words and in JSON."""
    secrets = {"EMBEDDING_API_KEY": "hunter2", "INDEX_BOOTSTRAP_URL": "https://me:hunter2@host/a?k=hunter2"}
    secrets["HTTP_TOKEN"] = "hunter2-hunter2-hunter2"
    shown = cli("config", "show", **secrets)
    found = cli("config", "show", "--json", **secrets)
    assert shown.code == found.code == 0
    assert "hunter2" not in shown.out + found.out
    values = {row["name"]: row["value"] for row in found.json()["settings"]}
    assert values["index_bootstrap_url"] == ["https://host/a"]


def test_trusted_keys_are_shown_whole(cli: Cli, tmp_path: Path) -> None:
    """As keys, also where a file was named: so that what servers trust can be compared with what signs."""
    (tmp_path / "index.pub").write_text(f"untrusted comment: x\n{SIGNER.public}\n", encoding="utf-8")
    flag = ("--index-bootstrap-trusted-keys", f"{tmp_path / 'index.pub'},{OTHER.public}")
    told = {row["name"]: row["value"] for row in cli("config", "show", "--json", *flag).json()["settings"]}
    assert told["index_bootstrap_trusted_keys"] == [str(SIGNER.public), str(OTHER.public)]
    assert told["index_bootstrap_channel"] == "default"
    lines = {line.split()[0]: line for line in cli("config", "show", *flag).out.splitlines()}
    assert f"{SIGNER.public},{OTHER.public}" in lines["index_bootstrap_trusted_keys"]


def test_the_password_of_a_key_is_hidden(cli: Cli) -> None:
    """In words and in JSON."""
    secret = {"SIGN_PASSWORD": "hunter2"}
    shown = cli("config", "show", **secret).out + cli("config", "show", "--json", **secret).out
    assert "hunter2" not in shown
    assert "***" in shown


def test_a_slip_in_the_environment_is_told(cli: Cli) -> None:
    """It stops nothing."""
    shown = cli("config", "show", INDEX_PATH="/srv")
    assert shown.code == 0
    assert "did you mean PYCONTEXTIFY_INDEX_DIR" in shown.err
