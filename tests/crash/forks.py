"""A process that has imported everything and forks one child for each run, so that a run costs no start.

``python -m tests.crash.forks`` reads lines ``ACT HOME`` and answers each with the child's process number; the child
waits, stopped, until it is continued, so that strace can take hold of it. Then it answers with the child's exit status.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path

import anyio
import anyio.lowlevel

from pycontextify.errors import PyContextifyError
from tests.crash.stage import ACTS

__all__ = ["ELSEWHERE", "FAILED", "REFUSED", "main"]

REFUSED, FAILED, ELSEWHERE = 1, 70, 71
"""Exit codes: an error of ours, as it should be; anything else; and a fault that has hit a file which is none of ours.

(strace counts calls for each thread, so the n-th call may be that of another thread, which reads a library, say.)
"""


def main() -> None:
    """Fork until the input ends."""
    anyio.run(anyio.lowlevel.checkpoint)  # loads what a first loop loads
    for line in sys.stdin:
        act, home = line.rstrip("\n").split(" ", 1)
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
            os._exit(_run(act, Path(home)))
        print(child, flush=True)  # noqa: T201 - the answer
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - the answer


def _run(act: str, home: Path) -> int:
    try:
        ACTS[act].run(home)
    except PyContextifyError:
        return REFUSED
    except OSError as error:
        traceback.print_exc()
        return FAILED if error.filename is None or str(home) in str(error.filename) else ELSEWHERE
    except BaseException:  # noqa: BLE001 - whatever it is, the parent is told
        traceback.print_exc()
        return FAILED
    return 0


if __name__ == "__main__":
    main()
