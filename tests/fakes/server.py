"""A static host that misbehaves on command.

    async with SnapshotServer(directory) as server:
        server.script("a.bin", Status(503, {"Retry-After": "2"}), Cut(after=1000))
        ...  # server.url("a.bin") answers 503, then breaks off, then serves the file

The acts (`tests.fakes.acts`) of a script are played for one request each, in order; what is beyond it is served
honestly, or as `always` says. It is a real HTTP server on a loopback port.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from aiohttp import web
from multidict import CIMultiDict

from tests.fakes.acts import Act, Honest, Stage, Status

__all__ = ["Seen", "SnapshotServer"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it arrived. ``headers`` are found by their names in any case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


class SnapshotServer:
    """Serves the files below ``root``; started and stopped by ``async with``. Paths may begin with a slash or not.

    ``requests`` lists what was asked; ``tls`` makes it an https server.
    """

    def __init__(self, root: Path, *, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Seen] = []
        self._root = root
        self._tls = tls
        self._body_bytes: Counter[str] = Counter()
        self._scripts: defaultdict[str, deque[Act]] = defaultdict(deque)
        self._rules: dict[str, Act] = {}
        self._runner: web.AppRunner | None = None
        self._port = 0

    def url(self, path: str = "", *, login: str = "", query: str = "") -> str:
        """Return the address of a path, with ``login`` (``user:password``) and ``query`` in it."""
        scheme, userinfo = "https" if self._tls else "http", f"{login}@" if login else ""
        return f"{scheme}://{userinfo}127.0.0.1:{self._port}{_rooted(path)}{f'?{query}' if query else ''}"

    def script(self, path: str, *acts: Act) -> None:
        """Play these acts for the next requests of ``path``, one each."""
        self._scripts[_rooted(path)].extend(acts)

    def always(self, path: str, act: Act) -> None:
        """Play this act for every request of ``path`` beyond its script."""
        self._rules[_rooted(path)] = act

    def hits(self, path: str) -> int:
        """Return how often ``path`` was asked for."""
        return sum(seen.path == _rooted(path) for seen in self.requests)

    def body_bytes(self, path: str) -> int:
        """Return how many bytes of bodies were sent for ``path``."""
        return self._body_bytes[_rooted(path)]

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(Seen(request.method, request.path, request.query_string, CIMultiDict(request.headers)))
        script = self._scripts[request.path]
        act = script.popleft() if script else self._rules.get(request.path, Honest())
        file = self._root.joinpath(*PurePosixPath(request.path).parts[1:])
        if isinstance(act, Honest) and (".." in file.parts or not await asyncio.to_thread(file.is_file)):
            act = Status(404)
        return await act.play(Stage(request, file, self._body_bytes))


def _rooted(path: str) -> str:
    return f"/{path.lstrip('/')}"
