"""What is drawn while somebody waits."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from pycontextify.cli.screen import hydration_bars, hydration_progress, index_progress, publish_progress
from pycontextify.hydration.status import AssetProgress, HydrationStatus
from pycontextify.ingest.report import IndexProgress
from pycontextify.publish.progress import PublishProgress

FETCHING = HydrationStatus(
    state="fetching",
    bytes_total=30_000_000,
    bytes_done=12_000_000,
    rate_bytes_per_second=4_000_000,
    eta_seconds=4.5,
    assets=(
        AssetProgress("segment 1 vectors", None, 20_000_000, 2_000_000, "fetching"),
        AssetProgress("segment 1 chunks", None, 10_000_000, 10_000_000, "verified"),
        AssetProgress("an [odd] name\n", None, None, 300_000, "fetching"),
    ),
)


def _terminal() -> Console:
    return Console(file=StringIO(), force_terminal=True, color_system=None, width=120, markup=False)


def _shown(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_bytes_rate_and_time_left_are_drawn() -> None:
    """A bar for each asset that is under way, none for what is there."""
    console = _terminal()
    console.print(hydration_bars(FETCHING))
    shown = _shown(console)
    assert "segment 1 vectors" in shown
    assert "2.0 of 20.0 MB" in shown
    assert "segment 1 chunks" not in shown
    assert "an [odd] name\\n" in shown
    assert "fetching 12.0 of 30.0 MB (40%), 4.0 MB/s, 5 s left" in shown


def test_hydration_is_drawn_from_the_start() -> None:
    """Before there is a status, something is there already; afterwards the cursor is back."""
    console = _terminal()
    with hydration_progress(console, lambda: None):
        pass
    assert "starting" in _shown(console)
    assert "\x1b[?25h" in _shown(console)


def test_every_stage_of_indexing_has_its_bar() -> None:
    """Scanning counts files, embedding counts passages."""
    console = _terminal()
    with index_progress(console, "docs") as on_progress:
        for progress in (
            IndexProgress("scanning", 7, 0),
            IndexProgress("embedding", 3, 12),
            IndexProgress("writing", 0, 0),
        ):
            on_progress(progress)
    assert "writing docs" in _shown(console)


def test_every_stage_of_publishing_has_its_bar() -> None:
    """In megabytes, where they can be counted."""
    console = _terminal()
    with publish_progress(console, "public") as on_progress:
        for progress in (PublishProgress("assembling", 0, 0), PublishProgress("copying", 3_000_000, 12_000_000)):
            on_progress(progress)
    assert "copying public" in _shown(console)
    assert "3.0 of 12.0 MB" in _shown(console)


def test_without_a_terminal_nothing_is_drawn() -> None:
    """The same calls are made all the same."""
    with index_progress(None, "docs") as on_progress:
        on_progress(IndexProgress("embedding", 1, 2))
    with publish_progress(None, "public") as on_publishing:
        on_publishing(PublishProgress("copying", 1, 2))
    with hydration_progress(None, lambda: FETCHING):
        pass
