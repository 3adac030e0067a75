"""``pycontextify publish``: the index as files for a static host."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pycontextify.cli import said
from pycontextify.cli.flags import COMMON
from pycontextify.cli.verbs import AsJson, verb
from pycontextify.config import Settings
from pycontextify.errors import ConfigError
from pycontextify.redact import one_line

if TYPE_CHECKING:
    from pycontextify.publish.report import PublishReport

__all__ = ["EXAMPLES", "publish"]

EXAMPLES = (
    "pycontextify publish public/",
    "pycontextify publish --archive dist/index.tar.zst",
    "pycontextify publish --pair dist/",
)


@verb(COMMON, interrupted="what was published before is still whole; the same command goes on")
def publish(
    settings: Settings,
    directory: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR", help="publish the index here, with the encoder that it holds; copies only what is new"
        ),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="write one .zip, .tar, .tar.gz, .tgz or .tar.zst, and its .sha256"),
    ] = None,
    pair: Annotated[
        Path | None, typer.Option(metavar="DIR", help="write NAME.faiss and NAME.sqlite, each with its .sha256")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the local index as files for any static host.

    Servers hydrate from them with --index-bootstrap-url, -archive, or -faiss-url and -metadata-url.
    """
    if sum(place is not None for place in (directory, archive, pair)) != 1:
        raise ConfigError("name one place to publish to", code="usage", hint="write DIR, --archive PATH or --pair DIR")
    report = _published(settings, directory, archive, pair)
    print(json.dumps(report.to_json(), indent=2) if as_json else "\n".join(said.published(report)))
    if report.lacks is not None:
        print(f"note: {one_line(report.lacks)}", file=sys.stderr)


def _published(settings: Settings, directory: Path | None, archive: Path | None, pair: Path | None) -> PublishReport:
    from pycontextify.library.workspace import Workspace

    workspace = Workspace(settings)
    if directory is not None:
        return workspace.publish_directory(directory.absolute())
    if archive is not None:
        return workspace.publish_archive(archive.absolute())
    if pair is not None:
        return workspace.publish_pair(pair.absolute())
    raise AssertionError
