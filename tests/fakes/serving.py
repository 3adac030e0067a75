"""The installed console script, serving: a real process, its own home, its log in a file.

    async with serving(tmp_path, "--index-bootstrap-url", url) as server:
        await server.until(lambda status: status["health"]["ready"])

It serves over HTTP, or with ``stdio=True`` a client on a pipe, with the status routes beside it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import anyio
from anyio.abc import Process

__all__ = ["SCRIPT", "Serving", "environment", "serving"]

SCRIPT = Path(sysconfig.get_path("scripts"), "pycontextify.exe" if sys.platform == "win32" else "pycontextify")
"""The command that installing the package gives."""

_PAUSE_SECONDS = 0.01
_LOCAL = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "LOCALAPPDATA")


def environment(home: Path, **settings: str) -> dict[str, str]:
    """Return this machine's environment without its user, its proxies and its settings of ours, but with ``settings``.

    Their names are given without the prefix.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYCONTEXTIFY_") and not name.lower().endswith("_proxy")
    }
    own = {f"PYCONTEXTIFY_{name}": value for name, value in settings.items()}
    return {**kept, **{name: str(home) for name in _LOCAL}, **own}


class Serving:
    """A running server. Its status is asked for over HTTP."""

    def __init__(self, process: Process, log: Path) -> None:
        self.process = process
        self._log = log
        self._begun = log.stat().st_size
        self._url = ""

    def log(self) -> str:
        """Return what this server has logged."""
        return self._log.read_bytes()[self._begun :].decode()

    async def logged(self, words: str) -> str:
        """Wait until a line of the log holds these words; return that line."""
        while True:
            for line in self.log().splitlines():
                if words in line:
                    return line
            assert self.process.returncode is None, self.log()
            await anyio.sleep(_PAUSE_SECONDS)

    async def url(self) -> str:
        """Return the address that it listens at."""
        if not self._url:
            self._url = (await self.logged("listening at")).split("listening at ")[1].split()[0]
        return self._url

    async def status(self) -> dict[str, Any]:
        """Return the status document."""
        async with aiohttp.ClientSession() as session, session.get(f"{await self.url()}/status") as reply:
            assert reply.status == 200
            document: dict[str, Any] = await reply.json()
        return document

    async def until(self, wanted: Callable[[dict[str, Any]], bool], *, seconds: float = 60) -> dict[str, Any]:
        """Wait until the status is as wanted, and return it."""
        status: dict[str, Any] = {}
        with anyio.move_on_after(seconds):
            while True:
                status = await self.status()
                if wanted(status):
                    return status
                await anyio.sleep(_PAUSE_SECONDS)
        raise AssertionError(f"not within {seconds} s\n{status}\n{self.log()}")

    async def in_state(self, state: str) -> dict[str, Any]:
        """Wait until hydration is in a state, and return the status."""
        return await self.until(lambda status: bool(status["hydration"]["state"] == state))

    async def hydrated(self, *, seconds: float = 60) -> dict[str, Any]:
        """Wait until a generation has been installed, and return the status."""
        return await self.until(
            lambda status: any(past["result"] == "installed" for past in status["hydration"]["history"]),
            seconds=seconds,
        )

    async def leave(self, how: signal.Signals | None) -> float:
        """Send a signal, or (None) leave as a client does; return how many seconds the server took to end."""
        began = anyio.current_time()
        if how is not None:
            self.process.send_signal(how)
        else:
            assert self.process.stdin is not None
            await self.process.stdin.aclose()
        with anyio.fail_after(30):
            await self.process.wait()
        return anyio.current_time() - began


@asynccontextmanager
async def serving(
    home: Path, *flags: object, stdio: bool = False, env: Mapping[str, str] | None = None
) -> AsyncIterator[Serving]:
    """Run a server for the length of a block; its index is at ``home/index``, its log at ``home/log``.

    ``env`` are settings, by their names in the environment without the prefix.
    """
    listening = ("--http", "127.0.0.1:0") if stdio else ("--transport", "http", "--port", "0")
    command = [str(SCRIPT), "serve", *listening, "--index-path", str(home / "index"), *map(str, flags)]
    with (home / "log").open("ab") as log:
        process = await anyio.open_process(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment(home, **(env or {}))
        )
    async with process:
        try:
            yield Serving(process, home / "log")
        finally:
            if process.returncode is None:
                process.kill()
