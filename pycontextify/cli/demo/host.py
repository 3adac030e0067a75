"""A static host on loopback: the standard library's own web server, which knows nothing of indexes."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["RATE", "Served", "StaticHost", "static_host"]

RATE = 8_000_000
"""Bytes per second that the host gives out, over all its connections: about what a home line does."""

_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Served:
    """What a host has done: how many requests it has answered, and how many bytes of files it has sent."""

    requests: int
    size: int

    def since(self, before: Served) -> Served:
        """Return what was done in between."""
        return Served(self.requests - before.requests, self.size - before.size)


class StaticHost:
    """A host that is up. ``url`` is the address of the directory."""

    def __init__(self, url: str, meter: _Meter) -> None:
        self.url = url
        self._meter = meter

    def served(self) -> Served:
        """Return what it has done so far."""
        return Served(self._meter.requests, self._meter.sent)


class _Meter:
    """Counts, and makes senders wait so that together they keep to the rate."""

    def __init__(self) -> None:
        self.requests = 0
        self.sent = 0
        self._free_at = 0.0
        self._lock = threading.Lock()

    def request(self) -> None:
        with self._lock:
            self.requests += 1

    def send(self, size: int) -> None:
        with self._lock:
            self.sent += size
            now = time.monotonic()
            self._free_at = max(now, self._free_at) + size / RATE
            wait = self._free_at - now
        time.sleep(wait)


class _Files(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *arguments: Any, meter: _Meter, **named: Any) -> None:
        self._meter = meter
        super().__init__(*arguments, **named)

    def copyfile(self, source: BinaryIO, outputfile: BinaryIO) -> None:  # type: ignore[override]
        while block := source.read(_BLOCK):
            self._meter.send(len(block))
            outputfile.write(block)

    def log_request(self, code: object = "-", size: object = "-") -> None:  # noqa: ARG002 - the base's signature
        """Count the request, where the base class writes to stderr."""
        self._meter.request()

    def log_error(self, *_arguments: object) -> None:
        """Say nothing: a file that is not there is an answer like another."""


class _Host(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away in the middle is no news."""


@contextmanager
def static_host(directory: Path) -> Iterator[StaticHost]:
    """Serve a directory on a free port of loopback, slowed down to `RATE`, for the length of a block."""
    meter = _Meter()
    host = _Host(("127.0.0.1", 0), partial(_Files, directory=str(directory), meter=meter))
    thread = threading.Thread(target=host.serve_forever, args=(0.05,), name="static host", daemon=True)
    thread.start()
    try:
        yield StaticHost(f"http://127.0.0.1:{host.server_port}", meter)
    finally:
        host.shutdown()
        host.server_close()
        thread.join()
