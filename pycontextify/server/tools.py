"""The tools: what each is called, says of itself, takes, does and answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

from mcp_types import ToolAnnotations
from pydantic import BaseModel

from pycontextify.index.model import Query
from pycontextify.server.answers import (
    DiscoverAnswer,
    IndexFilebaseAnswer,
    RehydrateAnswer,
    ResetIndexAnswer,
    RollbackAnswer,
    SearchAnswer,
    StatusAnswer,
)
from pycontextify.server.arguments import (
    Arguments,
    IndexFilebaseArguments,
    NoArguments,
    RehydrateArguments,
    ResetIndexArguments,
    RollbackArguments,
    SearchArguments,
)
from pycontextify.server.desk import Desk
from pycontextify.server.document import standing, status_document
from pycontextify.server.progress import Report
from pycontextify.server.text import indexed_text, overview_text, rehydrated_text, search_text, status_text
from pycontextify.server.words import count

__all__ = ["Reply", "Tool", "tools"]

A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a tool answers: the structured content and the text. ``failed`` marks it as an error for the model."""

    content: dict[str, Any]
    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Tool(Generic[A]):
    """One tool. The docstring of ``call`` is its description; the models give its schemas."""

    name: str
    title: str
    takes: type[A]
    gives: type[BaseModel]
    call: Callable[[A, Report], Awaitable[Reply]]
    hints: ToolAnnotations


def tools(desk: Desk) -> tuple[Tool[Any], ...]:
    """Return every tool of a server."""
    own = _Tools(desk)
    reads = ToolAnnotations(read_only_hint=True, open_world_hint=False)
    adds = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
    fetches = adds.model_copy(update={"open_world_hint": True})
    goes_back = adds.model_copy(update={"idempotent_hint": False})
    forgets = adds.model_copy(update={"destructive_hint": True})
    return (
        Tool("search", "Search code and documents", SearchArguments, SearchAnswer, own.search, reads),
        Tool("discover", "See what is indexed", NoArguments, DiscoverAnswer, own.discover, reads),
        Tool("status", "Status of index and hydration", NoArguments, StatusAnswer, own.status, reads),
        Tool("rehydrate", "Fetch the index again", RehydrateArguments, RehydrateAnswer, own.rehydrate, fetches),
        Tool(
            "index_filebase",
            "Index a directory",
            IndexFilebaseArguments,
            IndexFilebaseAnswer,
            own.index_filebase,
            adds,
        ),
        Tool("rollback", "Go back to an earlier index", RollbackArguments, RollbackAnswer, own.rollback, goes_back),
        Tool("reset_index", "Forget the index", ResetIndexArguments, ResetIndexAnswer, own.reset_index, forgets),
    )


class _Tools:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def search(self, asked: SearchArguments, _report: Report) -> Reply:
        """Find passages of the indexed code and documents by meaning and by words.

        Use it before reading files, when you do not know where something is. Answers with path, lines and the passage
        itself, best first. While the index is still being fetched (index_state "warming") it answers at once without
        results and says when to ask again: that does not mean that nothing matches.
        """
        query = Query(asked.query, asked.limit, asked.mode, tuple(asked.tags or ()), asked.path, asked.language)
        answer, situation = await self._desk.search(query)
        state = standing(situation, self._desk.now())
        results = [asdict(hit) for hit in answer.hits]
        return Reply({**asdict(state), "results": results}, search_text(answer, state))

    async def discover(self, _asked: NoArguments, _report: Report) -> Reply:
        """Tell what is indexed: trees, languages and tags, with how many documents each has.

        Use it to choose the filters of search.
        """
        overview, situation = await self._desk.overview()
        state, facts = standing(situation, self._desk.now()), situation.facts
        content = {
            **asdict(state),
            "version": None if facts is None else facts.config.version,
            "encoder": None if facts is None else facts.config.encoder.id,
            "chunks": overview.chunks,
            "documents": overview.documents,
            "trees": dict(overview.trees),
            "languages": dict(overview.languages),
            "tags": dict(overview.tags),
        }
        return Reply(content, overview_text(overview, situation, state))

    async def status(self, _asked: NoArguments, _report: Report) -> Reply:
        """Tell how the server is: health, which index is served, and what hydration (fetching the index) is doing.

        Poll it to follow a hydration. The same document is at the HTTP route /status.
        """
        situation, now = await self._desk.situation(), self._desk.now()
        document = status_document(situation, now)
        return Reply(document, status_text(situation, document["health"], standing(situation, now)))

    async def rehydrate(self, asked: RehydrateArguments, report: Report) -> Reply:
        """Fetch the index from its configured source now; what is served goes on being served meanwhile.

        Joins a hydration that is already running. With wait=true it reports progress and answers when that has ended;
        otherwise it answers at once, and status tells how it goes.
        """
        situation = await self._desk.rehydrate(wait=asked.wait, report=report)
        now = self._desk.now()
        history, state = situation.hydration.history, standing(situation, now)
        outcome = history[0].result if asked.wait and history else "started"
        message = rehydrated_text(outcome, situation, state)
        content = {**asdict(state), "message": message, "outcome": outcome, "hydration": situation.hydration.to_json()}
        return Reply(content, message, failed=outcome == "failed")

    async def index_filebase(self, asked: IndexFilebaseArguments, report: Report) -> Reply:
        """Index a directory of code and documents on the server's machine, and search it from then on.

        Honours .gitignore. Unchanged files are not embedded again, so calling it after every change is cheap. Reports
        progress, and lists every file that it had to skip with the reason.
        """
        done = await self._desk.index_tree(asked.path, tuple(asked.tags or ()), asked.tree, report)
        text = indexed_text(done)
        return Reply({"message": text.splitlines()[0], "report": done.to_json()}, text)

    async def rollback(self, asked: RollbackArguments, _report: Report) -> Reply:
        """Go back to an earlier generation of the index: the one before, or the one that is named.

        What is gone back from is not fetched again by itself until the source has a newer one; rehydrate fetches it.
        """
        situation = await self._desk.roll_back(asked.to)
        state, facts = standing(situation, self._desk.now()), situation.facts
        version = None if facts is None else facts.config.version
        content = {**asdict(state), "version": version}
        return Reply(content, f"Serving version {version} again. {state.message}")

    async def reset_index(self, asked: ResetIndexArguments, _report: Report) -> Reply:
        """Forget the whole index, on disk and in memory. Without confirm=true it only tells what would be lost."""
        facts = (await self._desk.situation()).facts
        content: dict[str, Any] = {
            "reset": asked.confirm,
            "generation": None if facts is None else facts.generation,
            "chunks": 0 if facts is None else facts.chunks,
            "documents": 0 if facts is None else facts.documents,
        }
        extent = f"{count(content['chunks'], 'chunk')} of {count(content['documents'], 'document')}"
        if asked.confirm:
            await self._desk.reset()
            message = f"The index is empty now; forgotten: {extent}."
        else:
            message = f"Nothing was changed. This would forget {extent}; call it with confirm=true to do so."
        return Reply({**content, "message": message}, message)
