"""From the start of a process to its first answers, as a client over standard input and output sees it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.child import ROOT, Used
from benchmarks.figure import Figure, Growth, Pair
from benchmarks.figures.turns import grown, in_turn, pairs
from benchmarks.ground import Ground, Published
from tests.system.client import Client

__all__ = ["client_of", "first_answer", "first_search", "serving"]

QUERY = "read the lines of a file"
_OURS = [sys.executable, "-m", "pycontextify", "serve"]
_STARTS = 4
"""How many pairs a turn: starts differ by more from one to the next than by what is compared."""
_HELLO = [sys.executable, "-m", "benchmarks.parts.hello"]


def first_answer(ground: Ground) -> Iterator[Figure]:
    """Start to the answer to ``initialize``, with nothing indexed."""
    wall, cpu = [], []
    for turn in range(_STARTS * ground.scale.times):
        with ground.empty("nothing") as nowhere:
            commands = (serving(nowhere), _HELLO)
            if turn % 2:
                theirs, ours = map(_greeted, reversed(commands))
            else:
                ours, theirs = map(_greeted, commands)
        wall.append(Pair(ours.seconds, theirs.seconds))
        cpu.append(Pair(ours.cpu, theirs.cpu))
    against = "the SDK's own smallest server"
    yield Figure("start", "start to the first MCP answer, without an index", against, "s", tuple(wall), 1.10)
    yield Figure("start-cpu", "processor time until then", against, "s", tuple(cpu), 1.10)


def first_search(ground: Ground) -> Iterator[Figure | Growth]:
    """Start to the first search that finds something, with an index that is there already."""
    indexes = [ground.index(rows) for rows in ground.scale.sizes]
    turns = in_turn(ground.scale.times, {f"{index.rows:,}": partial(_searched, index) for index in indexes})
    small, _, large = turns
    what = f"start to the first search answer, with {large} chunks indexed"
    both = pairs(turns[large], turns[small])
    yield Figure("start-search", what, f"the same with {small}", "s", both, 1.25)
    yield grown("grow-start-search", "start to the first search answer", ground.scale, turns.values())


def serving(index_dir: Path) -> list[str]:
    """Return the command of a server of an index directory."""
    return [*_OURS, "--index-path", str(index_dir)]


@contextmanager
def client_of(command: Sequence[str]) -> Iterator[tuple[Client, int]]:
    """Start a server and greet it; lend what speaks to it, and its process id."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            client = Client(process.stdin, process.stdout)
            about = {"name": "benchmark", "version": "1"}
            client.ask("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=about)
            yield client, process.pid
        finally:
            process.kill()


def _greeted(command: Sequence[str]) -> Used:
    began = time.perf_counter()
    with client_of(command) as (_, process):
        return Used(time.perf_counter() - began, _cpu(process))


def _cpu(process: int) -> float:
    """Return how many seconds of processor all threads of a process have had (proc_pid_schedstat(5))."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def _searched(index: Published) -> float:
    """Start a server of an index; return after how many seconds a search found something."""
    began = time.perf_counter()
    with client_of(serving(index.built.root)) as (client, _):
        client.tell("notifications/initialized")
        while not client.call("search", query=QUERY)["results"]:
            time.sleep(0.005)
        return time.perf_counter() - began
