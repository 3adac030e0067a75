"""Logging: one line a record, ours at our level, others' when they warn."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from pycontextify.server.logs import OneLine, configure_logging


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Put the logging of the test run back."""
    root, own = logging.getLogger(), logging.getLogger("pycontextify")
    before = (list(root.handlers), root.level, own.level)
    yield
    root.handlers[:], level, own_level = before
    root.setLevel(level)
    own.setLevel(own_level)


def test_a_record_is_one_line() -> None:
    """A message with line ends, or a traceback, can't pass for another record."""
    stream = io.StringIO()
    configure_logging("INFO", stream)
    try:
        int("first\nsecond")
    except ValueError:
        logging.getLogger("pycontextify.test").exception("bad\r\n2026-11-22 INFO forged")
    assert stream.getvalue().count("\n") == 1
    assert "\\n2026-11-22 INFO forged" in stream.getvalue()
    assert "\\nValueError: invalid literal" in stream.getvalue()


def test_levels() -> None:
    """Ours from the level asked for, other libraries' from WARNING."""
    stream = io.StringIO()
    configure_logging("INFO", stream)
    logging.getLogger("pycontextify.test").info("ours")
    logging.getLogger("pycontextify.test").debug("too fine")
    logging.getLogger("uvicorn.error").info("theirs")
    logging.getLogger("uvicorn.error").warning("their warning")
    assert [line.split(": ", 1)[1] for line in stream.getvalue().splitlines()] == ["ours", "their warning"]


def test_time_is_utc_and_sortable() -> None:
    """As in 2026-11-22T10:00:00.000Z."""
    record = logging.LogRecord("n", logging.INFO, "f", 1, "m", None, None)
    record.created, record.msecs = 1_795_341_600.0, 0.0
    assert OneLine().format(record) == "2026-11-22T10:00:00.000Z INFO n: m"
