"""Every verb together, as typer sees them."""

from __future__ import annotations

from typing import Annotated

import typer

from pycontextify._version import __version__
from pycontextify.cli import (
    backup,
    config,
    demo,
    doctor,
    hydrate,
    index,
    install,
    keys,
    publish,
    rollback,
    search,
    serve,
    status,
)
from pycontextify.cli.flags import ALL
from pycontextify.cli.verbs import command, examples

__all__ = ["app"]

_EXAMPLES = (
    "pycontextify demo",
    "pycontextify index . && pycontextify search 'where is the retry policy'",
    "pycontextify --index-bootstrap-url https://example.com/index",
)

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its tables cut long flags short
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(_EXAMPLES),
)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"pycontextify {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Semantic search over code and documents for AI assistants (MCP): index once, publish, hydrate everywhere.

    Without a verb it serves. Every setting is an option, a PYCONTEXTIFY_* variable or a key of the TOML file; `config
    show` tells them all. Exit codes: 0 ok, 1 failure, 2 usage, 3 rejected, 4 unreachable, 130 interrupted.
    """


_config = typer.Typer(help="Show the settings in force.", rich_markup_mode=None)
_config.command("show", epilog=examples(config.EXAMPLES))(config.show)
_config.callback()(lambda: None)

_serve = command(ALL, serve.serve, lambda flags, _own: serve.serve_with(flags), defaults={})
app.command("serve", epilog=examples(serve.EXAMPLES))(_serve)
app.command("index", epilog=examples(index.EXAMPLES))(index.index)
app.command("install", epilog=examples(install.EXAMPLES))(install.install)
app.command("search", epilog=examples(search.EXAMPLES))(search.search)
app.command("publish", epilog=examples(publish.EXAMPLES))(publish.publish)
app.command("keygen", epilog=examples(keys.EXAMPLES))(keys.keygen)
app.command("hydrate", epilog=examples(hydrate.EXAMPLES))(hydrate.hydrate)
app.command("status", epilog=examples(status.EXAMPLES))(status.status)
app.command("rollback", epilog=examples(rollback.EXAMPLES))(rollback.rollback)
app.command("backup", epilog=examples(backup.BACKUP_EXAMPLES))(backup.backup)
app.command("restore", epilog=examples(backup.RESTORE_EXAMPLES))(backup.restore)
app.command("doctor", epilog=examples(doctor.EXAMPLES))(doctor.doctor)
app.add_typer(_config, name="config", no_args_is_help=True)
app.command("demo", epilog=examples(demo.EXAMPLES))(demo.demo)
