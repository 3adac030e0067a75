"""The tools that read, through the SDK's own client, in both protocol eras.

The client checks every structured answer against the tool's declared schema.
"""

from __future__ import annotations

import threading

import anyio
import pytest
from mcp import Client, MCPError

from pycontextify.index.model import Query
from tests.fakes.bench import bench
from tests.fakes.engine import FakeEngine, make_view
from tests.server.reading import content_of, text_of

_AT_ONCE = 8 + 64
"""Searches that run, and that wait."""


async def test_the_tools_are_listed_with_all_that_a_client_needs(era: str) -> None:
    """Name, title, description, schemas both ways and hints; only reset_index is destructive."""
    async with bench(FakeEngine(current=make_view())) as parts, Client(parts.server, mode=era) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(listed) == {"search", "discover", "status", "rehydrate", "index_filebase", "rollback", "reset_index"}
    for tool in listed.values():
        assert tool.title
        assert tool.description
        assert "\n    " not in tool.description
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema is not None
        assert tool.annotations is not None
        assert bool(tool.annotations.destructive_hint) == (tool.name == "reset_index")
    reads = {name for name, tool in listed.items() if tool.annotations and tool.annotations.read_only_hint}
    assert reads == {"search", "discover", "status"}


async def test_search_answers_with_places_and_passages(era: str) -> None:
    """Text for the model is short; the structured content has everything, and the state of the index."""
    async with bench(FakeEngine(current=make_view(), needed=False)) as parts, Client(parts.server, mode=era) as client:
        result = await client.call_tool("search", {"query": "wait_for timeout", "tags": ["old"]})
    answer = content_of(result)
    assert (answer["index_state"], answer["generation"]) == ("ready", make_view().generation)
    assert (answer["age_seconds"], answer["coverage"], answer["percent"]) == (60.0, 1.0, None)
    (hit,) = answer["results"]
    assert (hit["path"], hit["start_line"], hit["end_line"], hit["score"]) == ("tasks.py", 1, 2, 1.0)
    assert text_of(result) == "tasks.py:1-2  tasks  (1.00)\n    def wait_for(future, timeout):\n        ..."


async def test_search_finds_nothing_and_says_so(era: str) -> None:
    """An empty list comes with words, which also tell how much was searched."""
    async with bench(FakeEngine(current=make_view(), needed=False)) as parts, Client(parts.server, mode=era) as client:
        result = await client.call_tool("search", {"query": "zebra"})
    assert content_of(result)["results"] == []
    assert text_of(result).startswith("Searching 2 chunks of 2 documents")
    assert "Nothing matches" in text_of(result)


async def test_search_while_the_first_index_is_fetched_is_warming(era: str) -> None:
    """At once, with percent, time left and when to ask again; afterwards the same question is answered."""
    async with bench(FakeEngine()) as parts, Client(parts.server, mode=era) as client:
        hydrator = await parts.fetching()
        hydrator.receive(310_000)
        before = await client.call_tool("search", {"query": "wait_for"})
        hydrator.install(make_view())
        await parts.at_rest()
        after = await client.call_tool("search", {"query": "wait_for"})
    answer = content_of(before)
    assert (answer["index_state"], answer["percent"], answer["results"]) == ("warming", 31.0, [])
    assert "Ask again in" in text_of(before)
    assert content_of(after)["index_state"] == "ready"
    assert len(content_of(after)["results"]) == 1


async def test_search_before_anything_else_waits_for_the_local_index(era: str) -> None:
    """A local index is open within a second or two: its first search is answered, not sent away."""
    idle = bench(FakeEngine(current=make_view()), started=False)
    async with idle as parts, Client(parts.server, mode=era) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(parts.fill.run)
        result = await client.call_tool("search", {"query": "wait_for"})
        tasks.cancel_scope.cancel()
    assert content_of(result)["index_state"] == "ready"


async def test_search_of_nothing_is_empty(era: str) -> None:
    """Nothing configured, nothing indexed: the answer says how to fill it."""
    async with bench(FakeEngine(source=None)) as parts, Client(parts.server, mode=era) as client:
        await parts.at_rest()
        result = await client.call_tool("search", {"query": "wait_for"})
    assert content_of(result)["index_state"] == "empty"
    assert "index_filebase" in text_of(result)


