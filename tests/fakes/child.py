"""A server process for tests: the real application around a fake engine.

``python -m tests.fakes.child ENGINE [SETTING=VALUE ...]``; the engines are the functions below.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from pycontextify.config import Places, Settings, load_settings
from pycontextify.server.app import run
from pycontextify.server.parts import Engine

__all__ = ["ROOT", "Child", "child", "command", "main", "settings"]

ROOT = Path(__file__).resolve().parents[2]
_NOWHERE = Places(Path(os.devnull, "config.toml"), Path(os.devnull, "indexes"))


def command(engine: str, **flags: object) -> list[str]:
    """Return the command line of a server with this engine."""
    return [sys.executable, "-m", "tests.fakes.child", engine, *(f"{name}={value}" for name, value in flags.items())]


def settings(flags: Mapping[str, object]) -> Settings:
    """Return settings that depend on nothing of this machine."""
    return load_settings({"index_dir": str(ROOT / "no-such-index"), **flags}, {}, places=_NOWHERE)


class Child:
    """A running server process."""

    def __init__(self, process: Process) -> None:
        self.process = process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self.stdin = process.stdin
        self.stdout = BufferedByteReceiveStream(process.stdout)
        self._stderr = BufferedByteReceiveStream(process.stderr)
        self.log: list[str] = []

    async def logged(self, words: str) -> str:
        """Read the log until a line holds these words; return that."""
        while True:
            line = (await self._stderr.receive_until(b"\n", 1 << 20)).decode()
            self.log.append(line)
            if words in line:
                return line

    async def line(self) -> str:
        """Read a line of standard output."""
        return (await self.stdout.receive_until(b"\n", 1 << 20)).decode()

    async def ended(self) -> int:
        """Return the exit status; it must come within five seconds."""
        with anyio.fail_after(5):
            return await self.process.wait()


@asynccontextmanager
async def child(engine: str, **flags: object) -> AsyncIterator[Child]:
    """Run a server process for the length of a block."""
    async with await anyio.open_process(command(engine, **flags), cwd=ROOT) as process:
        try:
            yield Child(process)
        finally:
            if process.returncode is None:
                process.kill()


def _engine(name: str) -> Engine:
    # Imported here, in the worker thread that loads the engine, as the real one is.
    from tests.fakes.engine import FakeEngine, make_view

    if name == "stuck":
        threading.Event().wait()
    made: dict[str, Callable[[], FakeEngine]] = {
        "ready": lambda: FakeEngine(current=make_view(), needed=False),
        "hydrating": FakeEngine,
        "chatty": lambda: FakeEngine(current=make_view(), needed=False, between=partial(print, "stray output")),
    }
    return made[name]()


def main() -> None:
    """Serve."""
    name, *pairs = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        if name != "hydrating":
            # What tells the server that there is a local index to wait for.
            Path(directory, "index.json").touch()
        chosen = settings({"index_dir": directory, **dict(pair.split("=", 1) for pair in pairs)})
        run(chosen, load=lambda _settings: _engine(name))


if __name__ == "__main__":
    main()
