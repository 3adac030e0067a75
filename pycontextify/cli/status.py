"""``pycontextify status``: what is in the local index directory."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

import typer

from pycontextify.cli import said
from pycontextify.cli.flags import BOOTSTRAP, COMMON, EMBEDDING
from pycontextify.cli.local import facts_of
from pycontextify.cli.verbs import AsJson, verb
from pycontextify.config import Settings
from pycontextify.errors import NotReadyError, PyContextifyError
from pycontextify.redact import one_line

__all__ = ["EXAMPLES", "status"]

EXAMPLES = (
    "pycontextify status",
    "pycontextify status --index-path build/index --json",
    "pycontextify status --generations",
)


@verb(COMMON | BOOTSTRAP | EMBEDDING, interrupted="nothing was changed")
def status(
    settings: Settings,
    generations: Annotated[bool, typer.Option("--generations", help="list the generations that are kept")] = False,
    as_json: AsJson = False,
) -> int:
    """Tell what the local index directory holds.

    In the form of the server's /status. The exit code is not 0 when the index is damaged.
    """
    if generations:
        _print_generations(settings, as_json=as_json)
        return 0
    from pycontextify.hydration.status import HydrationStatus
    from pycontextify.library.source import configured_source
    from pycontextify.library.workspace import Workspace
    from pycontextify.server.document import Situation, standing, status_document
    from pycontextify.server.text import status_text

    source = configured_source(settings)
    hydration = HydrationStatus() if source is None else HydrationStatus(state="idle", source=source.label)
    facts = fault = None
    code, now = 0, datetime.now(UTC)
    workspace = Workspace(settings)
    try:
        view = workspace.open_current()
    except PyContextifyError as error:
        code, fault = error.exit_code, f"The local index can't be opened: {error} (code: {error.code})."
    else:
        if view is not None:
            # Whether an embedding service answers shows only when it is asked.
            with suppress(NotReadyError):
                view.embed("status")
            facts = facts_of(view, degraded=view.degraded)
            view.close()
    situation = Situation(facts, hydration, fault=fault, disk=workspace.layout.disk_use())
    document = status_document(situation, now)
    if as_json:
        print(json.dumps(document, indent=2))
    else:
        print(f"directory: {one_line(str(settings.index_dir))}")
        print(status_text(situation, document["health"], standing(situation, now)))
    return code


def _print_generations(settings: Settings, *, as_json: bool) -> None:
    from pycontextify.library.generations import list_generations
    from pycontextify.library.workspace import Workspace

    found = list_generations(Workspace(settings).layout)
    if as_json:
        print(json.dumps([each.to_json() for each in found], indent=2))
        return
    for each in found:
        print(said.generation(each))
    if not found:
        print("There is no generation here yet.")
