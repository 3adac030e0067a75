"""Which clients there are on this machine, and which of their entries start a server like this one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal

from pycontextify.errors import PyContextifyError
from pycontextify.library.clients.edit import entries_of
from pycontextify.library.clients.files import read_text
from pycontextify.library.clients.table import CLIENTS, Client, Machine

__all__ = ["Place", "file_of", "is_ours", "look_around", "this_machine"]

Scope = Literal["user", "project"]
_NAME = "pycontextify"


@dataclass(frozen=True, slots=True)
class Place:
    """A client's file of one scope, as it is: ``entries`` are those that start a server like this one, by name.

    ``installed``: there are traces of the client on this machine. ``fault`` says why the file can't be read.
    """

    client: Client
    scope: Scope
    file: Path
    installed: bool
    entries: Mapping[str, Mapping[str, Any]]
    fault: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form; what an entry holds may be secret, and is left out."""
        return {
            "client": self.client.name,
            "scope": self.scope,
            "file": str(self.file),
            "installed": self.installed,
            "servers": sorted(self.entries),
            "fault": self.fault,
        }


def this_machine() -> Machine:
    """Return the machine that this runs on, with the working directory as the project."""
    return Machine(sys.platform, os.environ, _place(Path.home), _place(Path.cwd))


def _place(find: Callable[[], Path]) -> Path:
    try:
        return find()
    except (OSError, RuntimeError):  # there is no home directory, or the working directory is gone
        return Path(os.path.abspath(os.sep))  # noqa: PTH100 - what is asked for is the root


def file_of(client: Client, machine: Machine, scope: Scope) -> Path | None:
    """Return a client's file of a scope; None where it has no such."""
    if scope == "user":
        return client.user(machine)
    return None if client.project is None else client.project(machine)


def look_around(machine: Machine, which: Callable[[str], str | None]) -> Iterator[Place]:
    """Yield the file of every client and scope; the project's only where there is one, and in
    the home directory there is none. Blocks; never raises."""
    for client in CLIENTS:
        for scope in ("user", "project"):
            file = file_of(client, machine, scope)
            if file is None or (scope == "project" and not (_exists(file) and machine.project != machine.home)):
                continue
            entries, fault = _ours(client, file)
            yield Place(client, scope, file, _is_installed(client, machine, file, which), entries, fault)


def is_ours(name: str, entry: object) -> bool:
    """Tell whether an entry starts a server like this one: by its name, its command or the module that it runs."""
    if name == _NAME:
        return True
    if not isinstance(entry, dict):
        return False
    command, args = entry.get("command"), entry.get("args")
    if isinstance(command, str) and _NAME in (PurePosixPath(command).stem, PureWindowsPath(command).stem.lower()):
        return True
    return isinstance(args, list) and _NAME in args


def _ours(client: Client, file: Path) -> tuple[Mapping[str, Mapping[str, Any]], str | None]:
    try:
        text = read_text(file)
        entries = {} if text is None else entries_of(text, client)
    except PyContextifyError as error:
        return {}, error.what
    ours = {name: entry for name, entry in entries.items() if is_ours(name, entry)}
    wrong = next((name for name, entry in ours.items() if not isinstance(entry, dict)), None)
    return ({}, f"the entry {wrong!r} is no object") if wrong is not None else (ours, None)


def _is_installed(client: Client, machine: Machine, file: Path, which: Callable[[str], str | None]) -> bool:
    traces = _exists(file) or (file.parent not in (machine.home, machine.project) and _exists(file.parent))
    return traces or (client.command is not None and which(client.command) is not None)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
