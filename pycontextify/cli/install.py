"""``pycontextify install``: put this server into an MCP client's configuration, or take it out again."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pycontextify.cli.flags import ALL
from pycontextify.cli.verbs import AsJson, verb
from pycontextify.config import Settings, user_places
from pycontextify.errors import ConfigError
from pycontextify.library.clients.edit import ClientFileError, snippet, with_entry, without_entry
from pycontextify.library.clients.entry import (
    Entry,
    advice,
    command_in_use,
    entry_of,
    inputs_of,
    members_of,
    render_command,
)
from pycontextify.library.clients.files import read_text, write_text
from pycontextify.library.clients.found import file_of, look_around, this_machine
from pycontextify.library.clients.table import CLIENTS, Client, client_named
from pycontextify.library.clients.told import diff_of
from pycontextify.redact import one_line

if TYPE_CHECKING:
    from pycontextify.library.clients.found import Place, Scope
    from pycontextify.library.clients.table import Machine

__all__ = ["EXAMPLES", "install"]

EXAMPLES = (
    "pycontextify install",
    "pycontextify install cursor --index-bootstrap-url https://example.com/index",
    "pycontextify install vscode --project --yes --index-bootstrap-url https://example.com/index",
    "pycontextify install zed --remove",
)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to become of a client's file: from ``before`` (None: it is not there) to ``after``."""

    client: Client
    file: Path
    before: str | None
    after: str
    notes: tuple[str, ...]

    @property
    def changes(self) -> bool:
        return self.after != (self.before or "")

    @property
    def diff(self) -> str:
        return diff_of(self.before, self.after, str(self.file))


@verb(ALL, interrupted="nothing was changed")
def install(
    settings: Settings,
    client: Annotated[
        str | None,
        typer.Argument(
            metavar="[CLIENT]", help=f"{', '.join(each.name for each in CLIENTS)}; without one, tell which are here"
        ),
    ] = None,
    *,
    name: Annotated[str, typer.Option(metavar="NAME", help="what the server is called there")] = "pycontextify",
    project: Annotated[
        bool, typer.Option("--project", help="for the project in the working directory, not for the user")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="take the server out again")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="write without asking")] = False,
    only_print: Annotated[
        bool, typer.Option("--print", help="write nothing (as without a terminal, unless there is --yes)")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Put this server into an MCP client's configuration.

    The settings given go along. The change is shown first, and made when you agree; all else in the file stays as it
    is. Secrets are not written: the variables that hold them are named.
    """
    machine = this_machine()
    if client is None:
        _list(list(look_around(machine, shutil.which)), as_json=as_json)
        return 0
    known = _known(client)
    _check(settings, name)
    entry = entry_of(settings, command_in_use(sys.argv[0], shutil.which, shared=project))
    if known.told and not project:
        _tell_command(known, name, entry, remove=remove, as_json=as_json)
        return 0
    try:
        plan = _plan(known, machine, name, entry, scope="project" if project else "user", remove=remove)
    except ClientFileError:
        if not (remove or as_json):
            print("This is what to put there by hand:", file=sys.stderr)
            print(snippet(known, name, members_of(entry, known), inputs_of(entry, known)), end="")
        raise
    return _report(plan, write=yes and not only_print) if as_json else _ask(plan, yes=yes, only_print=only_print)


def _known(name: str) -> Client:
    found = client_named(name)
    if found is None:
        raise ConfigError(
            "there is no such client here",
            code="usage",
            asset=one_line(name),
            hint=f"name one of {', '.join(each.name for each in CLIENTS)}",
        )
    return found


def _check(settings: Settings, name: str) -> None:
    if settings.transport == "http" or not name.strip() or one_line(name) != name:
        what = "a client starts a server on stdio" if settings.transport == "http" else "that is no name for a server"
        raise ConfigError(what, code="usage", hint="leave out --transport, or correct --name")


def _plan(client: Client, machine: Machine, name: str, entry: Entry, *, scope: Scope, remove: bool) -> _Plan:
    """Return what is to be done. Raises ClientFileError where that is not safe."""
    file = file_of(client, machine, scope)
    if file is None:
        raise ConfigError(f"{client.title} has no configuration of a project", code="usage", hint="leave out --project")
    members, inputs = members_of(entry, client), inputs_of(entry, client)
    try:
        before = read_text(file)
        edit = (
            partial(without_entry, name=name) if remove else partial(_added, name=name, members=members, inputs=inputs)
        )
        after = edit(before or "", client)
    except ClientFileError as error:
        error.asset = str(file)
        raise
    notes = () if remove else advice(entry, client, user_places().config_file)
    return _Plan(client, file, before, after, tuple(notes))


def _added(text: str, client: Client, *, name: str, members: dict[str, Any], inputs: list[dict[str, Any]]) -> str:
    return with_entry(text, client, name, members, inputs)


def _tell_command(client: Client, name: str, entry: Entry, *, remove: bool, as_json: bool) -> None:
    """Print the command that has the client change its own configuration."""
    words = render_command(client, name, entry, remove=remove)
    line = subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
    notes = [] if remove else advice(entry, client, None)
    if as_json:
        print(json.dumps({"client": client.name, "command": words, "notes": notes}, indent=2))
        return
    print(line)
    for note in [f"{client.title} keeps this itself: run the command, or give --project for .mcp.json here.", *notes]:
        print(f"note: {one_line(note)}", file=sys.stderr)


def _ask(plan: _Plan, *, yes: bool, only_print: bool) -> int:
    """Show what would change, and do it when somebody agrees."""
    if not plan.changes:
        print(f"{one_line(str(plan.file))} is as it should be; nothing was changed")
        return 0
    print(plan.diff, end="")
    for note in plan.notes:
        print(f"note: {one_line(note)}", file=sys.stderr)
    asked = not (yes or only_print) and sys.stdin.isatty() and sys.stdout.isatty()
    agreed = yes or (asked and _agreed(f"Write this to {one_line(str(plan.file))}?"))
    if only_print or not agreed:
        print("nothing was changed" if asked or only_print else "nothing was changed; --yes writes it", file=sys.stderr)
        return 1 if asked else 0
    write_text(plan.file, plan.before, plan.after)
    print(f"wrote {one_line(str(plan.file))}; restart {plan.client.title} if it does not notice by itself")
    return 0


def _agreed(question: str) -> bool:
    """Ask, and take silence for no."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:  # how a question ends with Ctrl-C, or with the input
        raise KeyboardInterrupt from None


def _report(plan: _Plan, *, write: bool) -> int:
    """Do it or not, as was said, and tell a program."""
    if write and plan.changes:
        write_text(plan.file, plan.before, plan.after)
    document = {
        "client": plan.client.name,
        "file": str(plan.file),
        "changes": plan.changes,
        "written": write and plan.changes,
        "diff": plan.diff,
        "notes": plan.notes,
    }
    print(json.dumps(document, indent=2))
    return 0


def _list(places: list[Place], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"clients": [place.to_json() for place in places]}, indent=2))
        return
    for place in places:
        servers = ", ".join(map(one_line, sorted(place.entries)))
        state = f"has {servers}" if servers else "not configured" if place.installed else "not found here"
        what = f"can't be read: {one_line(place.fault)}" if place.fault else state
        print(f"{place.client.name:<15} {place.scope:<8} {what}  ({one_line(str(place.file))})")
