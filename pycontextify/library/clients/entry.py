"""An entry in a client's configuration: the command, its arguments, and its secrets by the names of their variables.

A secret is never part of one. Where a client can put a variable's value in, the entry says which; else it is for the
user to set, as `advice` tells.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pycontextify.config import SETTINGS, Setting, Settings, describe
from pycontextify.library.clients.table import Client

__all__ = [
    "Entry",
    "advice",
    "command_in_use",
    "entry_of",
    "given_by",
    "http_members",
    "inputs_of",
    "members_of",
    "render_command",
]


_HTTP_TOKEN = next(setting.env for setting in SETTINGS if setting.name == "http_token")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a client starts: a command with its arguments. ``secrets`` are the settings that it needs and must not
    hold.
    """

    command: str
    args: tuple[str, ...]
    secrets: tuple[Setting, ...] = ()


def command_in_use(argv0: str, which: Callable[[str], str | None], *, shared: bool) -> tuple[str, ...]:
    """Return how to start the program that is running: its command's absolute path, else its interpreter and module.

    For a file that is ``shared`` with others, the bare name is given where it leads to the same command.
    """
    known = which("pycontextify")
    running = Path(argv0)
    if running.stem.lower() == "pycontextify" and running.is_file():
        if shared and known is not None and Path(known).resolve() == running.resolve():
            return ("pycontextify",)
        return (str(running.absolute()),)
    if known is not None:
        return ("pycontextify" if shared else str(Path(known).absolute()),)
    return (sys.executable, "-m", "pycontextify")


def entry_of(settings: Settings, command: Sequence[str]) -> Entry:
    """Return the entry for a server with the settings that the command line and the environment give.

    Those of the configuration file are the server's to read. An address that carries credentials is a secret as well.
    """
    args: list[str] = []
    secrets: list[Setting] = []
    shown = {row.name: row.value for row in describe(settings)}
    for setting in SETTINGS:
        if settings.origins[setting.name].layer not in ("flag", "environment"):
            continue
        value = shown[setting.name]
        if setting.flag is None or not _is_all(value, getattr(settings, setting.name)):
            secrets.append(setting)
        else:
            args += [setting.flag, _text(value, setting)]
    first, *more = command
    return Entry(first, (*more, *args), tuple(secrets))


def _is_all(shown: object, value: object) -> bool:
    """Tell whether what may be shown of a value is all of it."""
    match value:
        case str():
            return shown == value
        case tuple() if isinstance(shown, list):
            return all(told == each for told, each in zip(shown, value, strict=True) if isinstance(each, str))
        case _:
            return True


def _text(value: object, setting: Setting) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list():
            return setting.separator.join(value)
        case _:
            return str(value)


def members_of(entry: Entry, client: Client) -> dict[str, Any]:
    """Return the entry as the client's file holds it."""
    members: dict[str, Any] = {"type": "stdio"} if client.kind else {}
    members |= {"command": entry.command, "args": list(entry.args)}
    names = [setting.env for setting in entry.secrets]
    match client.secrets:
        case "forwarded" if names:
            members["env_vars"] = names
        case "expanded" if names:
            # With nothing after the dash: without that, a variable that is not set is an error of the whole file.
            members["env"] = {name: f"${{{name}:-}}" for name in names}
        case "expanded env" if names:
            members["env"] = {name: f"${{env:{name}}}" for name in names}
        case "asked" if names:
            members["env"] = {name: f"${{input:{_input(name)}}}" for name in names}
    return members


def given_by(members: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
    """Return what a client's entry gives a server: the words of its command line, and variables.

    A variable whose value the client puts in is left out: here, it is the environment's own.
    """
    args, env = members.get("args"), members.get("env")
    words = [word for word in args if isinstance(word, str)] if isinstance(args, list) else []
    if words[:2] == ["-m", "pycontextify"]:
        words = words[2:]
    given = env.items() if isinstance(env, dict) else ()
    return words, {name: value for name, value in given if isinstance(value, str) and "${" not in value}


def http_members(url: str, client: Client, *, token: str | None = None) -> dict[str, Any]:
    """Return an entry for a server that listens at an address; ``token`` is what stands where people put theirs.

    A client that forwards variables is told which one holds the token.
    """
    members: dict[str, Any] = {"type": "http"} if client.kind else {}
    members["url"] = url
    if token is not None and client.secrets == "forwarded":
        members["bearer_token_env_var"] = _HTTP_TOKEN
    elif token is not None:
        members["headers"] = {"Authorization": f"Bearer {token}"}
    return members


def inputs_of(entry: Entry, client: Client) -> list[dict[str, Any]]:
    """Return what the client must ask for, as its file describes that: one for each secret, for one that asks."""
    if client.secrets != "asked":
        return []
    return [
        {"type": "promptString", "id": _input(setting.env), "description": setting.help, "password": True}
        for setting in entry.secrets
    ]


def _input(name: str) -> str:
    return name.lower().replace("_", "-")


def advice(entry: Entry, client: Client, config_file: Path | None) -> list[str]:
    """Tell what is to be done for each secret; ``config_file`` is where the server looks for settings by itself."""
    names = ", ".join(setting.env for setting in entry.secrets)
    if not names:
        return []
    match client.secrets:
        case "asked":
            return [f"{client.title} will ask for {names}, and keeps what you type."]
        case "none":
            keys = ", ".join(setting.name for setting in entry.secrets)
            where = config_file or "a TOML file named with --config"
            return [f"{names} is not written there: put {keys} into {where}, readable by you alone."]
        case _:
            return [f"{names} is not written there: set it in the environment that {client.title} is started in."]


def render_command(client: Client, name: str, entry: Entry, *, remove: bool) -> list[str]:
    """Return the command that has a client change its own configuration."""
    start = [client.command or client.name, "mcp", "remove" if remove else "add", "--scope", "user", name]
    return start if remove else [*start, "--", entry.command, *entry.args]
