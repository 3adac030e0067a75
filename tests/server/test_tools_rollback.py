"""The tool ``rollback``, and what other processes do, through the SDK's own client, in both protocol eras."""

from __future__ import annotations

import threading
from pathlib import Path

import anyio
import anyio.to_thread
from mcp import Client

from pycontextify.errors import StoreError
from tests.fakes.bench import bench
from tests.fakes.engine import FakeEngine, make_view
from tests.server.reading import content_of, text_of


async def test_rollback_serves_the_one_before(era: str) -> None:
    """At once, and says which version that is; the next search is answered by it."""
    engine = FakeEngine(current=make_view(version=2), earlier=make_view({"old.py": "queue"}, version=1), needed=False)
    async with bench(engine) as parts, Client(parts.server, mode=era) as client:
        await parts.at_rest()
        result = await client.call_tool("rollback", {})
        found = content_of(await client.call_tool("search", {"query": "queue"}))
    assert engine.earlier is not None
    answer = content_of(result)
    assert (answer["version"], answer["generation"]) == (1, engine.earlier.generation)
    assert text_of(result).startswith("Serving version 1 again. Searching 1 chunk of 1 document")
    assert [hit["path"] for hit in found["results"]] == ["old.py"]


async def test_rollback_passes_on_what_is_named(era: str) -> None:
    """A ref, a digest or its beginning."""
    engine = FakeEngine(current=make_view(version=2), earlier=make_view(), needed=False)
    async with bench(engine) as parts, Client(parts.server, mode=era) as client:
        await parts.at_rest()
        content_of(await client.call_tool("rollback", {"to": "local"}))
    assert engine.wanted == ["local"]


async def test_rollback_without_anything_before_is_an_error(era: str) -> None:
    """What is served stays."""
    engine = FakeEngine(current=make_view(version=2), needed=False)
    async with bench(engine) as parts, Client(parts.server, mode=era) as client:
        await parts.at_rest()
        result = await client.call_tool("rollback", {})
        status = content_of(await client.call_tool("status", {}))
    assert result.is_error
    assert text_of(result) == "there is no generation before this one (code: no_generation)"
    assert status["index"]["version"] == 2


async def test_rollback_waits_for_no_other_writer(era: str, tmp_path: Path) -> None:
    """While a tree is being indexed it is told so."""
    (tmp_path / "zebra.py").write_text("def zebra(): ...", encoding="utf-8")
    began, go_on = threading.Event(), threading.Event()

    def between() -> None:
        began.set()
        go_on.wait(10)

    engine = FakeEngine(current=make_view(), earlier=make_view(), needed=False, between=between)
    async with (
        bench(engine, roots=(tmp_path,)) as parts,
        Client(parts.server, mode=era) as client,
        anyio.create_task_group() as tasks,
    ):

        async def index() -> None:
            content_of(await client.call_tool("index_filebase", {"path": str(tmp_path)}))

        tasks.start_soon(index)
        await anyio.to_thread.run_sync(began.wait, 10)
        result = await client.call_tool("rollback", {})
        go_on.set()
    assert result.is_error
    assert text_of(result).endswith("(code: busy)")


async def test_the_tool_says_what_it_does(era: str) -> None:
    """It changes what is served and destroys nothing; its one argument may be left out."""
    async with bench(FakeEngine(source=None)) as parts, Client(parts.server, mode=era) as client:
        (tool,) = [tool for tool in (await client.list_tools()).tools if tool.name == "rollback"]
    assert tool.annotations is not None
    assert (tool.annotations.read_only_hint, tool.annotations.destructive_hint) == (False, False)
    assert "until the source has a newer one" in (tool.description or "")
    assert "required" not in tool.input_schema


async def test_what_another_process_activates_is_served(era: str) -> None:
    """Within two seconds."""
    engine = FakeEngine(current=make_view(), needed=False)
    async with bench(engine) as parts, Client(parts.server, mode=era) as client:
        await parts.at_rest()
        engine.elsewhere = make_view(version=7)
        with anyio.fail_after(2):
            while content_of(await client.call_tool("status", {}))["index"]["version"] != 7:
                await anyio.sleep(0.02)


async def test_status_tells_the_disk_use(era: str) -> None:
    """In bytes."""
    async with bench(FakeEngine(current=make_view(), needed=False)) as parts, Client(parts.server, mode=era) as client:
        await parts.at_rest()
        status = content_of(await client.call_tool("status", {}))
    assert status["index"]["bytes_on_disk"] == 1_000_000


async def test_damage_is_told_for_as_long_as_what_was_left_is_served(era: str) -> None:
    """Search goes on with what is left; the server is degraded until something else is served."""
    view = make_view()
    engine = FakeEngine(current=view, needed=False, damaged=StoreError("a blob is missing", code="blob_missing"))
    async with bench(engine) as parts, Client(parts.server, mode=era) as client:
        await parts.at_rest()
        found = content_of(await client.call_tool("search", {"query": "queue"}))
        before = content_of(await client.call_tool("status", {}))
        content_of(await client.call_tool("rehydrate", {}))
        (await parts.fetching()).install(make_view(version=2))
        await parts.at_rest()
        after = content_of(await client.call_tool("status", {}))
    assert (found["index_state"], len(found["results"])) == ("ready", 1)
    assert before["health"]["status"] == "degraded"
    assert "a blob is missing" in before["health"]["message"]
    assert after["health"]["status"] == "ok"


async def test_damage_is_over_when_the_source_confirms_what_was_left(era: str) -> None:
    """Nothing had to be fetched, and nothing is served anew."""
    view = make_view()
    engine = FakeEngine(current=view, needed=False, damaged=StoreError("a blob is missing", code="blob_missing"))
    async with bench(engine) as parts, Client(parts.server, mode=era) as client:
        await parts.at_rest()
        content_of(await client.call_tool("rehydrate", {}))
        (await parts.fetching()).install(view)
        await parts.at_rest()
        status = content_of(await client.call_tool("status", {}))
    assert status["health"]["status"] == "ok"
