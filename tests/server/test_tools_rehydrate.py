"""The tool ``rehydrate``, through the SDK's own client, in both protocol eras."""

from __future__ import annotations

from itertools import pairwise

import anyio
import pytest
from mcp import Client
from mcp.types import CallToolResult

from pycontextify.errors import PermanentFetchError, StoreError
from tests.fakes.bench import TurnedSleep, bench
from tests.fakes.engine import FakeEngine, make_view
from tests.server.reading import content_of, text_of


async def test_rehydrate_returns_at_once(era: str) -> None:
    """Without wait it only starts, or joins, the attempt."""
    async with bench(FakeEngine(current=make_view(), needed=False)) as parts, Client(parts.server, mode=era) as client:
        answer = content_of(await client.call_tool("rehydrate", {}))
        hydrator = await parts.fetching()
        assert hydrator.runs == 1
    assert (answer["outcome"], answer["hydration"]["source"]) == ("started", "https://host/index")
    assert answer["message"].endswith("Call status to see how it goes.")


@pytest.mark.parametrize("name", ["url", "source", "index_bootstrap_url", "archive"])
async def test_rehydrate_takes_no_address(era: str, name: str) -> None:
    """Only the configured source is ever asked: a client can't send the server anywhere. It is told so, once."""
    arguments = {name: "http://169.254.169.254/latest/", "wait": True}
    async with bench(FakeEngine(current=make_view(), needed=False)) as parts, Client(parts.server, mode=era) as client:
        await parts.at_rest()
        result = await client.call_tool("rehydrate", arguments)
        (tool,) = [tool for tool in (await client.list_tools()).tools if tool.name == "rehydrate"]
        assert parts.engine.hydrator is not None
        assert parts.engine.hydrator.runs == 0
    assert result.is_error
    assert text_of(result) == (
        f"{name}: Extra inputs are not permitted; rehydrate takes wait (code: arguments_invalid)"
    )
    assert list(tool.input_schema["properties"]) == ["wait"]
    assert tool.input_schema["additionalProperties"] is False


async def test_rehydrate_waits_with_progress_that_strictly_increases(era: str) -> None:
    """Words and numbers follow the bytes; with nothing new a heartbeat goes out; the answer is the new index."""
    sleep, said = TurnedSleep(), anyio.Event()
    reports: list[tuple[float, float | None, str | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        reports.append((progress, total, message))
        said.set()

    async with bench(FakeEngine(current=make_view(), needed=False), sleep=sleep) as parts:
        async with Client(parts.server, mode=era) as client, anyio.create_task_group() as tasks:
            answers: list[CallToolResult] = []

            async def rehydrate() -> None:
                answers.append(await client.call_tool("rehydrate", {"wait": True}, progress_callback=on_progress))

            tasks.start_soon(rehydrate)
            hydrator = await parts.fetching()
            for done in (100_000, 100_000, 500_000):
                hydrator.receive(done)
                await sleep.turn()
            said = anyio.Event()
            for _ in range(9):
                await sleep.turn()
            await said.wait()
            hydrator.install(make_view(version=2))
        (answer,) = answers
    assert all(before[0] < after[0] for before, after in pairwise(reports))
    assert {total for _, total, _ in reports} == {100.0}
    assert any(message and message.startswith("fetching 0.5 of 1.0 MB (50%)") for _, _, message in reports)
    assert content_of(answer)["generation"] == make_view(version=2).generation
    assert content_of(answer)["outcome"] == "installed"
    assert text_of(answer).startswith("The new index is in place. Searching 2 chunks")


async def test_a_second_rehydrate_joins_the_first(era: str) -> None:
    """Two callers, one attempt; both get its result."""
    async with bench(FakeEngine(current=make_view(), needed=False)) as parts, Client(parts.server, mode=era) as client:
        answers: list[CallToolResult] = []

        async def rehydrate() -> None:
            answers.append(await client.call_tool("rehydrate", {"wait": True}))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rehydrate)
            tasks.start_soon(rehydrate)
            hydrator = await parts.fetching()
            await client.call_tool("rehydrate", {})
            hydrator.install(make_view(version=2))
        assert hydrator.runs == 1
    assert [content_of(answer)["generation"] for answer in answers] == [make_view(version=2).generation] * 2


async def test_a_client_that_gives_up_waiting_does_not_stop_the_hydration(era: str) -> None:
    """The attempt goes on and its index is served."""
    async with bench(FakeEngine(current=make_view(), needed=False)) as parts, Client(parts.server, mode=era) as client:
        async with anyio.create_task_group() as tasks:

            async def rehydrate() -> None:
                await client.call_tool("rehydrate", {"wait": True})

            tasks.start_soon(rehydrate)
            hydrator = await parts.fetching()
            tasks.cancel_scope.cancel()
        assert parts.fill.status.state == "fetching"
        hydrator.install(make_view(version=2))
        await parts.at_rest()
        answer = content_of(await client.call_tool("search", {"query": "queue"}))
    assert answer["generation"] == make_view(version=2).generation


async def test_rehydrate_that_fails_is_an_error_that_says_why(era: str) -> None:
    """The model must notice; the structured content is there all the same, and the old index is still served."""
    async with bench(FakeEngine(current=make_view(), needed=False)) as parts, Client(parts.server, mode=era) as client:
        answers: list[CallToolResult] = []

        async def rehydrate() -> None:
            answers.append(await client.call_tool("rehydrate", {"wait": True}))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rehydrate)
            hydrator = await parts.fetching()
            hydrator.fail(PermanentFetchError("not found", code="http_404", asset="https://host/index"))
        (answer,) = answers
        found = content_of(await client.call_tool("search", {"query": "queue"}))
    assert answer.is_error
    assert "http_404" in text_of(answer)
    assert isinstance(answer.structured_content, dict)
    assert answer.structured_content["outcome"] == "failed"
    assert answer.structured_content["hydration"]["last_error"]["code"] == "http_404"
    assert found["generation"] == make_view().generation


async def test_rehydrate_without_a_source_says_what_to_configure(era: str) -> None:
    """A clear error with a stable code."""
    async with bench(FakeEngine(source=None)) as parts, Client(parts.server, mode=era) as client:
        result = await client.call_tool("rehydrate", {"wait": True})
    assert result.is_error
    assert text_of(result).endswith("(code: no_source)")
    assert "PYCONTEXTIFY_INDEX_BOOTSTRAP_URL" in text_of(result)
    assert result.meta is not None
    assert result.meta["pycontextify/code"] == "no_source"


async def test_a_damaged_local_index_is_told_and_hydration_goes_on(era: str) -> None:
    """The server answers, says what is wrong, and serves what hydration brings."""
    engine = FakeEngine(damaged=StoreError("a blob is missing", code="blob_missing"))
    async with bench(engine) as parts, Client(parts.server, mode=era) as client:
        hydrator = await parts.fetching()
        warming = content_of(await client.call_tool("search", {"query": "queue"}))
        hydrator.fail(PermanentFetchError("not found", code="http_404"))
        await parts.at_rest()
        broken = content_of(await client.call_tool("status", {}))
        content_of(await client.call_tool("rehydrate", {}))
        (await parts.fetching()).install(make_view())
        await parts.at_rest()
        sound = content_of(await client.call_tool("status", {}))
    assert warming["index_state"] == "warming"
    assert broken["health"]["status"] == "degraded"
    assert "a blob is missing" in broken["health"]["message"]
    assert sound["health"]["status"] == "ok"
