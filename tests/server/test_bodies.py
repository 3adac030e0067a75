"""How much a request may carry."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from pycontextify.server.arguments import SearchArguments
from pycontextify.server.bodies import LARGEST_BODY, WholeBodies

PARTS = [b"0123", b"4567", b"89"]


class Sent:
    """What goes back to the client."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    async def __call__(self, message: Any) -> None:
        """Keep it."""
        self.messages.append(dict(message))


async def ask(parts: list[bytes], *headers: tuple[bytes, bytes], leaves: bool = False) -> tuple[Sent, list[bytes]]:
    """Send a request in these parts to an application that takes ten bytes; return the answer and what it saw."""
    seen: list[bytes] = []
    taken: Iterator[tuple[int, bytes]] = iter(enumerate(parts, start=1))

    async def receive() -> Any:
        number, part = next(taken, (0, b""))
        if not number:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": leaves or number < len(parts)}

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        first, second = await receive(), await receive()
        seen.append(first["body"])
        assert not first["more_body"]
        assert second["type"] == "http.disconnect"
        await send({"type": "http.response.start", "status": 200})

    sent = Sent()
    scope = {"type": "http", "path": "/mcp", "method": "POST", "headers": list(headers)}
    await WholeBodies(app, most=10)(scope, receive, sent)
    return sent, seen


async def test_a_body_of_just_that_size_comes_in_one_piece() -> None:
    """However it was sent, with its length or without."""
    for headers in ([], [(b"content-length", b"10")]):
        sent, seen = await ask(PARTS, *headers)
        assert seen == [b"0123456789"]
        assert sent.messages[0]["status"] == 200


async def test_none_is_a_body_too() -> None:
    """As of a GET."""
    _, seen = await ask([b""])
    assert seen == [b""]


@pytest.mark.parametrize(
    ("parts", "headers"),
    [
        ([*PARTS, b"0"], []),
        ([*PARTS, b"0"], [(b"content-length", b"11")]),
        ([], [(b"content-length", b"11")]),
        ([], [(b"content-length", b"9" * 20)]),
    ],
)
async def test_one_byte_more_is_refused(parts: list[bytes], headers: list[tuple[bytes, bytes]]) -> None:
    """By what the request says of itself, before any of it is read; or else as it comes."""
    sent, seen = await ask(parts, *headers)
    assert seen == []
    assert sent.messages[0]["status"] == 413
    assert b'"code":"body_too_large"' in sent.messages[1]["body"]


async def test_an_endless_body_is_refused_early() -> None:
    """No more of it is read than fits, and a part."""
    given = 0

    async def receive() -> Any:
        nonlocal given
        given += 4
        return {"type": "http.request", "body": b"0123", "more_body": True}

    async def app(*_: Any) -> None:
        raise AssertionError("reached")

    sent = Sent()
    await WholeBodies(app, most=10)({"type": "http", "path": "/", "headers": []}, receive, sent)
    assert sent.messages[0]["status"] == 413
    assert given == 12


async def test_who_leaves_halfway_gets_no_answer() -> None:
    """And nothing behind hears of the request."""
    sent, seen = await ask(PARTS, leaves=True)
    assert (sent.messages, seen) == ([], [])


async def test_the_rest_of_the_conversation_is_left_alone() -> None:
    """The application's start and end have no body."""
    reached: list[str] = []

    async def app(scope: Any, *_: Any) -> None:
        reached.append(scope["type"])

    async def never() -> AsyncIterator[None]:
        raise AssertionError("asked for")
        yield

    await WholeBodies(app)({"type": "lifespan"}, never, never)  # type: ignore[arg-type]  # neither is called
    assert reached == ["lifespan"]


def test_the_largest_search_fits() -> None:
    """Every character of it escaped as two halves, as some writers of JSON do."""
    limits = {name: field.metadata for name, field in SearchArguments.model_fields.items()}
    longest = sum(getattr(each, "max_length", 0) or 0 for metadata in limits.values() for each in metadata)
    assert longest >= 10_000
    assert (longest + 20 * 100) * len(r"\ud83d\ude00") < LARGEST_BODY * 0.7
