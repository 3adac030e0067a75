"""The MCP clients that are known here: their files on each system, and the form of their entries. Pure.

The places and forms are those of the clients' own documentation (November 2026).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["CLIENTS", "OUR_INPUTS", "Client", "Machine", "Secrets", "client_named"]

OUR_INPUTS = "pycontextify-"
"""How the ids of what we have a client ask for begin."""

Secrets = Literal["expanded", "expanded env", "asked", "forwarded", "none"]


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a client's files may be: the system (as `sys.platform` has it), its environment, the user's home and the
    project's directory.
    """

    platform: str
    environ: Mapping[str, str]
    home: Path
    project: Path

    @property
    def settings(self) -> Path:
        """Where applications keep what belongs to a user."""
        match self.platform:
            case "darwin":
                return self.home / "Library" / "Application Support"
            case "win32":
                return self._named("APPDATA", self.home / "AppData" / "Roaming")
            case _:
                return self.dotfiles

    @property
    def dotfiles(self) -> Path:
        """Where those keep it that follow the XDG conventions on every Unix."""
        return self._named("XDG_CONFIG_HOME", self.home / ".config")

    def _named(self, variable: str, otherwise: Path) -> Path:
        named = self.environ.get(variable, "")
        return Path(named) if named and Path(named).is_absolute() else otherwise


@dataclass(frozen=True, slots=True)
class Client:
    """One MCP client.

    ``name`` is what it is called on the command line, ``title`` what people call it. ``user`` and ``project`` give the
    file of each scope. Entries are in the object (or table) ``container``. ``secrets`` tells how an entry may name a
    variable without its value. ``kind``: an entry says that it is one of a stdio server. ``told``: who has the
    configuration of the user's scope is the client's own command, and it alone writes it.
    """

    name: str
    title: str
    user: Callable[[Machine], Path]
    project: Callable[[Machine], Path] | None
    container: str
    secrets: Secrets
    format: Literal["json", "toml"] = "json"
    kind: bool = False
    told: bool = False
    command: str | None = None


def client_named(name: str) -> Client | None:
    """Return the client of that name."""
    return next((client for client in CLIENTS if client.name == name), None)


def _in_project(*parts: str) -> Callable[[Machine], Path]:
    return lambda machine: machine.project.joinpath(*parts)


def _in_home(*parts: str) -> Callable[[Machine], Path]:
    return lambda machine: machine.home.joinpath(*parts)


def _in_settings(*parts: str) -> Callable[[Machine], Path]:
    return lambda machine: machine.settings.joinpath(*parts)


def _codex(machine: Machine) -> Path:
    named = machine.environ.get("CODEX_HOME")
    return (Path(named) if named else machine.home / ".codex") / "config.toml"


def _zed(machine: Machine) -> Path:
    if machine.platform == "win32":
        return machine.settings / "Zed" / "settings.json"
    # On a Mac it is ~/.config, whatever the environment says.
    place = machine.home / ".config" if machine.platform == "darwin" else machine.dotfiles
    return place / "zed" / "settings.json"


CLIENTS: tuple[Client, ...] = (
    Client(
        name="claude-code",
        title="Claude Code",
        user=_in_home(".claude.json"),
        project=_in_project(".mcp.json"),
        container="mcpServers",
        secrets="expanded",
        kind=True,
        told=True,
        command="claude",
    ),
    Client(
        name="claude-desktop",
        title="Claude Desktop",
        user=_in_settings("Claude", "claude_desktop_config.json"),
        project=None,
        container="mcpServers",
        secrets="none",
    ),
    Client(
        name="cursor",
        title="Cursor",
        user=_in_home(".cursor", "mcp.json"),
        project=_in_project(".cursor", "mcp.json"),
        container="mcpServers",
        secrets="expanded env",
        command="cursor",
    ),
    Client(
        name="vscode",
        title="VS Code",
        user=_in_settings("Code", "User", "mcp.json"),
        project=_in_project(".vscode", "mcp.json"),
        container="servers",
        secrets="asked",
        kind=True,
        command="code",
    ),
    Client(
        name="codex",
        title="Codex",
        user=_codex,
        project=_in_project(".codex", "config.toml"),
        container="mcp_servers",
        secrets="forwarded",
        format="toml",
        command="codex",
    ),
    Client(
        name="windsurf",
        title="Windsurf",
        user=_in_home(".codeium", "windsurf", "mcp_config.json"),
        project=None,
        container="mcpServers",
        secrets="expanded env",
        command="windsurf",
    ),
    Client(
        name="zed",
        title="Zed",
        user=_zed,
        project=_in_project(".zed", "settings.json"),
        container="context_servers",
        secrets="none",
        command="zed",
    ),
)
"""Every client, in the order in which they are listed."""
