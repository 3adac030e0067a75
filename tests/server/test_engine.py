"""The real engine: index directory, FAISS, SQLite and the default encoder, as the server uses them."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.to_thread
from mcp import Client

from pycontextify.hydration.status import HydrationStatus, unheard
from pycontextify.index.live import LiveIndex
from pycontextify.index.model import Query
from pycontextify.library.workspace import Workspace
from pycontextify.server.desk import Desk
from pycontextify.server.engine import LocalEngine, load_engine
from pycontextify.server.fill import Fill
from pycontextify.server.parts import Searchable
from pycontextify.server.protocol import build_server
from pycontextify.server.tools import tools
from tests.encoder.service import Reply, embeddings, running_service
from tests.fakes.bench import NOW
from tests.fakes.child import settings
from tests.server.reading import content_of, text_of

ZEBRA = "# Zebras\n\nA zebra is a horse with stripes.\n"
TEAPOT = "# Teapots\n\nA teapot is a vessel for brewing tea.\n"


def write(root: Path, name: str, text: str) -> Path:
    """Put a file into a directory; return the directory."""
    root.mkdir(exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")
    return root


def engine(index: Path, *, persist: bool = True) -> LocalEngine:
    """An engine for an index directory."""
    return load_engine(settings({"index_dir": str(index), "auto_persist": str(persist).lower()}))


def best(view: Searchable, text: str) -> str:
    """The path that answers best."""
    return view.search(Query(text)).hits[0].path


def test_what_is_indexed_is_current_and_can_be_opened_again(tmp_path: Path) -> None:
    """And a second tree is laid beside the first."""
    first = engine(tmp_path / "index")
    assert first.open_best() == (None, None)
    write(tmp_path / "animals", "zebra.md", ZEBRA)
    write(tmp_path / "kitchen", "pot.md", TEAPOT)
    for tree in ("animals", "kitchen"):
        _, view = first.index_tree(tmp_path / tree, tags=(), tree=None, base=None, progress=lambda _: None)
        view.close()
    current, _ = engine(tmp_path / "index").open_best()
    assert current is not None
    assert (best(current, "striped horse"), best(current, "something to make tea in")) == ("zebra.md", "pot.md")
    assert current.overview().trees == {"animals": 1, "kitchen": 1}
    current.close()


def test_without_auto_persist_the_next_run_goes_on_from_what_is_served(tmp_path: Path) -> None:
    """It is served, but the index directory stays as it was."""
    passing = engine(tmp_path / "index", persist=False)
    _, view = passing.index_tree(
        write(tmp_path / "animals", "zebra.md", ZEBRA), tags=("a",), tree=None, base=None, progress=lambda _: None
    )
    view.close()
    _, both = passing.index_tree(
        write(tmp_path / "kitchen", "pot.md", TEAPOT), tags=(), tree=None, base=view.generation, progress=lambda _: None
    )
    assert both.overview().trees == {"animals": 1, "kitchen": 1}
    assert passing.open_best() == (None, None)
    both.close()


def test_it_tells_which_generations_there_are(tmp_path: Path) -> None:
    """None before there is an index; then those that are kept, the current one first."""
    own = engine(tmp_path / "index")
    assert own.generations() == ()
    for name, text in (("zebra.md", ZEBRA), ("pot.md", TEAPOT)):
        tree = write(tmp_path / "tree", name, text)
        own.index_tree(tree, tags=(), tree=None, base=None, progress=lambda _: None)[1].close()
    assert [(each.refs, each.documents, each.whole) for each in own.generations()] == [
        (("current",), 2, True),
        (("previous",), 1, True),
    ]


def test_reset_forgets_everything(tmp_path: Path) -> None:
    """And the same tree can be indexed again."""
    own = engine(tmp_path / "index")
    animals = write(tmp_path / "animals", "zebra.md", ZEBRA)
    for _ in range(2):
        _, view = own.index_tree(animals, tags=(), tree=None, base=None, progress=lambda _: None)
        own.reset()
        assert best(view, "zebra") == "zebra.md", "what is being read stays readable"
        view.close()
        assert own.open_best() == (None, None)


async def test_hydration_without_a_source_is_disabled_and_ends(tmp_path: Path) -> None:
    """There is nothing to wait for."""
    own = await anyio.to_thread.run_sync(engine, tmp_path / "index")
    live: LiveIndex[Searchable] = LiveIndex()
    hydration = own.hydration(live, unheard)
    assert hydration.status.state == "disabled"
    await hydration.run()


async def test_a_client_indexes_and_searches(era: str, tmp_path: Path) -> None:
    """The whole server but for the transport, with nothing replaced."""
    write(tmp_path / "animals", "zebra.md", ZEBRA)
    chosen = await anyio.to_thread.run_sync(settings, {"index_dir": str(tmp_path / "index")})
    live: LiveIndex[Searchable] = LiveIndex()
    fill = Fill(live, lambda: LocalEngine(Workspace(chosen)), HydrationStatus(), local=False)
    server = build_server(tools(Desk(live, fill, roots=(tmp_path,), now=lambda: NOW)))
    async with anyio.create_task_group() as tasks, Client(server, mode=era) as client:
        tasks.start_soon(fill.run)
        indexed = await client.call_tool("index_filebase", {"path": str(tmp_path / "animals"), "tags": ["stripes"]})
        found = await client.call_tool("search", {"query": "striped horse", "tags": ["stripes"]})
        reset = await client.call_tool("reset_index", {"confirm": True})
        empty = await client.call_tool("search", {"query": "striped horse"})
        blobs = await anyio.to_thread.run_sync(Workspace(chosen).layout.blob_files)
        tasks.cancel_scope.cancel()
    assert blobs == []
    assert not indexed.is_error, indexed
    assert not reset.is_error, reset
    assert found.structured_content is not None
    assert empty.structured_content is not None
    assert found.structured_content["index_state"] == "ready"
    assert found.structured_content["results"][0]["path"] == "zebra.md"
    assert empty.structured_content["index_state"] == "empty"


async def test_links_out_of_the_tree_are_not_followed(era: str, tmp_path: Path) -> None:
    """Neither to a file nor to a directory, by whatever is allowed: what lies outside can't be found by any word."""
    write(tmp_path / "animals", "zebra.md", ZEBRA)
    write(tmp_path / "private", "secret.md", "# Secret\n\nThe password of the aquarium is swordfish.\n")
    (tmp_path / "animals" / "file.md").symlink_to(tmp_path / "private" / "secret.md")
    (tmp_path / "animals" / "tree").symlink_to(tmp_path / "private")
    (tmp_path / "animals" / "up").symlink_to("../private")
    chosen = await anyio.to_thread.run_sync(settings, {"index_dir": str(tmp_path / "index")})
    live: LiveIndex[Searchable] = LiveIndex()
    fill = Fill(live, lambda: LocalEngine(Workspace(chosen)), HydrationStatus(), local=False)
    server = build_server(tools(Desk(live, fill, roots=(tmp_path / "animals",), now=lambda: NOW)))
    async with anyio.create_task_group() as tasks, Client(server, mode=era) as client:
        tasks.start_soon(fill.run)
        done = content_of(await client.call_tool("index_filebase", {"path": str(tmp_path / "animals")}))
        asked = {"query": "swordfish aquarium password", "mode": "keyword"}
        found = content_of(await client.call_tool("search", asked))
        through = await client.call_tool("index_filebase", {"path": str(tmp_path / "animals" / "tree")})
        tasks.cancel_scope.cancel()
    reason = "a link that leads out of the tree"
    assert done["report"]["skipped"] == [{"path": path, "reason": reason} for path in ("file.md", "tree", "up")]
    assert done["report"]["documents"] == 1
    assert found["results"] == []
    assert through.is_error
    assert text_of(through).endswith("(code: path_not_allowed)")


