"""``pycontextify backup`` and ``restore``: a copy of the index directory, hard-linked where the disk can do that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pycontextify.cli.flags import COMMON, EMBEDDING
from pycontextify.cli.verbs import AsJson, verb
from pycontextify.config import Settings
from pycontextify.server.words import size

__all__ = ["BACKUP_EXAMPLES", "RESTORE_EXAMPLES", "backup", "restore"]

BACKUP_EXAMPLES = ("pycontextify backup /srv/backup/index",)
RESTORE_EXAMPLES = (
    "pycontextify restore /srv/backup/index",
    "pycontextify restore /srv/backup/index --ref previous",
)


@verb(COMMON, interrupted="the backup is as it was; the same command goes on from there")
def backup(
    settings: Settings, path: Annotated[Path, typer.Argument(help="directory of the backup")], as_json: AsJson = False
) -> None:
    """Copy every generation into another index directory.

    Servers and other writers go on meanwhile. Done again, only what is new is added.
    """
    from pycontextify.library.backup import back_up
    from pycontextify.library.workspace import Workspace

    report = back_up(Workspace(settings).layout, path)
    if as_json:
        print(json.dumps(report.to_json(), indent=2))
    else:
        print(f"Backed up {', '.join(report.refs)}: {size(report.size)}, {size(report.size_added)} new.")


@verb(COMMON | EMBEDDING, interrupted="what is current has not changed")
def restore(
    settings: Settings,
    path: Annotated[Path, typer.Argument(help="directory of a backup, or of any published index")],
    ref: Annotated[str | None, typer.Option(help="a ref, a digest or its beginning (default: current)")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a generation of a backup the current one here. Running servers notice within two seconds."""
    from pycontextify.library.backup import restore as restore_from
    from pycontextify.library.workspace import Workspace

    view = restore_from(Workspace(settings), path, ref)
    generation, version = view.generation, view.config.version
    view.close()
    if as_json:
        print(json.dumps({"generation": generation, "version": version}, indent=2))
    else:
        print(f"Current is generation {generation.short}, version {version}.")
