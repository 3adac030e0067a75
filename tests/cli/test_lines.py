"""What programs are told on the way."""

from __future__ import annotations

import json
import time

import pytest

from pycontextify.cli.lines import hydration_lines, index_lines, print_result, publish_lines
from pycontextify.hydration.status import HydrationStatus
from pycontextify.ingest.report import IndexProgress
from pycontextify.publish.progress import PublishProgress
from tests.fakes.clock import FakeClock


def _told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_progress_comes_twice_a_second_at_most(capsys: pytest.CaptureFixture[str]) -> None:
    """However often it is reported; the first of it comes at once."""
    clock = FakeClock(0.0)
    on_progress = index_lines("docs", clock)
    for done in range(101):
        on_progress(IndexProgress("embedding", done, 100))
        clock.now += 0.01
    told = _told(capsys)
    assert [each["done"] for each in told] == [0, 50, 100]
    assert told[0] == {
        "event": "progress",
        "verb": "index",
        "tree": "docs",
        "stage": "embedding",
        "done": 0,
        "total": 100,
    }


def test_a_publication_tells_its_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the stage that it is in."""
    publish_lines()(PublishProgress("copying", 3, 7))
    assert _told(capsys) == [
        {"event": "progress", "verb": "publish", "stage": "copying", "bytes_done": 3, "bytes_total": 7}
    ]


def test_a_hydration_is_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    """Once it has begun, for as long as it goes on."""
    looks: list[HydrationStatus | None] = [None]
    with hydration_lines(lambda: looks[-1], seconds=0.01):
        time.sleep(0.1)
        looks.append(HydrationStatus(state="fetching", bytes_total=10, bytes_done=4))
        time.sleep(0.3)
    told = _told(capsys)
    assert told
    assert (told[0]["verb"], told[0]["state"], told[0]["percent"]) == ("hydrate", "fetching", 40.0)
    time.sleep(0.05)
    assert _told(capsys) == []


def test_the_result_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With what was done beside the event's name."""
    print_result({"result": "installed"})
    assert capsys.readouterr().out == '{"event": "result", "result": "installed"}\n'
