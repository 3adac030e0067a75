"""Requests of any kind, put to a whole server without a socket in between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.from_thread import start_blocking_portal
from hypothesis import strategies as st

from pycontextify.server.routes import build_app
from tests.fakes.bench import bench
from tests.fakes.engine import FakeEngine, make_view

__all__ = ["TOKEN", "Asked", "check_answer", "requests", "serving"]

TOKEN = "the-token-of-this-server"
_PAGE = ("/status", "/status.json", "/status/events", "/status/login", "/status/logout", "/status/rollback")
_ROUTES = (*_PAGE, "/metrics", "/livez", "/readyz", "/healthz", "/mcp")
_ALLOWED = frozenset({200, 202, 303, 400, 401, 403, 404, 405, 406, 408, 409, 411, 413, 415, 421})


@dataclass(frozen=True)
class Asked:
    """A request, as an ASGI server hands it on."""

    method: str
    path: str
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = field(default=b"")


_good_headers = st.sampled_from(
    [
        (b"host", b"127.0.0.1:8765"),
        (b"host", b"evil.example"),
        (b"origin", b"http://localhost"),
        (b"origin", b"http://evil.example"),
        (b"authorization", f"Bearer {TOKEN}".encode()),
        (b"authorization", b"Bearer wrong"),
        (b"accept", b"text/html"),
        (b"cookie", b"pycontextify-00000000=0"),
        (b"accept", b"application/json, text/event-stream"),
        (b"content-type", b"application/json"),
    ]
)
_any_headers = st.tuples(
    st.from_regex(rb"[a-z-]{1,12}", fullmatch=True) | st.sampled_from([b"host", b"accept", b"authorization", b"range"]),
    st.binary(max_size=40),
)
_bodies = st.binary(max_size=60) | st.sampled_from([b"{}", b"[]", b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'])

requests = st.builds(
    Asked,
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"]),
    st.sampled_from(_ROUTES) | st.text(max_size=20).map("/".__add__),
    st.binary(max_size=60),
    st.lists(_good_headers | _any_headers, max_size=6).map(tuple),
    _bodies,
)


@contextmanager
def serving() -> Iterator[Callable[[Asked], int]]:
    """Lend a function that puts a request to a server with a token, and returns the status of its answer."""
    with start_blocking_portal() as portal:
        parts = bench(FakeEngine(current=make_view(), needed=False))
        with portal.wrap_async_context_manager(parts) as running:
            app = build_app(
                running.server,
                running.desk,
                bound="127.0.0.1",
                token=TOKEN,
                metrics=running.metrics.route(running.desk),
            )

            async def ask(asked: Asked) -> int:
                return await _answer(app, asked)

            with portal.wrap_async_context_manager(_alive(app)):
                yield lambda asked: portal.call(ask, asked)


@asynccontextmanager
async def _alive(app: Any) -> AsyncIterator[None]:
    """Start an application, and end it, as an ASGI server does (the "lifespan" protocol)."""
    told, started = anyio.Event(), anyio.Event()
    messages = iter(("lifespan.startup", "lifespan.shutdown"))

    async def receive() -> dict[str, Any]:
        kind = next(messages)
        if kind == "lifespan.shutdown":
            await told.wait()
        return {"type": kind}

    async def send(message: dict[str, Any]) -> None:
        assert message["type"] in ("lifespan.startup.complete", "lifespan.shutdown.complete"), message
        started.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(app, {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
        await started.wait()
        yield
        told.set()


async def _answer(app: Any, asked: Asked) -> int:
    statuses: list[int] = []
    left = [{"type": "http.request", "body": asked.body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return left.pop() if left else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http",
        "path": asked.path,
        "raw_path": asked.path.encode("utf-8", "surrogatepass"),
        "query_string": asked.query,
        "root_path": "",
        "headers": list(asked.headers),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8765),
        "state": {},
    }
    await app(scope, receive, send)
    assert len(statuses) == 1
    return statuses[0]


def check_answer(asked: Asked, status: int) -> None:
    """Raise AssertionError unless a status is one that such a request may get: inside only by the door."""
    hosts = [value for name, value in asked.headers if name == b"host"]
    tokens = [value for name, value in asked.headers if name == b"authorization"]
    assert status in _ALLOWED, status
    if hosts != [b"127.0.0.1:8765"] and status not in (421, 413, 411, 400):
        assert hosts, status
        assert hosts[0].split(b":")[0] in (b"127.0.0.1", b"localhost", b"[::1]"), status
    if tokens != [f"Bearer {TOKEN}".encode()]:
        assert status in (401, 403, 421, 413, 411, 400), status
