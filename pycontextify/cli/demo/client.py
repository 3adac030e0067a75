"""A real MCP client: the SDK's own, over streamable HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pycontextify.cli.demo.checks import DemoFailed

if TYPE_CHECKING:
    from mcp import Client

__all__ = ["Asked", "Session", "session"]

_SECONDS = 60.0
_MOST = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and the structured answer to it."""

    query: str
    answer: dict[str, Any]

    @property
    def results(self) -> list[dict[str, Any]]:
        """What was found, best first."""
        found: list[dict[str, Any]] = self.answer["results"]
        return found

    def found(self, path: str) -> bool:
        """Tell whether a document is among what was found."""
        return any(result["path"] == path for result in self.results)


class Session:
    """What the demo asks of a server. Raises DemoFailed when a tool answers with an error."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def search(self, query: str) -> Asked:
        """Call the tool ``search``."""
        return Asked(query, await self._call("search", {"query": query, "limit": _MOST}))

    async def rehydrate(self, on_progress: Callable[[float, str], Awaitable[None]]) -> dict[str, Any]:
        """Call the tool ``rehydrate`` and wait until it has ended; progress comes in percent and words."""

        async def progressed(progress: float, _total: float | None, message: str | None) -> None:
            await on_progress(progress, message or "")

        return await self._call("rehydrate", {"wait": True}, progressed)

    async def _call(self, tool: str, arguments: dict[str, Any], on_progress: Any = None) -> dict[str, Any]:
        try:
            result = await self._client.call_tool(tool, arguments, progress_callback=on_progress)
        except Exception as error:
            raise DemoFailed(f"calling the tool {tool} failed: {type(error).__name__}: {error}") from error
        content = result.structured_content
        if result.is_error or not isinstance(content, dict):
            raise DemoFailed(f"the tool {tool} answered: {' '.join(str(part) for part in result.content)}")
        return content


@asynccontextmanager
async def session(url: str) -> AsyncIterator[Session]:
    """Connect to the server at ``url`` for the length of a block; what is raised in it comes out as it is."""
    from mcp import Client

    failure: Exception | None = None
    async with Client(f"{url}/mcp", read_timeout_seconds=_SECONDS) as client:
        try:
            yield Session(client)
        except Exception as error:  # noqa: BLE001 - raised again below, where no task group of the SDK wraps it
            failure = error
    if failure is not None:
        raise failure
