"""What is the same for every verb: settings in, an exit code out, and a failure told in one line on stderr."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping

from pycontextify.config import Settings, load_settings
from pycontextify.errors import PyContextifyError
from pycontextify.redact import one_line, redact_url
from pycontextify.server.logs import configure_logging

__all__ = ["INTERRUPTED", "VERB_LOG_LEVEL", "Work", "run_quietly", "run_verb", "verb_log_level"]

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 + SIGINT, as shells have it."""

VERB_LOG_LEVEL = "WARNING"
"""What verbs log by default; a server, which nobody watches, logs more."""

_FAILED = 1
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")
_log = logging.getLogger(__name__)

Work = Callable[[Settings], int | None]
"""What a verb does; returns the exit code, None for 0."""


def run_verb(flags: Mapping[str, object], work: Work, *, interrupted: str) -> int:
    """Load the settings, do the work, and return the exit code; failures are told on stderr.

    ``interrupted`` says after Ctrl-C what has become of the work so far.
    """
    traced = False
    try:
        # What a file is called, or holds, may not be writable in the terminal's encoding: better escaped than failing.
        for stream in (sys.stdout, sys.stderr):
            _escape_unwritable(stream)
        settings = load_settings(flags, os.environ)
        traced = settings.log_level == "DEBUG"
        code = work(settings) or 0
        sys.stdout.flush()
    except (Exception, BaseExceptionGroup, KeyboardInterrupt) as failure:  # noqa: BLE001 - the end of the line
        return _ended_by(failure, interrupted, traced=traced)
    return code


def run_quietly(work: Work) -> Work:
    """Return ``work`` for a verb that a person or a script is waiting for: its logs go to stderr, few by default."""

    def worked(settings: Settings) -> int | None:
        configure_logging(verb_log_level(settings), sys.stderr)
        for warning in settings.warnings:
            _log.warning("%s", warning)
        return work(settings)

    return worked


def verb_log_level(settings: Settings) -> str:
    """Return the level that a verb logs at: what was asked for, else warnings alone."""
    return VERB_LOG_LEVEL if settings.origins["log_level"].layer == "default" else settings.log_level


def _ended_by(failure: BaseException, interrupted: str, *, traced: bool) -> int:
    """Tell a failure as people need it, a sentence and not a stack; return the exit code."""
    match failure:
        case PyContextifyError():
            return _tell(f"{failure} [{failure.code}]", failure.exit_code, traced=traced)
        case BrokenPipeError():
            # Whoever reads has had enough, as `head` does. Python flushes stdout at its end: that must not fail too.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        case _ if _is_interruption(failure):
            print(f"\ninterrupted: {interrupted}", file=sys.stderr)
            return INTERRUPTED
        case _:
            hint = "" if traced else "; --log-level DEBUG shows where"
            what = f"unexpected {type(failure).__name__}: {_redacted(str(failure))}{hint} [internal]"
            return _tell(what, _FAILED, traced=traced)


def _is_interruption(failure: BaseException) -> bool:
    """Say whether this is Ctrl-C; the second one hits a task, and a task group wraps it."""
    wrapped = isinstance(failure, BaseExceptionGroup) and failure.subgroup(KeyboardInterrupt) is not None
    return wrapped or isinstance(failure, KeyboardInterrupt)


def _tell(message: str, code: int, *, traced: bool) -> int:
    if traced:
        print(_redacted(traceback.format_exc()), file=sys.stderr, end="")
    print(f"error: {one_line(message)}", file=sys.stderr)
    return code


def _redacted(text: str) -> str:
    """Return text of foreign origin without what addresses in it must not show."""
    return _ADDRESS.sub(lambda found: redact_url(found.group()), text)


def _escape_unwritable(stream: object) -> None:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        with contextlib.suppress(OSError, ValueError):
            reconfigure(errors="backslashreplace")
