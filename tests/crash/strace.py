"""Breaking one system call of a process: which there are, and the n-th of them failing, or killing the process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["FAULTS", "Point", "Runner"]

ROOT = Path(__file__).resolve().parents[2]
CALLS = (
    "openat", "write", "pwrite64", "writev", "fsync", "fdatasync", "ftruncate", "rename", "renameat", "renameat2",
    "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "utimensat",
)  # fmt: skip
FAULTS = {"KILL": "signal=SIGKILL", "ENOSPC": "error=ENOSPC", "EIO": "error=EIO"}
_LINE = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(?:\(| resumed)(.*)")
_READS = re.compile(r"O_RDONLY(?!.*O_(?:CREAT|TRUNC))")


@dataclass(frozen=True, order=True)
class Point:
    """The ``ordinal``-th time that a thread makes a system call."""

    call: str
    ordinal: int


class Runner:
    """Runs acts in forked children under strace; opened and closed by ``with``."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._forks = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.forks"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._forks.stdin is not None
        self._forks.stdin.close()
        self._forks.wait(10)
        if self._forks.stdout is not None:
            self._forks.stdout.close()

    def points(self, act: str, home: Path) -> list[Point]:
        """Run an act undisturbed; return the write-side calls that it makes below ``home``."""
        log = self._scratch / "log"
        code = self._run(act, home, ["-y", "-e", f"trace={','.join(CALLS)}", "-o", str(log)])
        assert code == 0
        counts: Counter[tuple[str, str]] = Counter()
        found: set[Point] = set()
        for line in log.read_text(errors="replace").splitlines():
            match = _LINE.match(line)
            if match is None or "resumed" in line.split("(", 1)[0]:
                continue
            thread, call, arguments = match.groups()
            counts[thread, call] += 1
            if str(home) in arguments and not (call == "openat" and _READS.search(arguments)):
                found.add(Point(call, counts[thread, call]))
        return sorted(found)

    def break_at(self, act: str, home: Path, point: Point, fault: str) -> int:
        """Run an act whose call at that point fails, or kills it; return its exit code, negative for a signal."""
        inject = f"inject={point.call}:{FAULTS[fault]}:when={point.ordinal}"
        return self._run(act, home, ["-e", f"trace={point.call}", "-e", inject, "-o", os.devnull])

    def run(self, act: str, home: Path) -> int:
        """Run an act undisturbed; return its exit code."""
        return self._run(act, home, None)

    def _run(self, act: str, home: Path, options: list[str] | None) -> int:
        assert self._forks.stdin is not None
        assert self._forks.stdout is not None
        self._forks.stdin.write(f"{act} {home}\n")
        self._forks.stdin.flush()
        child = int(self._forks.stdout.readline())
        _wait_for_state(child, "tT")
        tracer = None
        if options is not None:
            tracer = subprocess.Popen(
                ["strace", "-f", "-p", str(child), *options], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
            )
            assert tracer.stderr is not None
            assert b"attached" in tracer.stderr.readline()
        os.kill(child, signal.SIGCONT)
        code = int(self._forks.stdout.readline())
        if tracer is not None:
            tracer.wait(10)
            assert tracer.stderr is not None
            tracer.stderr.close()
        return code


def _wait_for_state(process: int, states: str) -> None:
    """Wait until a process is in one of these states (proc(5))."""
    stat = Path(f"/proc/{process}/stat")
    while stat.read_text().rpartition(")")[2].split()[0] not in states:
        time.sleep(0.001)
