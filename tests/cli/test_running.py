"""Exit codes, and what a failure looks like."""

from __future__ import annotations

import pytest

from pycontextify.cli.running import INTERRUPTED, run_verb
from pycontextify.config import Settings
from pycontextify.errors import (
    ConfigError,
    IngestError,
    NotReadyError,
    PermanentFetchError,
    PyContextifyError,
    StoreError,
    TransientFetchError,
    ValidateError,
    VerifyError,
)

QUIET: dict[str, object] = {"index_dir": "nowhere"}
LOUD: dict[str, object] = {**QUIET, "log_level": "DEBUG"}


def _raising(error: BaseException) -> object:
    def work(_settings: Settings) -> None:
        raise error

    return work


def _run(error: BaseException, flags: dict[str, object] = QUIET) -> int:
    return run_verb(flags, _raising(error), interrupted="all is kept")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 2),
        (TransientFetchError("x"), 4),
        (PermanentFetchError("x"), 4),
        (VerifyError("x"), 3),
        (ValidateError("x"), 3),
        (StoreError("x"), 1),
        (NotReadyError("x"), 1),
        (IngestError("x"), 1),
    ],
)
def test_the_exit_code_tells_the_next_step(error: PyContextifyError, code: int) -> None:
    """Every kind of failure ends with the code that errors.py promises."""
    assert _run(error) == code


def test_a_failure_is_one_line_with_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    """What, about what, what to do, and the stable code; on stderr."""
    _run(VerifyError("differs", code="digest_mismatch", asset="a\nb", hint="publish again"))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "error: a\\nb: differs; publish again [digest_mismatch]\n"


def test_what_nobody_expected_is_a_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, and no secret that the foreign message holds."""
    assert _run(RuntimeError("GET https://me:hunter2@host/a?token=hunter2 failed")) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "unexpected RuntimeError: GET https://host/a failed" in said
    assert "--log-level DEBUG" in said
    assert "hunter2" not in said


def test_at_debug_the_traceback_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    """It is redacted like everything else, and the line stays the last."""
    _run(RuntimeError("https://me:hunter2@host/a"), LOUD)
    said = capsys.readouterr().err
    assert "Traceback (most recent call last)" in said
    assert said.splitlines()[-1] == "error: unexpected RuntimeError: https://host/a [internal]"
    assert "hunter2" not in said


def test_interrupting_says_what_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C is not a failure: one line, and the shells' own exit code."""
    assert _run(KeyboardInterrupt()) == INTERRUPTED
    assert capsys.readouterr().err == "\ninterrupted: all is kept\n"


def test_interrupting_twice_is_interrupting(capsys: pytest.CaptureFixture[str]) -> None:
    """The second Ctrl-C hits a task, and a task group wraps it."""
    assert _run(BaseExceptionGroup("tasks", [BaseExceptionGroup("more", [KeyboardInterrupt()])])) == INTERRUPTED
    assert capsys.readouterr().err == "\ninterrupted: all is kept\n"


def test_a_group_of_failures_is_unexpected(capsys: pytest.CaptureFixture[str]) -> None:
    """It is told like any other fault of ours."""
    assert _run(ExceptionGroup("tasks", [RuntimeError("x")])) == 1
    assert "unexpected ExceptionGroup" in capsys.readouterr().err


def test_a_wrong_setting_stops_before_any_work(capsys: pytest.CaptureFixture[str]) -> None:
    """The work is not begun, and the line names the flag."""
    assert _run(AssertionError("begun"), {"index_dir": "", "port": "x"}) == 2
    assert "--index-path" in capsys.readouterr().err
