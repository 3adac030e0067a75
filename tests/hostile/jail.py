"""A process that forks one child for each archive, which is killed when it takes more than it may.

``python -m tests.hostile.jail`` reads lines of JSON, ``[ARCHIVE, STAGING]``, and answers each with what has become of
it: a `Verdict`. It has imported everything that extraction needs, so that a child is charged for its archive alone.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pycontextify.errors import PyContextifyError
from pycontextify.hydration.extract import extract
from tests.hostile.case import NAME

__all__ = ["MEMORY", "SECONDS", "Jail", "Verdict", "jail"]

SECONDS = 5
MEMORY = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Verdict:
    """The error's type, code, asset and message, and what it took; ``type`` is empty when nothing was refused."""

    type: str = ""
    code: str = ""
    asset: str = ""
    message: str = ""
    seconds: float = 0.0
    cpu: float = 0.0
    memory: int = 0


class Jail:
    """The process, from outside."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def extract(self, archive: Path, staging: Path) -> Verdict:
        """Have an archive extracted within the bounds; raises AssertionError when the child did not survive it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(archive), str(staging)]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer.startswith("{"), f"the child ended with {answer!r}"
        return Verdict(**json.loads(answer))


@contextmanager
def jail() -> Iterator[Jail]:
    """Start the process, for the length of a block."""
    command = [sys.executable, "-m", "tests.hostile.jail"]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Jail(process)
        assert process.stdin is not None
        process.stdin.close()


def main() -> None:
    """Fork until the input ends."""
    for line in sys.stdin:
        archive, staging = map(Path, json.loads(line))
        child = os.fork()
        if child == 0:
            _confine()
            print(json.dumps(asdict(_verdict(archive, staging))), flush=True)  # noqa: T201 - the answer
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - the answer


def _confine() -> None:
    """Have the system kill this process, or refuse it memory, when it goes beyond the bounds."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        room = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (room, room))


def _verdict(archive: Path, staging: Path) -> Verdict:
    held, began = _peak(), time.monotonic()
    refusal = _refusal(archive, staging)
    return replace(refusal, seconds=time.monotonic() - began, cpu=time.process_time(), memory=_peak() - held)


def _refusal(archive: Path, staging: Path) -> Verdict:
    try:
        extract(archive, staging, name=NAME, file_name=archive.name)
    except PyContextifyError as error:
        return Verdict(type(error).__name__, error.code, error.asset or "", str(error))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent is told
        return Verdict(type(error).__name__, message=repr(error))
    return Verdict()


def _peak() -> int:
    """Return the most bytes that this process ever had in memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()
