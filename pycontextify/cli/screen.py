"""What is drawn while somebody waits: on stderr, when that is a terminal and no logs tell the same story. Else nothing.

rich honours NO_COLOR by itself, and would take FORCE_COLOR for a terminal: colours may be forced, drawing may not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pycontextify.cli.running import verb_log_level
from pycontextify.redact import one_line
from pycontextify.server.words import hydrating, megabytes

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pycontextify.config import Settings
    from pycontextify.hydration.status import AssetProgress, HydrationStatus
    from pycontextify.ingest.report import IndexProgress, OnProgress
    from pycontextify.publish.progress import OnProgress as OnPublishProgress
    from pycontextify.publish.progress import PublishProgress

__all__ = ["drawing_to", "hydration_bars", "hydration_progress", "index_progress", "paper", "publish_progress"]

_PER_SECOND = 8
_BAR_WIDTH = 28


def paper() -> Console:
    """Return standard output, to print data on: colours on a terminal, and never a line broken for its width."""
    return Console(soft_wrap=True, markup=False, highlight=False, emoji=False)


def drawing_to(settings: Settings) -> Console | None:
    """Return the terminal to draw on, None when there is none, none that can be drawn on, or when logs go there."""
    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    drawable = sys.stderr.isatty() and console.is_terminal and not console.is_dumb_terminal
    return console if drawable and verb_log_level(settings) not in ("DEBUG", "INFO") else None


@contextmanager
def index_progress(console: Console | None, what: str) -> Iterator[OnProgress]:
    """Lend what `Workspace.index_tree` reports to; it draws a bar that is gone at the end."""
    with _bars(console, what) as show:

        def on_progress(now: IndexProgress) -> None:
            amount = {"scanning": f"{now.done} files", "embedding": f"{now.done} of {now.total} passages"}
            show(now.stage, now.done, now.total, amount.get(now.stage, ""))

        yield on_progress


@contextmanager
def publish_progress(console: Console | None, what: str) -> Iterator[OnPublishProgress]:
    """Lend what `Workspace.publish_directory` and the others report to; as `index_progress`."""
    with _bars(console, what) as show:

        def on_progress(now: PublishProgress) -> None:
            amount = f"{megabytes(now.done)} of {megabytes(now.total)} MB" if now.total else ""
            show(now.stage, now.done, now.total, amount)

        yield on_progress


@contextmanager
def _bars(console: Console | None, what: str) -> Iterator[Callable[[str, int, int, str], None]]:
    if console is None:
        yield lambda _stage, _done, _total, _amount: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(_BAR_WIDTH), TextColumn("{task.fields[amount]}"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        yield _Bars(progress, one_line(what)).show


class _Bars:
    """One bar for each stage of a run, so that what is left is reckoned within the stage."""

    def __init__(self, progress: Progress, what: str) -> None:
        self._progress = progress
        self._what = what
        self._stage = "preparing"
        self._bar = progress.add_task(f"preparing {what}", total=None, amount="")

    def show(self, stage: str, done: int, total: int, amount: str) -> None:
        if stage != self._stage:
            self._progress.remove_task(self._bar)
            self._stage = stage
            # Those that an earlier run has done were not done in no time: they count for nothing in what is left.
            self._bar = self._progress.add_task(f"{stage} {self._what}", total=total or None, completed=done, amount="")
        self._progress.update(self._bar, completed=done, total=total or None, amount=amount)


@contextmanager
def hydration_progress(console: Console | None, look: Callable[[], HydrationStatus | None]) -> Iterator[None]:
    """Draw what ``look`` tells, a few times a second; gone at the end. ``look`` is called in another thread."""
    if console is None:
        yield
        return

    def draw() -> RenderableType:
        status = look()
        return Text("starting") if status is None else hydration_bars(status)

    with Live(get_renderable=draw, console=console, refresh_per_second=_PER_SECOND, transient=True):
        yield


def hydration_bars(status: HydrationStatus) -> RenderableType:
    """Return a bar for each asset that is being fetched, and a line with amount, rate and time left."""
    bars = Table.grid(padding=(0, 1))
    for asset in status.assets:
        if asset.state in ("pending", "fetching"):
            size = max(asset.size or 0, asset.done)
            bars.add_row(
                one_line(asset.name),
                ProgressBar(total=size or None, completed=asset.done, width=_BAR_WIDTH),
                _amount(asset),
            )
    return Group(bars, Text(hydrating(status)))


def _amount(asset: AssetProgress) -> str:
    return f"{megabytes(asset.done)} of {megabytes(asset.size)} MB" if asset.size else f"{megabytes(asset.done)} MB"
