"""How long a client may keep a connection waiting: raw sockets against the real server, with short clocks.

Clocks that must run out are short, the others so long that they can't, so no test depends on how fast this machine is.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from pycontextify.server.bind import address_of, bind
from pycontextify.server.connection import Limits
from pycontextify.server.listen import Listener
from pycontextify.server.routes import build_app
from tests.fakes.bench import Bench, bench
from tests.fakes.engine import FakeEngine, make_view

SOON = 0.2
PATIENT = Limits(head=60, body=60, reply=60)
HEAD = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
ASK = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
TOKEN = "0123456789abcdef" * 4


class Talk:
    """One connection."""

    def __init__(self, stream: SocketStream) -> None:
        self.stream = stream

    async def say(self, *parts: bytes) -> None:
        """Send these bytes."""
        for part in parts:
            await self.stream.send(part)

    async def heard(self) -> bytes:
        """Return all that comes until the server closes."""
        got = b""
        with anyio.fail_after(20):
            try:
                while True:
                    got += await self.stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return got

    async def answer(self) -> bytes:
        """Return one answer of a few bytes, with its end."""
        got = b""
        with anyio.fail_after(20):
            while b"}" not in got:
                got += await self.stream.receive()
        return got


class Host:
    """A server that listens, and ways to reach it."""

    def __init__(self, parts: Bench, url: str, stack: AsyncExitStack, stop: Callable[[], None]) -> None:
        self.parts = parts
        self.stop = stop
        self._port = urlsplit(url).port or 0
        self._stack = stack

    async def talk(self, **options: Any) -> Talk:
        """Open a connection."""
        return Talk(await self._stack.enter_async_context(await anyio.connect_tcp("127.0.0.1", self._port, **options)))

    async def deaf(self, request: bytes) -> socket.socket:
        """Send a request on a connection that takes in no more than the system does by itself: little."""
        raw = self._stack.enter_context(socket.socket())
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self._port))
        await asyncio.get_running_loop().sock_sendall(raw, request)
        return raw


@asynccontextmanager
async def hosting(limits: Limits, engine: FakeEngine | None = None, *, token: str | None = None) -> AsyncIterator[Host]:
    """A server with these limits."""
    engine = engine or FakeEngine(current=make_view(), needed=False)
    async with bench(engine) as parts, anyio.create_task_group() as tasks, AsyncExitStack() as stack:
        await parts.at_rest()
        taken = await bind("127.0.0.1", 0)
        listener = Listener(build_app(parts.server, parts.desk, bound="127.0.0.1", token=token), taken, limits)
        tasks.start_soon(listener.run)
        yield Host(parts, address_of(taken), stack, listener.stop)
        listener.stop()


async def test_who_says_nothing_is_closed() -> None:
    """Without a word: there is no request to answer."""
    async with hosting(replace(PATIENT, head=SOON)) as host:
        assert await (await host.talk()).heard() == b""


@pytest.mark.parametrize("beginning", [b"G", b"GET /livez HTTP/1.1\r\n", ASK[:-2]])
async def test_who_does_not_finish_a_request_is_told_and_closed(beginning: bytes) -> None:
    """408, as RFC 9110 has it, with a code of ours."""
    async with hosting(replace(PATIENT, head=SOON)) as host:
        talk = await host.talk()
        await talk.say(beginning)
        heard = await talk.heard()
    assert heard.startswith(b"HTTP/1.1 408 ")
    assert b'"request_too_slow"' in heard


async def test_a_header_a_byte_at_a_time_is_no_way_to_stay() -> None:
    """The clock is for the whole of it, and no byte winds it up again."""
    async with hosting(replace(PATIENT, head=SOON)) as host:
        talk = await host.talk()

        async def drip() -> None:
            await talk.say(ASK[:-2])
            with suppress(anyio.BrokenResourceError):
                while True:
                    await talk.say(b"x: y\r\n")
                    await anyio.sleep(SOON / 10)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(drip)
            heard = await talk.heard()
            tasks.cancel_scope.cancel()
    # Bytes that come after the end may cost the client the answer; the end they do not put off.
    assert heard == b"" or heard.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "beginning",
    [
        HEAD + b"Content-Length: 100\r\n\r\n",
        HEAD + b"Content-Length: 100\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
        ASK.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\nab"),
    ],
)
async def test_who_does_not_finish_a_body_is_told_and_closed(beginning: bytes) -> None:
    """On every route, whether it has a use for bodies or not."""
    async with hosting(replace(PATIENT, body=SOON)) as host:
        talk = await host.talk()
        await talk.say(beginning)
        heard = await talk.heard()
    assert heard.startswith(b"HTTP/1.1 408 ")
    assert b'"request_too_slow"' in heard
    assert heard.count(b"HTTP/1.1") == 1


async def test_who_was_refused_may_not_stay_either() -> None:
    """The answer is there already; the rest of the body is not awaited for longer than any other."""
    async with hosting(replace(PATIENT, body=SOON), token=TOKEN) as host:
        talk = await host.talk()
        await talk.say(HEAD, b"Content-Length: 100\r\n\r\n{")
        heard = await talk.heard()
    assert heard.startswith(b"HTTP/1.1 401 ")
    assert heard.count(b"HTTP/1.1") == 1


async def test_a_slow_body_that_comes_in_time_is_answered() -> None:
    """A pause is no offence; nor does the next request suffer from the one before."""
    async with hosting(PATIENT) as host:
        talk = await host.talk()
        for _ in range(2):
            await talk.say(HEAD + b"Content-Length: 4\r\n\r\n", b"nu")
            await anyio.sleep(0.01)
            await talk.say(b"ll")
            assert (await talk.answer()).startswith(b"HTTP/1.1 4")
            await talk.say(ASK[:9])
            await anyio.sleep(0.01)
            await talk.say(ASK[9:])
            assert (await talk.answer()).startswith(b"HTTP/1.1 200 ")


async def test_an_answer_may_take_longer_than_a_request() -> None:
    """The clocks are the client's: while we work, and while a stream stands open, none runs."""
    limits = replace(PATIENT, head=SOON, body=SOON)
    async with hosting(limits) as host:
        talk = await host.talk()
        await talk.say(_posted({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": _HANDSHAKE}))
        opened = await talk.answer()
        session = opened.lower().split(b"mcp-session-id: ")[1].split(b"\r\n")[0]
        stream = await host.talk()
        await stream.say(
            b"GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nMcp-Session-Id: "
            + session
            + b"\r\n\r\n"
        )
        begun = await stream.stream.receive()
        assert begun.startswith(b"HTTP/1.1 200 ")
        with anyio.move_on_after(SOON * 3) as waiting:
            await stream.heard()
        assert waiting.cancelled_caught


async def test_who_does_not_take_an_answer_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    """Its rest does not lie about for ever, and other clients are answered meanwhile."""
    passages = {f"{number}.py": "queue " * 200_000 for number in range(5)}
    engine = FakeEngine(current=make_view(passages), needed=False)
    caplog.set_level("INFO", "pycontextify")
    async with hosting(replace(PATIENT, reply=SOON), engine) as host:
        call = {"name": "search", "arguments": {"query": "queue"}, "_meta": _META}
        await host.deaf(_posted({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}, modern=True))
        other = await host.talk()
        await other.say(ASK)
        assert (await other.answer()).startswith(b"HTTP/1.1 200 ")
        with anyio.fail_after(20):
            while "not taken in time" not in caplog.text:
                await anyio.sleep(0.01)


async def test_more_connections_than_that_are_told_so_and_many_more_are_not_heard() -> None:
    """Idle ones count: each is a file that we have open. When some leave, others are served."""
    async with hosting(replace(PATIENT, connections=3, spare=2)) as host:
        idle = [await host.talk() for _ in range(3)]
        for talk in idle:
            await talk.say(ASK)
            assert (await talk.answer()).startswith(b"HTTP/1.1 200 ")
        crowd = [await host.talk() for _ in range(2)]
        for talk in crowd:
            await talk.say(ASK)
            assert (await talk.heard()).startswith(b"HTTP/1.1 503 ")
        crowd = [await host.talk() for _ in range(2)]
        unheard = await host.talk()
        assert await unheard.heard() == b""
        for talk in (*idle, *crowd):
            await talk.stream.aclose()
        answer = b""
        with anyio.fail_after(20):
            while not answer.startswith(b"HTTP/1.1 200 "):
                talk = await host.talk()
                with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                    await talk.say(ASK)
                    answer = await talk.answer()


async def test_answers_go_out_at_once() -> None:
    """No connection waits for an acknowledgement before it sends the rest of an answer: that would cost 40 ms each."""
    async with bench(FakeEngine()) as parts, anyio.create_task_group() as tasks:
        taken = await bind("127.0.0.1", 0)
        listener = Listener(build_app(parts.server, parts.desk, bound="127.0.0.1", token=None), taken, PATIENT)
        tasks.start_soon(listener.run)
        async with await anyio.connect_tcp("127.0.0.1", taken.getsockname()[1]) as stream:
            await Talk(stream).say(ASK)
            await Talk(stream).answer()
            (connection,) = listener._server.server_state.connections
            accepted = connection.transport.get_extra_info("socket")
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        listener.stop()


async def test_who_is_halfway_through_a_request_does_not_hold_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """When the server ends, they are told and closed at once, and nothing is logged as an error."""
    async with hosting(PATIENT) as host:
        talks = [await host.talk() for _ in range(3)]
        await talks[0].say(ASK[:9])
        await talks[1].say(HEAD + b"Content-Length: 100\r\n\r\n{")
        last = await host.talk()
        await last.say(ASK)
        await last.answer()
        host.stop()
        heard = [await talk.heard() for talk in (*talks, last)]
    assert heard[1].startswith(b"HTTP/1.1 408 ")
    assert heard[0] == heard[2] == heard[3] == b""
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_headers_without_end_are_refused() -> None:
    """Before they take up memory."""
    async with hosting(PATIENT) as host:
        talk = await host.talk()
        await talk.say(ASK[:-2])
        with anyio.fail_after(20), suppress(anyio.BrokenResourceError):
            for _ in range(1000):
                await talk.say(b"x: " + b"y" * 1000 + b"\r\n")
        heard = await talk.heard()
    assert heard == b"" or heard.startswith(b"HTTP/1.1 400 ")


async def test_slow_clients_hold_no_thread() -> None:
    """With many of them halfway through a search, on the way in, others search as ever."""
    body = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call"'
    async with hosting(PATIENT) as host:
        for _ in range(50):
            talk = await host.talk()
            await talk.say(HEAD, b"Content-Length: 1000\r\n\r\n", body)
        call = {"name": "search", "arguments": {"query": "queue"}, "_meta": _META}
        quick = await host.talk()
        await quick.say(_posted({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}, modern=True))
        assert b"queue.py" in await quick.answer()


async def test_a_connection_that_breaks_takes_its_clocks_along() -> None:
    """A reset in the middle of a request is the end of it: nothing is written to it later."""
    async with hosting(replace(PATIENT, body=SOON)) as host:
        talk = await host.talk()
        await talk.say(HEAD + b"Content-Length: 100\r\n\r\n")
        raw = talk.stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - anyio's, not Django's
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await talk.stream.aclose()
        await anyio.sleep(SOON * 2)
        other = await host.talk()
        await other.say(ASK)
        assert (await other.answer()).startswith(b"HTTP/1.1 200 ")


_HANDSHAKE: dict[str, Any] = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "raw", "version": "1"},
}
_META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def _posted(message: dict[str, Any], *, modern: bool = False) -> bytes:
    body = json.dumps(message).encode()
    lines = [b"Accept: application/json, text/event-stream", b"Content-Length: %d" % len(body)]
    if modern:
        lines += [b"MCP-Protocol-Version: 2026-07-28", b"Mcp-Method: tools/call", b"Mcp-Name: search"]
    return HEAD + b"\r\n".join(lines) + b"\r\n\r\n" + body
