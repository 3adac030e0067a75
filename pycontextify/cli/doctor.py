"""``pycontextify doctor``: what is wrong with the index directory, and what to do about it."""

from __future__ import annotations

import json
from typing import Annotated

import anyio
import typer

from pycontextify.cli.flags import BOOTSTRAP, COMMON, EMBEDDING
from pycontextify.cli.verbs import AsJson, verb
from pycontextify.config import Settings
from pycontextify.redact import one_line

__all__ = ["EXAMPLES", "doctor"]

EXAMPLES = (
    "pycontextify doctor",
    "pycontextify doctor --deep --index-bootstrap-url https://example.com/index",
)


@verb(COMMON | BOOTSTRAP | EMBEDDING, interrupted="what was set aside is fetched again by the next hydration")
def doctor(
    settings: Settings,
    deep: Annotated[bool, typer.Option("--deep", help="read every byte, and mend what has rotted")] = False,
    as_json: AsJson = False,
) -> int:
    """Look the index directory over. The exit code is 1 when something is wrong and stays so.

    With --deep every blob is hashed; one that has rotted is set aside and, where a source is configured, fetched again
    alone.
    """
    from pycontextify.library.doctor import examine, set_aside
    from pycontextify.library.hydrating import hydrate
    from pycontextify.library.source import configured_source
    from pycontextify.library.workspace import Workspace

    workspace = Workspace(settings)
    findings = examine(workspace, deep=deep)
    mended = set_aside(workspace, findings) if deep else ()
    if mended and configured_source(settings) is not None:
        anyio.run(hydrate, workspace)
        findings = examine(workspace, deep=True)
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
        for finding in findings:
            print(f"{finding.code}: {one_line(finding.what)}; {finding.hint}")
        if not findings:
            print(f"nothing is wrong with it{'' if deep else ' at first sight; --deep reads it all'}")
    return 1 if findings else 0
