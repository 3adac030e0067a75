"""``pycontextify index``: bring trees of the index up to date."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pycontextify.cli import said
from pycontextify.cli.flags import COMMON, EMBEDDING
from pycontextify.cli.lines import index_lines, print_result
from pycontextify.cli.screen import drawing_to, index_progress
from pycontextify.cli.verbs import AsLines, verb
from pycontextify.config import Settings
from pycontextify.errors import ConfigError

if TYPE_CHECKING:
    from pycontextify.ingest.crawl import CrawlRules
    from pycontextify.ingest.report import IndexReport

__all__ = ["EXAMPLES", "index"]

EXAMPLES = (
    "pycontextify index .",
    "pycontextify index src docs --tag v2 --exclude 'tests/'",
    "pycontextify index . --include '*.md' --dry-run",
    "pycontextify index . --index-path build/index --index-version 42 --json",
)

_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to become of every path."""

    tree: str | None
    tags: tuple[str, ...]
    rules: CrawlRules
    version: int | None

    def label(self, path: Path) -> str:
        return self.tree or path.resolve().name


@verb(
    COMMON | EMBEDDING,
    interrupted="trees that were done are kept, and what was embedded of the next; the same command goes on from there",
)
def index(
    settings: Settings,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", exists=True, help="directories or files to index")],
    *,
    tree: Annotated[
        str | None, typer.Option(metavar="LABEL", help="label of the tree, for one PATH (default: its name)")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="T", help="tag for every document; may be repeated")] = None,
    include: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="take only these, as in a .gitignore; may be repeated")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="leave these out, as in a .gitignore; may be repeated")
    ] = None,
    max_bytes: Annotated[
        int, typer.Option(metavar="BYTES", min=1, help="skip text files larger than this")
    ] = _MEBIBYTE,
    index_version: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="version of the new index, for one PATH (default: the time)")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only tell what would be indexed")] = False,
    as_json: AsLines = False,
) -> None:
    """Index code and documents, or bring the index up to date.

    Files that have not changed are not embedded again; .gitignore is honoured.
    """
    from pycontextify.ingest.crawl import CrawlRules

    for flag, value in (("--tree", tree), ("--index-version", index_version)):
        if value is not None and len(paths) > 1:
            raise ConfigError(
                f"is for one PATH, here are {len(paths)}", code="usage", asset=flag, hint="run it for each"
            )
    rules = CrawlRules(include=tuple(include or ()), exclude=tuple(exclude or ()), max_bytes=max_bytes)
    asked = _Asked(tree, tuple(tag or ()), rules, index_version)
    if dry_run:
        _preview(paths, asked, as_json=as_json)
    else:
        _index(settings, paths, asked, as_json=as_json)


def _preview(paths: list[Path], asked: _Asked, *, as_json: bool) -> None:
    from pycontextify.library.preview import preview_tree

    previews = {path: preview_tree(path, asked.rules) for path in paths}
    if as_json:
        trees = [_place(path, asked) | preview.to_json() for path, preview in previews.items()]
        print_result({"dry_run": True, "trees": trees})
        return
    for path, preview in previews.items():
        print("\n".join(said.previewed(asked.label(path), preview)))


def _index(settings: Settings, paths: list[Path], asked: _Asked, *, as_json: bool) -> None:
    from pycontextify.library.workspace import Workspace

    workspace, console = Workspace(settings), None if as_json else drawing_to(settings)
    reports: list[tuple[Path, IndexReport]] = []
    for path in paths:
        with index_progress(console, asked.label(path)) as on_progress:
            report = workspace.index_tree(
                path,
                tree=asked.tree,
                tags=asked.tags,
                rules=asked.rules,
                version=asked.version,
                on_progress=index_lines(asked.label(path)) if as_json else on_progress,
            )
        reports.append((path, report))
        if not as_json:
            print("\n".join(said.indexed(asked.label(path), report)), flush=True)
    last = reports[-1][1]
    if as_json:
        total = {name: last.to_json()[name] for name in ("generation", "version", "documents", "chunks")}
        trees = [_place(path, asked) | report.to_json() for path, report in reports]
        print_result({**total, "trees": trees})
    else:
        print(said.index_total(last))


def _place(path: Path, asked: _Asked) -> dict[str, object]:
    return {"tree": asked.label(path), "path": str(path)}