async def test_status_knows_of_an_embedding_service_what_the_last_search_met(era: str, tmp_path: Path) -> None:
    """Degraded while the service fails, ok when it answers again."""
    write(tmp_path / "animals", "zebra.md", ZEBRA)
    with running_service() as service:
        flags = {"index_dir": str(tmp_path / "index"), "embedding_provider": "http", "embedding_model": "tiny"}
        chosen = await anyio.to_thread.run_sync(settings, {**flags, "embedding_url": service.url})
        live: LiveIndex[Searchable] = LiveIndex()
        fill = Fill(live, lambda: LocalEngine(Workspace(chosen)), HydrationStatus(), local=False)
        server = build_server(tools(Desk(live, fill, roots=(tmp_path,), now=lambda: NOW)))
        told = []
        async with anyio.create_task_group() as tasks, Client(server, mode=era) as client:
            tasks.start_soon(fill.run)
            indexed = await client.call_tool("index_filebase", {"path": str(tmp_path / "animals")})
            for answer in (lambda _body: Reply(503), embeddings):
                service.answer = answer
                await client.call_tool("search", {"query": "zebra"})
                told.append(content_of(await client.call_tool("status", {}))["health"])
            tasks.cancel_scope.cancel()
    assert not indexed.is_error, indexed
    assert [health["status"] for health in told] == ["degraded", "ok"]
    assert "the embedding endpoint answered 503" in told[0]["message"]
