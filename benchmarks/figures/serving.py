"""What goes on beside hydration, and what it takes: the event loop, searches, swaps, looking again, memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.child import ROOT, part
from benchmarks.figure import Figure, Pair
from benchmarks.figures.starting import QUERY, client_of, serving
from benchmarks.ground import Ground
from tests.system.nginx import Request

__all__ = ["lag", "latency", "memory", "refresh", "swaps"]

_MS, _US = 1e3, 1e6
_SEARCHES, _SECONDS = 20, 4
_TIMER = "an idle loop is late by what the system's timer makes of it, which differs by more from run to run"
_WORST = "the worst of thousands, which one preemption by another process decides"
_SHARED = "how the system shares two cores between a search and a hydration differs by more from run to run"
_TAIL = "the slowest hundredth of a few hundred searches differs by more from run to run"


def lag(ground: Ground) -> Iterator[Figure]:
    """How late the event loop is while it hydrates at full speed."""
    index = ground.large
    p99, worst = [], []
    for _ in range(2 * ground.scale.times):  # a mean of two would be decided by the one that was disturbed
        with ground.empty("hydrated") as directory:
            told = part("parts.lag", directory, index.url, ground.key)
        p99.append(Pair(told["busy_p99"] * _MS, told["idle_p99"] * _MS))
        worst.append(Pair(told["busy_max"] * _MS, told["idle_max"] * _MS))
    what = "lateness of the event loop while hydrating at full speed"
    yield Figure("lag-p99", f"{what}, 99th percentile", "idle", "ms", tuple(p99), most=5, unsteady=_TIMER)
    yield Figure("lag-max", f"{what}, at worst", "idle", "ms", tuple(worst), most=50, unsteady=_WORST)


def latency(ground: Ground) -> Iterator[Figure]:
    """How much longer searches take meanwhile."""
    index = ground.middle
    with ground.empty("latency") as scratch:
        told = part("parts.latency", index.built.root, scratch, index.url, ground.key, _SECONDS)
    turns = told["turns"]
    facts = {"searches": sum(turn["searches"] for turn in turns), "swaps": told["swaps"]}
    what = f"search among {index.rows:,} chunks while hydrations come in and are swapped"
    yield Figure("search-p50", f"{what}, median", "idle", "ms", _turns(turns, "p50"), unsteady=_SHARED, facts=facts)
    yield Figure(
        "search-p99", f"{what}, 99th percentile", "idle", "ms", _turns(turns, "p99"), 1.5, unsteady=_TAIL, facts=facts
    )


def _turns(turns: Sequence[dict[str, float]], share: str) -> tuple[Pair, ...]:
    return tuple(Pair(turn[f"busy_{share}"] * _MS, turn[f"idle_{share}"] * _MS) for turn in turns)


def swaps(ground: Ground) -> Iterator[Figure]:
    """What a swap costs those who search."""
    told = part("parts.swaps", ground.middle.built.root)
    during = f"during {told['swaps']} swaps under {told['searchers']} searching threads"
    held = Pair(told["held_p999"] * _US, told["held_p50"] * _US)
    worst = {"at most, µs": told["held_max"] * _US}
    yield Figure(
        "swap-lock",
        f"for how long the lock is held {during}, 99.9th percentile",
        "its median",
        "µs",
        (held,),
        most=1000,
        unsteady="whoever holds it can be made to wait for the interpreter's own lock, 5 ms at a time",
        facts=worst,
    )
    failed = (Pair(told["failed"], told["answered"]),)
    yield Figure("swap-failed", f"searches that fail {during}", "those that are answered", "", failed, most=0)
    grown = (Pair(told["after"] * 1024, told["before"] * 1024),)
    yield Figure("swap-memory", f"memory of its own {during}: after them", "before them", "B", grown, 1.02)


def refresh(ground: Ground) -> Iterator[Figure]:
    """What it takes to find that there is nothing new."""
    told, first, again = _looked_twice(ground)
    requests = (Pair(len(again), len(first)),)
    sent = (Pair(_sent(again), _sent(first)),)
    written = (Pair(told["written"], told["written_first"]),)
    facts = {"seconds": told["seconds"]}
    what, against = "when there is nothing new", "when there is"
    yield Figure("refresh-requests", f"requests {what}", against, "", requests, most=1, facts=facts)
    yield Figure("refresh-bytes", f"bytes that come {what}", against, "B", sent, most=1000)
    yield Figure("refresh-written", f"bytes written to the disk {what}", against, "B", written, most=0)


def _sent(requests: Sequence[Request]) -> int:
    return sum(request.sent for request in requests)


def _looked_twice(ground: Ground) -> tuple[Any, Sequence[Request], Sequence[Request]]:
    """Hydrate, and look again; return what the part tells, and the requests of each."""
    index, host = ground.middle, ground.host
    start = len(host.requests())
    with ground.empty("hydrated") as directory:
        command = [sys.executable, "-m", "benchmarks.parts.refresh", str(directory), index.url, ground.key]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
        ) as process:
            assert process.stderr is not None
            assert process.stderr.readline() == "hydrated\n"
            middle = len(host.requests())
            told = json.loads(process.communicate("again\n")[0])
    requests = host.requests()
    return told, requests[start:middle], requests[middle:]


def memory(ground: Ground) -> Iterator[Figure]:
    """What memory of its own a server has that answers from a large index."""
    index = ground.large
    with client_of(serving(index.built.root)) as (client, process):
        client.tell("notifications/initialized")
        for number in range(_SEARCHES):
            client.call("search", query=f"{QUERY} {number}")
        held = _anonymous(process)
    what = f"memory of its own of a server with {index.rows:,} chunks, after {_SEARCHES} searches"
    yield Figure("memory", what, "size of the index", "B", (Pair(held, index.size),), 0.15)


def _anonymous(process: int) -> int:
    """Return RssAnon in bytes (proc_pid_status(5)): what the system can't take back by dropping mapped files."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("RssAnon:")))
