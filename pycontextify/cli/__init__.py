"""The command line: one verb per module, and serving when no verb is named.

=============  ======================================================================
module         job
=============  ======================================================================
``flags``      which settings a verb takes; the straight way from argv to serving
``running``    settings, logs, errors and exit codes: the same for every verb
``verbs``      makes a function a typer command with options for its settings
``app``        all verbs together
``screen``     what is drawn on a terminal, and only there
``lines``      what programs are told on the way, with ``--json``
``said``       reports in words, for people
=============  ======================================================================

What an MCP client starts is `pycontextify`, and it waits: typer and rich are imported only when something else than
serving is asked for, or when a wrong command line must be explained. Verbs import what they work with when they run.
"""

from __future__ import annotations

import sys

from pycontextify.cli.flags import serve_flags, spelled_out, with_default_verb

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit: 0 ok, 1 failure, 2 usage, 3 rejected, 4 unreachable, 130 interrupted."""
    arguments = spelled_out(sys.argv[1:])
    flags = serve_flags(arguments)
    if flags is not None:
        from pycontextify.cli.serve import serve_with

        sys.exit(serve_with(flags))
    from pycontextify.cli.app import app

    app(with_default_verb(arguments), prog_name="pycontextify")
