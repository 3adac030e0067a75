"""``pycontextify serve``: the MCP server. Nothing here needs typer or rich, so that clients wait less."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from pycontextify.cli.running import run_verb
from pycontextify.config import Settings

__all__ = ["EXAMPLES", "serve", "serve_with"]

EXAMPLES = (
    "pycontextify --index-bootstrap-url https://example.com/index",
    "pycontextify serve --transport http --port 8765",
    "pycontextify --index-bootstrap-url https://example.com/index --index-bootstrap-mode follow",
)

_INTERRUPTED = "what has been fetched is kept, and the next start goes on from there"
_ALONE = (
    "Waiting for an MCP client on standard input. Ctrl-C ends; `pycontextify --help` tells what else there is, and "
    "`pycontextify demo` shows it."
)


def serve_with(flags: Mapping[str, object]) -> int:
    """Serve with what the command line gave, by setting name; return the exit code."""
    return run_verb(flags, serve, interrupted=_INTERRUPTED)


def serve(settings: Settings) -> None:
    """Serve MCP clients (this is what happens without a verb).

    It answers at once, and fills the index from its source in the background.
    """
    if settings.transport == "stdio" and sys.stdin is not None and sys.stdin.isatty():
        print(_ALONE, file=sys.stderr)
    from pycontextify.server.app import run

    run(settings)
