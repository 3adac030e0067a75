"""What goes into an entry, and what must not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pycontextify.config import Places, Settings, load_settings
from pycontextify.library.clients.edit import snippet
from pycontextify.library.clients.entry import (
    advice,
    command_in_use,
    entry_of,
    inputs_of,
    members_of,
    render_command,
)
from pycontextify.library.clients.table import CLIENTS, Client, client_named

CANARY = "canary-7f3a"
KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"


def settings(flags: dict[str, object], **environ: str) -> Settings:
    """Return settings of nobody's machine."""
    variables = {f"PYCONTEXTIFY_{name}": value for name, value in environ.items()}
    return load_settings(flags, variables, places=Places(None, Path("/indexes").absolute()))


def test_what_was_given_is_passed_on() -> None:
    """By flag or environment, in the form of flags; what has its default is left out."""
    given = settings(
        {"index_bootstrap_url": "https://a.example/i#v2,https://b.example/i#v2", "index_bootstrap_trusted_keys": KEY},
        INDEX_DIR="/srv/index",
        INDEX_BOOTSTRAP_REFRESH="2h",
        AUTO_PERSIST="no",
    )
    entry = entry_of(given, ["/opt/pycontextify"])
    assert entry.command == "/opt/pycontextify"
    assert list(entry.args) == [
        *("--index-bootstrap-url", "https://a.example/i#v2,https://b.example/i#v2"),
        *("--index-bootstrap-trusted-keys", KEY),
        *("--index-bootstrap-refresh", "7200s"),
        *("--index-path", str(Path("/srv/index").absolute())),
        *("--auto-persist", "false"),
    ]
    assert load_settings(dict(zip(_names(entry.args[::2]), entry.args[1::2], strict=True)), {}).index_dir


def _names(flags: tuple[str, ...]) -> list[str]:
    return [{"--index-path": "index_dir"}.get(flag, flag[2:].replace("-", "_")) for flag in flags]


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_no_secret_gets_in(client: Client) -> None:
    """Not one that is a setting of its own, and not one in an address."""
    secret = settings(
        {"index_bootstrap_url": f"https://me:{CANARY}@a.example/i?sig={CANARY}"},
        INDEX_BOOTSTRAP_TOKEN=CANARY,
        EMBEDDING_API_KEY=CANARY,
    )
    entry = entry_of(secret, ["pycontextify"])
    assert [setting.name for setting in entry.secrets] == [
        "index_bootstrap_url",
        "index_bootstrap_token",
        "embedding_api_key",
    ]
    text = snippet(client, "x", members_of(entry, client), inputs_of(entry, client))
    told = "\n".join(advice(entry, client, Path("/home/me/config.toml")))
    assert CANARY not in text + told + " ".join(render_command(client, "x", entry, remove=False))
    assert "PYCONTEXTIFY_INDEX_BOOTSTRAP_TOKEN" in told


def test_each_client_is_told_where_secrets_come_from() -> None:
    """In its own words for that, where it has any."""
    entry = entry_of(settings({}, HTTP_TOKEN="0123456789abcdef"), ["pycontextify"])
    name = "PYCONTEXTIFY_HTTP_TOKEN"
    found = {client.name: members_of(entry, client) for client in CLIENTS}
    assert found["claude-code"]["env"] == {name: f"${{{name}:-}}"}
    assert found["cursor"]["env"] == found["windsurf"]["env"] == {name: f"${{env:{name}}}"}
    assert found["vscode"]["env"] == {name: "${input:pycontextify-http-token}"}
    assert found["codex"]["env_vars"] == [name]
    assert "env" not in found["zed"] | found["claude-desktop"]
    code = client_named("vscode")
    assert code is not None
    assert [each["id"] for each in inputs_of(entry, code)] == ["pycontextify-http-token"]
    zed = client_named("zed")
    assert zed is not None
    assert "put http_token into /c.toml" in advice(entry, zed, Path("/c.toml"))[0]
    assert advice(entry_of(settings({}), ["x"]), zed, None) == []


def test_the_command_is_the_one_in_use(tmp_path: Path) -> None:
    """By its absolute path; a file that is shared gets its name, where that leads to the same."""
    mine, other = tmp_path / "pycontextify", tmp_path / "bin" / "pycontextify"
    mine.touch()
    assert command_in_use(str(mine), lambda _: str(other), shared=False) == (str(mine),)
    assert command_in_use(str(mine), lambda _: str(other), shared=True) == (str(mine),)
    assert command_in_use(str(mine), lambda _: str(mine), shared=True) == ("pycontextify",)
    assert command_in_use("/x/__main__.py", lambda _: str(other), shared=False) == (str(other),)
    assert command_in_use("/x/__main__.py", lambda _: None, shared=False) == (sys.executable, "-m", "pycontextify")


def test_a_client_is_asked_with_its_own_command() -> None:
    """To add, and to remove."""
    client = client_named("claude-code")
    assert client is not None
    entry = entry_of(settings({"index_bootstrap_url": "https://a.example/i"}), ["/opt/pycontextify"])
    added = ["claude", "mcp", "add", "--scope", "user", "x", "--", "/opt/pycontextify"]
    assert render_command(client, "x", entry, remove=False) == [*added, "--index-bootstrap-url", "https://a.example/i"]
    assert render_command(client, "x", entry, remove=True) == ["claude", "mcp", "remove", "--scope", "user", "x"]
