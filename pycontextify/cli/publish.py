"""``pycontextify publish``: the index as files for a static host."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pycontextify.cli import said
from pycontextify.cli.flags import COMMON
from pycontextify.cli.issuing import issue_of, signer
from pycontextify.cli.lines import print_result, publish_lines
from pycontextify.cli.screen import drawing_to, publish_progress
from pycontextify.cli.verbs import AsLines, verb
from pycontextify.config import Settings
from pycontextify.errors import ConfigError
from pycontextify.redact import one_line

if TYPE_CHECKING:
    from pycontextify.publish.issue import Issue
    from pycontextify.publish.progress import OnProgress
    from pycontextify.publish.report import PublishReport

__all__ = ["EXAMPLES", "publish"]

EXAMPLES = (
    "pycontextify publish public/",
    "pycontextify publish --archive dist/index.tar.zst",
    "pycontextify publish --pair dist/",
    "pycontextify publish public/ --sign pycontextify.key --expires-in 14d",
)


@verb(COMMON, interrupted="what was published before is still whole; the same command does what is missing")
def publish(
    settings: Settings,
    *,
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
    sign: Annotated[
        Path | None,
        typer.Option(metavar="KEYFILE", help="sign it with this secret key (`pycontextify keygen`, `minisign -G`)"),
    ] = None,
    signature: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="sign it with what `minisign -S` has made elsewhere of the same manifest"),
    ] = None,
    channel: Annotated[
        str | None, typer.Option(metavar="NAME", help="publish it on this channel (default: the index's own)")
    ] = None,
    expires_in: Annotated[
        str | None, typer.Option(metavar="DURATION", help="refuse it after so long, such as 14d; publish again before")
    ] = None,
    supersede: Annotated[
        bool, typer.Option("--supersede", help="give it a new version, so that it goes before a newer one")
    ] = False,
    as_json: AsLines = False,
) -> None:
    """Write the local index as files for any static host.

    Servers hydrate from them with --index-bootstrap-url, -archive, or -faiss-url and -metadata-url.
    """
    ways = {"directory": directory, "archive": archive, "pair": pair}
    chosen = [(way, place) for way, place in ways.items() if place is not None]
    if len(chosen) != 1:
        raise ConfigError("name one place to publish to", code="usage", hint="write DIR, --archive PATH or --pair DIR")
    if signature is not None and (directory is None or sign is not None):
        raise ConfigError("--signature is for DIR, and goes without --sign", code="usage", hint="leave one out")
    signing = signer(settings, sign, signature)
    issue = issue_of(channel, expires_in, signing, supersede=supersede)
    [(way, place)] = chosen
    with publish_progress(None if as_json else drawing_to(settings), place.name) as drawn:
        report = _published(settings, way, place, issue, publish_lines() if as_json else drawn)
    if as_json:
        print_result(report.to_json())
    else:
        print("\n".join(said.published(report)))
    if report.lacks is not None:
        print(f"note: {one_line(report.lacks)}", file=sys.stderr)


def _published(settings: Settings, way: str, place: Path, issue: Issue, on_progress: OnProgress) -> PublishReport:
    from pycontextify.library.workspace import Workspace

    workspace = Workspace(settings)
    ways = {
        "directory": workspace.publish_directory,
        "archive": workspace.publish_archive,
        "pair": workspace.publish_pair,
    }
    return ways[way](place.absolute(), issue, on_progress)
