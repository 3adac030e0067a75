"""The tools that change the index, through the SDK's own client, in both protocol eras."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import anyio
from mcp import Client

from tests.fakes.bench import bench
from tests.fakes.engine import FakeEngine, make_view
from tests.server.reading import content_of, text_of


async def test_index_filebase_serves_what_it_indexed(era: str, tmp_path: Path) -> None:
    """The report counts files and names the skipped ones; the next search finds the new index."""
    (tmp_path / "zebra.py").write_text("def zebra(): ...", encoding="utf-8")
    async with bench(FakeEngine(source=None), roots=(tmp_path,)) as parts, Client(parts.server, mode=era) as client:
        result = await client.call_tool("index_filebase", {"path": str(tmp_path), "tags": ["mine"]})
        found = content_of(await client.call_tool("search", {"query": "zebra"}))
    report = content_of(result)["report"]
    assert (report["documents"], report["skipped"]) == (1, [{"path": "big.bin", "reason": "binary"}])
    assert text_of(result).endswith("The index holds 1 chunk of 1 document.\nskipped big.bin: binary")
    assert [hit["path"] for hit in found["results"]] == ["zebra.py"]


async def test_index_filebase_needs_an_absolute_directory(era: str, tmp_path: Path) -> None:
    """Relative to what, is a question that no client can answer; a missing directory or user is named."""
    async with bench(FakeEngine(source=None), roots=(tmp_path,)) as parts, Client(parts.server, mode=era) as client:
        relative = await client.call_tool("index_filebase", {"path": "src"})
        nobody = await client.call_tool("index_filebase", {"path": "~no-such-user/src"})
        missing = await client.call_tool("index_filebase", {"path": str(tmp_path / "no")})
    assert relative.is_error
    assert text_of(relative).endswith("(code: path_relative)")
    assert nobody.is_error
    assert text_of(nobody).endswith("(code: home_unknown)")
    assert missing.is_error
    assert text_of(missing).endswith("(code: tree_missing)")


async def test_index_filebase_stays_where_it_may(era: str, tmp_path: Path) -> None:
    """Elsewhere it answers the same for what is there and what is not, indexes nothing, and tells what to set."""
    allowed, outside = tmp_path / "allowed", tmp_path / "outside"
    allowed.mkdir()
    outside.mkdir()
    (outside / "zebra.py").write_text("def zebra(): ...", encoding="utf-8")
    (allowed / "link").symlink_to(outside)
    ways = [outside, tmp_path / "missing", allowed / ".." / "outside", allowed / "link", outside / "zebra.py", "/"]
    async with bench(FakeEngine(source=None), roots=(allowed,)) as parts, Client(parts.server, mode=era) as client:
        answers = {str(way): await client.call_tool("index_filebase", {"path": str(way)}) for way in ways}
        found = content_of(await client.call_tool("search", {"query": "zebra"}))
    for way, answer in answers.items():
        assert answer.is_error
        assert text_of(answer) == (
            f"{way}: this server may not index that; PYCONTEXTIFY_ALLOWED_ROOTS (--allowed-roots) of the server names "
            "the directories that it may index (code: path_not_allowed)"
        )
    assert found["results"] == []


async def test_index_filebase_indexes_what_was_judged(era: str, tmp_path: Path) -> None:
    """A link on the way may lead elsewhere a moment later: what is indexed is where it led when it was looked at."""
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "zebra.py").write_text("def zebra(): ...", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "first")
    indexed: list[Path] = []

    class Watched(FakeEngine):
        def index_tree(self, root: Path, **named: Any) -> Any:
            indexed.append(root)
            return super().index_tree(root, **named)

    async with bench(Watched(source=None), roots=(tmp_path,)) as parts, Client(parts.server, mode=era) as client:
        content_of(await client.call_tool("index_filebase", {"path": str(tmp_path / "link")}))
    assert indexed == [(tmp_path / "first").resolve()]


async def test_only_one_client_writes_at_a_time(era: str, tmp_path: Path) -> None:
    """While a tree is being indexed, others are told so at once, and searches go on."""
    (tmp_path / "zebra.py").write_text("def zebra(): ...", encoding="utf-8")
    began, go_on = threading.Event(), threading.Event()

    def between() -> None:
        began.set()
        go_on.wait(10)

    engine = FakeEngine(current=make_view(), needed=False, between=between)
    async with bench(engine, roots=(tmp_path,)) as parts, Client(parts.server, mode=era) as client:
        async with anyio.create_task_group() as tasks:

            async def index() -> None:
                content_of(await client.call_tool("index_filebase", {"path": str(tmp_path)}))

            tasks.start_soon(index)
            await anyio.to_thread.run_sync(began.wait, 10)
            second = await client.call_tool("index_filebase", {"path": str(tmp_path)})
            reset = await client.call_tool("reset_index", {"confirm": True})
            found = content_of(await client.call_tool("search", {"query": "queue"}))
            go_on.set()
        after = await client.call_tool("reset_index", {"confirm": True})
    assert text_of(second) == (
        "the server is busy indexing; ask again when that has ended; search goes on (code: busy)"
    )
    assert reset.is_error
    assert len(found["results"]) == 1
    assert content_of(after)["reset"] is True


async def test_indexing_is_given_up_when_the_client_gives_up(era: str, tmp_path: Path) -> None:
    """It ends at its next step, the old index stays, and the next one may write."""
    for number in range(3):
        (tmp_path / f"{number}.py").write_text("zebra", encoding="utf-8")
    began, go_on = threading.Event(), threading.Event()

    def between() -> None:
        began.set()
        go_on.wait(10)

    engine = FakeEngine(current=make_view(), needed=False, between=between)
    async with (
        bench(engine, roots=(tmp_path,)) as parts,
        Client(parts.server, mode=era) as client,
        anyio.create_task_group() as tasks,
    ):

        async def index() -> None:
            await client.call_tool("index_filebase", {"path": str(tmp_path)})

        async def go_on_later() -> None:
            await client.call_tool("status", {})  # goes after the word that the client has given up
            go_on.set()

        with anyio.CancelScope() as patience:
            async with anyio.create_task_group() as asking:
                asking.start_soon(index)
                await anyio.to_thread.run_sync(began.wait, 10)
                patience.cancel()
                tasks.start_soon(go_on_later)
        reset = await client.call_tool("reset_index", {"confirm": True})
        while reset.is_error:
            assert "busy indexing" in text_of(reset)
            reset = await client.call_tool("reset_index", {"confirm": True})
    assert content_of(reset)["generation"] == make_view().generation


async def test_reset_index_asks_first(era: str) -> None:
    """Without confirm it tells what would be lost and changes nothing."""
    view = make_view()
    async with bench(FakeEngine(current=view, needed=False)) as parts, Client(parts.server, mode=era) as client:
        await parts.at_rest()
        asked = await client.call_tool("reset_index", {})
        assert not view.closed
        done = await client.call_tool("reset_index", {"confirm": True})
        found = content_of(await client.call_tool("search", {"query": "queue"}))
    assert content_of(asked)["reset"] is False
    assert "2 chunks of 2 documents" in text_of(asked)
    answer = content_of(done)
    assert (answer["reset"], answer["generation"], answer["documents"]) == (True, view.generation, 2)
    assert view.closed
    assert parts.engine.resets == 1
    assert found["index_state"] == "empty"
