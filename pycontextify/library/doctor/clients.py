"""The MCP clients of this machine: which start a server like this one, and whether that can work."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pycontextify.config import SETTINGS
from pycontextify.library.clients.entry import given_by
from pycontextify.library.clients.found import Place, look_around
from pycontextify.library.clients.table import Client, Machine
from pycontextify.library.doctor.finding import Finding, Level

__all__ = ["examine_clients"]

# What each way of naming a variable looks like, for those clients that know it.
_KNOWN = {"expanded": "${", "expanded env": "${env:", "asked": "${"}


def examine_clients(machine: Machine, which: Callable[[str], str | None]) -> Iterator[Finding]:
    """Yield what is configured where. Blocks; never raises."""
    places = list(look_around(machine, which))
    for place in places:
        if place.fault:
            what = f"{_title(place)}: {place.file} can't be used: {place.fault}"
            yield _found("client_file", what, "correct it; the client may not read it either")
        for name, entry in sorted(place.entries.items()):
            yield from _entry(place, name, entry, which)
    if not any(place.entries for place in places):
        yield _found("client_none", "no MCP client of this machine starts this server", _INSTALL, level="note")


_FLAGS = {setting.flag for setting in SETTINGS if setting.flag is not None}
_VARIABLES = {setting.env for setting in SETTINGS}
_INSTALL = "`pycontextify install` lists the clients, and `pycontextify install CLIENT` configures one"


def _entry(place: Place, name: str, entry: Mapping[str, Any], which: Callable[[str], str | None]) -> Iterator[Finding]:
    where = f"{_title(place)}: {name!r} in {place.file}"
    command = entry.get("command")
    again = f"`pycontextify install {place.client.name}` writes it anew"
    faults = []
    if isinstance(command, str):
        lack = _lack(command, which)
        if lack is not None:
            faults.append(_found("client_command", f"{where} starts {command!r}, {lack}", again))
    elif "url" not in entry and "serverUrl" not in entry:
        faults.append(_found("client_command", f"{where} names no command", again))
    literal = _literal(entry, place.client)
    if literal is not None:
        what = f"{where} holds {literal}, which {place.client.title} passes on as it is"
        faults.append(_found("client_variable", what, "write the value, or set the variable where the client starts"))
    yield from faults
    own = sorted(_settings_of(entry))
    if own:
        what = f"{where} has settings of its own: {', '.join(own)}"
        yield _found(
            "client_settings", what, f"`pycontextify doctor {place.client.name}` looks with them", level="note"
        )
    if not faults:
        yield _found("client", f"{where} starts {command!r}" if command else f"{where} asks an address", level="ok")


def _settings_of(entry: Mapping[str, Any]) -> set[str]:
    """Return the flags and variables of ours that an entry gives; not their values."""
    words, variables = given_by(entry)
    return {word.partition("=")[0] for word in words if word.startswith("--")} & _FLAGS | variables.keys() & _VARIABLES


def _lack(command: str, which: Callable[[str], str | None]) -> str | None:
    """Say why a command can't be started; None where it can."""
    if os.path.dirname(command):  # noqa: PTH120 - whether there is a separator in it, of any kind
        path = Path(command).expanduser()
        if not path.is_file():
            return "which is not there"
        return None if os.access(path, os.X_OK) else "which is not executable"
    return None if which(command) is not None else "which is not on the PATH"


def _literal(entry: Mapping[str, Any], client: Client) -> str | None:
    """Return a ``${VARIABLE}`` that nobody will put a value in for; nothing else of the entry."""
    known = _KNOWN.get(client.secrets)
    text = json.dumps([entry.get("args"), entry.get("env")])
    for piece in text.split("${")[1:]:
        variable = "${" + piece.partition("}")[0] + "}"
        if known is None or not variable.startswith(known):
            return variable if variable[2:-1].replace("_", "").isalnum() and len(variable) < 80 else "a ${…}"
    return None


def _title(place: Place) -> str:
    return place.client.title if place.scope == "user" else f"{place.client.title} (this project)"


def _found(code: str, what: str, hint: str = "", *, level: Level = "warning") -> Finding:
    return Finding(code, what, hint, area="clients", level=level)
