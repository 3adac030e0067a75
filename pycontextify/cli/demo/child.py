"""The real server, as a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pycontextify.cli.demo.checks import DemoFailed

__all__ = ["ServerChild", "server_child"]

_START_SECONDS = 60.0
_END_SECONDS = 10.0
_LISTENING = re.compile(r"listening at (http://\S+)")
_LAST_LINES = 5


@dataclass(frozen=True, slots=True)
class ServerChild:
    """A server that listens. ``command`` is how it was started, for people; ``url`` is where it listens."""

    command: str
    url: str


@contextmanager
def server_child(index_dir: Path, source: str, config: Path) -> Iterator[ServerChild]:
    """Run ``pycontextify serve`` over HTTP on a free port for the length of a block.

    ``config`` is the settings file it goes by. Raises DemoFailed when it does not come up.
    """
    arguments = ["serve", "--transport", "http", "--port", "0"]
    arguments += ["--index-path", str(index_dir), "--index-bootstrap-url", source]
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith("PYCONTEXTIFY_")}
    with subprocess.Popen(  # noqa: S603 - it is this very program
        [sys.executable, "-m", "pycontextify", *arguments, "--config", str(config)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as child:
        try:
            yield ServerChild(" ".join(["pycontextify", *arguments]), _Log(child.stderr).address())
        finally:
            _end(child)


class _Log:
    """Reads the server's log as it comes, for a pipe that nobody reads would fill up and stop the server."""

    def __init__(self, stream: IO[str] | None) -> None:
        self._lines: list[str] = []
        self._address: str | None = None
        self._settled = threading.Event()
        threading.Thread(target=self._read, args=(stream,), name="server log", daemon=True).start()

    def _read(self, stream: IO[str] | None) -> None:
        for line in stream or ():
            self._lines = [*self._lines[1 - _LAST_LINES :], line.rstrip()]
            found = _LISTENING.search(line)
            if found and self._address is None:
                self._address = found[1]
                self._settled.set()
        self._settled.set()

    def address(self) -> str:
        """Return where the server listens, once it says so."""
        in_time = self._settled.wait(_START_SECONDS)
        if self._address is None:
            why = "it ended" if in_time else f"it said no address for {_START_SECONDS:.0f} seconds"
            raise DemoFailed(f"the server did not come up, {why}; its log ends: {' / '.join(self._lines)}")
        return self._address


def _end(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
