"""Logging to stderr, one line a record: stdout belongs to the protocol."""

from __future__ import annotations

import logging
import time
from typing import TextIO

__all__ = ["OneLine", "configure_logging"]


class OneLine(logging.Formatter):
    """Time in UTC, level, logger, message; line ends inside a record are escaped, so that nobody can forge a record."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line; a traceback follows its message, folded."""
        return super().format(record).replace("\r", "\\r").replace("\n", "\\n")


def configure_logging(level: str, stream: TextIO) -> None:
    """Send our records of ``level`` and up to ``stream``, and those of libraries when they warn.

    At DEBUG, libraries tell what they do as well.
    """
    to_stream = logging.StreamHandler(stream)
    to_stream.setFormatter(OneLine())
    root = logging.getLogger()
    root.handlers[:] = [to_stream]
    root.setLevel(logging.INFO if level == "DEBUG" else logging.WARNING)
    logging.getLogger("pycontextify").setLevel(level)
