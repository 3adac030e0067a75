"""Attempts made in child processes, so that what kills a child is known by its number.

1. A child says which attempt it begins with, and then what came of it.
2. When it ends in between, or says nothing for long and is killed, that attempt is the one to blame: it has failed.
3. Another child goes on with the next one. Each makes a few hundred only, within so many bytes and seconds.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["FAILED", "attempt_all"]

FAILED = "failed: "
"""What the outcome of an attempt begins with that raised something, or killed its process."""

_A_CHILD = 500
_CPU_SECONDS = 300
_MORE_MEMORY = 1 << 30
_BEGUN = "begun"


def attempt_all(attempt: Callable[[int], str], numbers: range, *, silence: float = 30.0) -> Iterator[tuple[int, str]]:
    """Yield each number with what its attempt returned, or how it failed.

    ``silence`` is how many seconds an attempt may take. Call it in a process of one thread: it forks.
    """
    while numbers:
        following = numbers.start
        for number, outcome in _in_a_child(attempt, numbers[:_A_CHILD], silence):
            yield number, outcome
            following = number + 1
        numbers = range(following, numbers.stop)


def _in_a_child(attempt: Callable[[int], str], numbers: range, silence: float) -> Iterator[tuple[int, str]]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os._exit(_child(attempt, numbers, writing))
    os.close(writing)
    begun: int | None = None
    for number, said in _sayings(reading, child, silence):
        begun = number if said == _BEGUN else None
        if begun is None:
            yield number, said
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if begun is not None:
        yield begun, f"{FAILED}the child ended with {os.waitstatus_to_exitcode(status)}"
    elif status != 0:
        raise RuntimeError(f"a child ended with {os.waitstatus_to_exitcode(status)} between two attempts")


def _sayings(pipe: int, child: int, silence: float) -> Iterator[tuple[int, str]]:
    """Yield what a child says until it ends, each line's number apart; kill it when it falls silent."""
    rest = b""
    while True:
        ready, _, _ = select.select([pipe], [], [], silence)
        if not ready:
            os.kill(child, signal.SIGKILL)
        content = os.read(pipe, 1 << 16)
        if not content:
            return
        *lines, rest = (rest + content).split(b"\n")
        for line in lines:
            number, said = line.decode().split(" ", 1)
            yield int(number), said


def _child(attempt: Callable[[int], str], numbers: range, pipe: int) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + _MORE_MEMORY,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in numbers:
        os.write(pipe, f"{number} {_BEGUN}\n".encode())
        os.write(pipe, f"{number} {_outcome(attempt, number)}\n".encode())
    return 0


def _outcome(attempt: Callable[[int], str], number: int) -> str:
    try:
        return attempt(number)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it should not have come out
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{FAILED}{type(error).__name__} {str(error)[:300]!r} at {where.name}:{where.lineno}"


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
