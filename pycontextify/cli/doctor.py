"""``pycontextify doctor``: what is wrong, or may be one day, and what to do about it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from pycontextify.cli.flags import ALL, serve_flags, spelled_out
from pycontextify.cli.verbs import AsJson, verb
from pycontextify.config import Settings, load_settings
from pycontextify.errors import ConfigError, PyContextifyError
from pycontextify.redact import one_line
from pycontextify.server.words import count

if TYPE_CHECKING:
    from pycontextify.library.doctor.finding import Finding
    from pycontextify.library.workspace import Workspace

__all__ = ["EXAMPLES", "doctor"]

EXAMPLES = (
    "pycontextify doctor",
    "pycontextify doctor cursor",
    "pycontextify doctor --verbose --index-bootstrap-url https://example.com/index",
    "pycontextify doctor --deep --offline",
)


@verb(ALL, interrupted="what was set aside is fetched again by the next hydration; else nothing was changed")
def doctor(
    settings: Settings,
    client: Annotated[
        str | None,
        typer.Argument(metavar="[CLIENT]", help="look with the settings that this MCP client starts the server with"),
    ] = None,
    *,
    deep: Annotated[bool, typer.Option("--deep", help="read every byte, and mend what has rotted")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="ask no source")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="tell what is as it should be, too")] = False,
    as_json: AsJson = False,
) -> int:
    """Look settings, clients, disk, encoder, source and index over.

    The exit code is 1 when there is a problem and it stays; warnings and notes are none. With --deep every blob is
    hashed; one that has rotted is set aside and, where a source is configured, fetched again alone. Nothing else is
    changed.

    With --json: `findings`, each with `area`, `level` (ok, note, warning, problem), a stable `code`, `what` was found
    and a `hint` what to do; `set_aside`, in the same form; `directory`.
    """
    from pycontextify.library.workspace import Workspace

    if client is not None:
        settings = _settings_of(client, settings)
    workspace = Workspace(settings)
    mended, index = _index(workspace, deep=deep, offline=offline)
    findings = [*_around(workspace, offline=offline), *index]
    if as_json:
        document = {
            "directory": str(settings.index_dir),
            "findings": [finding.to_json() for finding in findings],
            "set_aside": [finding.to_json() for finding in mended],
        }
        print(json.dumps(document, indent=2))
    else:
        print(f"directory: {one_line(str(settings.index_dir))}")
        for finding in mended:
            print(f"set aside: {one_line(finding.what)}")
        for line in _lines(findings, verbose=verbose, deep=deep):
            print(line)
    return 1 if any(finding.level == "problem" for finding in findings) else 0


def _settings_of(client: str, settings: Settings) -> Settings:
    """Return what a server that the client starts would go by; ``settings`` are the command line's."""
    from pycontextify.library.clients.entry import given_by
    from pycontextify.library.clients.found import look_around, this_machine

    if flags := [origin.written for origin in settings.origins.values() if origin.layer == "flag"]:
        raise ConfigError(
            "a client has settings of its own", code="usage", asset=flags[0], hint="leave out one of them"
        )
    # A project's file goes before the user's own, as clients have it.
    places = [each for each in look_around(this_machine(), shutil.which) if each.client.name == client and each.entries]
    if not places:
        hint = "`pycontextify install` tells which clients start one"
        raise ConfigError("no such client starts this server", code="usage", asset=one_line(client), hint=hint)
    name, entry = min(places[-1].entries.items())
    arguments, environ = given_by(entry)
    flags_given = serve_flags(spelled_out(arguments))
    if flags_given is None:
        what = f"{name!r} in {places[-1].file} starts something else than a server"
        raise ConfigError(what, code="usage", asset=client, hint=f"`pycontextify install {client}` writes it anew")
    return load_settings(flags_given, os.environ | environ)


def _index(workspace: Workspace, *, deep: bool, offline: bool) -> tuple[Sequence[Finding], Sequence[Finding]]:
    """Look the index over; return what was set aside of it, and what is found then."""
    from pycontextify.library.doctor.finding import Finding
    from pycontextify.library.doctor.index import examine, set_aside
    from pycontextify.library.hydrating import hydrate
    from pycontextify.library.source import configured_source

    findings = examine(workspace, deep=deep)
    mended = set_aside(workspace, findings) if deep else ()
    if mended and not offline and configured_source(workspace.settings) is not None:
        with suppress(PyContextifyError):  # what is found of the source says why
            anyio.run(hydrate, workspace)
        findings = examine(workspace, deep=True)
    sound = Finding("index_sound", f"every blob is {'as published' if deep else 'there'}, and it opens", level="ok")
    return mended, findings or (sound,)


def _around(workspace: Workspace, *, offline: bool) -> Iterator[Finding]:
    """Yield what is found of all but the index itself."""
    from pycontextify.library.clients.found import this_machine
    from pycontextify.library.doctor.clients import examine_clients
    from pycontextify.library.doctor.disk import examine_disk
    from pycontextify.library.doctor.encoder import examine_encoder
    from pycontextify.library.doctor.settings import examine_settings
    from pycontextify.library.doctor.source import SourceReport, examine_source

    source = SourceReport() if offline else anyio.run(examine_source, workspace)
    yield from examine_settings(workspace.settings)
    yield from examine_clients(this_machine(), shutil.which)
    yield from examine_disk(workspace.settings, source.needed)
    yield from examine_encoder(workspace)
    yield from source.findings


def _lines(findings: Sequence[Finding], *, verbose: bool, deep: bool) -> Iterator[str]:
    """Yield a line for each finding that matters, by area, the worst of it last; and one for the whole."""
    from pycontextify.library.doctor.finding import AREAS, LEVELS

    for area in AREAS:
        told = [finding for finding in findings if finding.area == area and (verbose or finding.level != "ok")]
        if told:
            yield f"{area}:"
        for finding in sorted(told, key=lambda each: LEVELS.index(each.level)):
            hint = f"; {one_line(finding.hint)}" if finding.hint else ""
            yield f"  {finding.level:<7}  {finding.code}: {one_line(finding.what)}{hint}"
    counts = {level: sum(finding.level == level for finding in findings) for level in LEVELS}
    bad = [count(counts[level], level) for level in ("problem", "warning") if counts[level]]
    whole = "" if deep else " at first sight of the index; --deep reads it all"
    yield " and ".join(bad) if bad else f"nothing is wrong{whole}"