async def test_search_without_encoder_is_degraded(era: str) -> None:
    """Words alone are searched, and the text says so before the results."""
    engine = FakeEngine(current=make_view(degraded="no encoder here"), needed=False)
    async with bench(engine) as parts, Client(parts.server, mode=era) as client:
        result = await client.call_tool("search", {"query": "queue"})
    assert content_of(result)["index_state"] == "degraded"
    assert text_of(result).startswith("Note: no encoder here\n\nqueue.py:1-2")


async def test_too_many_searches_at_once_are_told_to_come_again(era: str) -> None:
    """They can't pile up behind slow ones; status is told all the same, and then all is as before."""
    view = make_view()
    view.gate = threading.Event()
    async with bench(FakeEngine(current=view, needed=False)) as parts, Client(parts.server, mode=era) as client:
        await parts.at_rest()
        async with anyio.create_task_group() as tasks:
            for _ in range(_AT_ONCE):
                tasks.start_soon(parts.desk.search, Query("queue"))
            while view.searched == 0:
                await anyio.sleep(0.001)
            refused = await client.call_tool("search", {"query": "queue"})
            status = content_of(await client.call_tool("status", {}))
            view.gate.set()
        found = content_of(await client.call_tool("search", {"query": "queue"}))
    assert text_of(refused) == (
        "too many requests are waiting for an answer already; ask again in a moment (code: busy)"
    )
    assert refused.is_error
    assert status["health"]["status"] == "ok"
    assert len(found["results"]) == 1


async def test_wrong_arguments_are_named(era: str) -> None:
    """The answer says which, why, and what the tool takes; it does not repeat their values."""
    async with bench(FakeEngine()) as parts, Client(parts.server, mode=era) as client:
        result = await client.call_tool("search", {"query": "secret", "limit": 99, "lang": "secret"})
    assert result.is_error
    assert "limit: " in text_of(result)
    assert "lang: Extra inputs are not permitted" in text_of(result)
    assert "search takes query, limit" in text_of(result)
    assert text_of(result).endswith("(code: arguments_invalid)")
    assert "secret" not in text_of(result)


async def test_an_unknown_tool_is_a_protocol_error(era: str) -> None:
    """It names those that there are."""
    async with bench(FakeEngine()) as parts, Client(parts.server, mode=era) as client:
        with pytest.raises(MCPError, match="search"):
            await client.call_tool("serch", {})


async def test_an_unexpected_failure_tells_the_client_nothing_of_it(era: str) -> None:
    """What went wrong inside is for the log."""
    view = make_view()
    view.config = None  # type: ignore[assignment]  # breaks what reads it
    async with bench(FakeEngine(current=view, needed=False)) as parts, Client(parts.server, mode=era) as client:
        result = await client.call_tool("search", {"query": "queue"})
    assert result.is_error
    assert text_of(result) == "something went wrong in the server; its log on stderr says what (code: internal_error)"


async def test_discover_tells_what_there_is(era: str) -> None:
    """Trees, languages and tags, with counts of documents."""
    async with bench(FakeEngine(current=make_view(), needed=False)) as parts, Client(parts.server, mode=era) as client:
        result = await client.call_tool("discover", {})
    answer = content_of(result)
    assert (answer["trees"], answer["languages"]) == ({"fake": 2}, {"python": 2})
    assert answer["tags"] == {"old": 2, "small": 2}
    assert (answer["version"], answer["encoder"], answer["chunks"]) == (1, "fake-encoder", 2)
    assert "trees: fake (2)" in text_of(result)


async def test_status_gives_the_document(era: str) -> None:
    """The structured content is the document itself; the text is its gist."""
    async with bench(FakeEngine(current=make_view(), needed=False)) as parts, Client(parts.server, mode=era) as client:
        await parts.at_rest()
        result = await client.call_tool("status", {})
    document = content_of(result)
    assert document["health"]["status"] == "ok"
    assert document["index"]["generation"] == make_view().generation
    assert document["hydration"]["state"] == "idle"
    assert text_of(result).startswith("ok: Searching 2 chunks of 2 documents")
    assert "hydration: idle from https://host/index" in text_of(result)
