"""``pycontextify rollback``: go back to an earlier generation."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pycontextify.cli.flags import COMMON, EMBEDDING
from pycontextify.cli.verbs import AsJson, verb
from pycontextify.config import Settings

__all__ = ["EXAMPLES", "rollback"]

EXAMPLES = (
    "pycontextify rollback",
    "pycontextify rollback --to 3f9a2c",
    "pycontextify rollback --to local",
)


@verb(COMMON | EMBEDDING, interrupted="what is current has not changed")
def rollback(
    settings: Settings,
    to: Annotated[str | None, typer.Option(help="a ref, a digest or its beginning (default: the one before)")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an earlier generation current again.

    Running servers notice within two seconds. What is gone back from is not fetched again by itself until the source
    has another; `status --generations` lists what there is.
    """
    from pycontextify.library.generations import roll_back
    from pycontextify.library.workspace import Workspace

    view = roll_back(Workspace(settings), to)
    generation, config = view.generation, view.config
    view.close()
    if as_json:
        print(json.dumps({"generation": generation, "version": config.version, "created": config.created}, indent=2))
    else:
        print(f"Current is generation {generation.short} again: version {config.version}, built {config.created}.")
