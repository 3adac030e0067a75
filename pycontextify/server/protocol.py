"""Tools on the wire: schemas, checks of arguments, and errors as answers."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Sequence
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
)
from mcp_types import Tool as Listed
from pydantic import BaseModel, ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from pycontextify._version import __version__
from pycontextify.errors import PyContextifyError
from pycontextify.server.tools import Tool

__all__ = ["build_server"]

_log = logging.getLogger(__name__)
_INSTRUCTIONS = (
    "Semantic search over the code and documents that were indexed for this project. Call search first when you look "
    "for something. If its index_state is warming, the index is still being fetched: go on and ask again later."
)


def build_server(tools: Sequence[Tool[Any]]) -> Server[dict[str, Any]]:
    """Return an MCP server, for any transport, that offers these tools."""
    by_name = {tool.name: tool for tool in tools}
    listed = [_listed(tool) for tool in tools]
    schemas = {each.name: each.input_schema for each in listed}

    async def on_list_tools(_context: Any, _params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=listed)

    async def on_call_tool(context: ServerRequestContext[Any, Any], params: CallToolRequestParams) -> CallToolResult:
        tool = by_name.get(params.name)
        if tool is None:
            raise MCPError(code=INVALID_PARAMS, message=f"there is no tool {params.name!r}; {', '.join(by_name)} are")
        return await _call(tool, params.arguments or {}, context)

    return Server(
        "pycontextify",
        version=__version__,
        title="PyContextify",
        instructions=_INSTRUCTIONS,
        get_tool_input_schema=schemas.get,
        on_list_tools=on_list_tools,
        on_call_tool=on_call_tool,
    )


async def _call(tool: Tool[Any], arguments: dict[str, Any], context: ServerRequestContext[Any, Any]) -> CallToolResult:
    async def report(reached: float, words: str) -> None:
        await context.session.report_progress(reached, 100.0, words)

    try:
        asked = tool.takes.model_validate(arguments)
    except ValidationError as error:
        takes = ", ".join(tool.takes.model_fields) or "no arguments"
        return _failure(f"{_wrong_arguments(error)}; {tool.name} takes {takes}", "arguments_invalid")
    try:
        reply = await tool.call(asked, report)
    except PyContextifyError as error:
        _log.info("%s failed: %s (code: %s)", tool.name, error, error.code)
        return _failure(str(error), error.code)
    except Exception:  # noqa: BLE001 - the boundary to the client, who is told no more than that
        _log.exception("%s failed unexpectedly", tool.name)
        return _failure("something went wrong in the server; its log on stderr says what", "internal_error")
    return CallToolResult(
        content=[TextContent(type="text", text=reply.text)], structured_content=reply.content, is_error=reply.failed
    )


def _failure(message: str, code: str) -> CallToolResult:
    content = TextContent(type="text", text=f"{message} (code: {code})")
    return CallToolResult(content=[content], is_error=True, _meta={"pycontextify/code": code})


def _wrong_arguments(error: ValidationError) -> str:
    """Name every argument that is wrong, and how; not its value, which is the caller's own."""
    wrong = (f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}" for each in error.errors())
    return "; ".join(wrong)


class _Plain(GenerateJsonSchema):
    """JSON schema without the titles that pydantic makes from names: every client's model reads these schemas."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False


def _listed(tool: Tool[Any]) -> Listed:
    return Listed(
        name=tool.name,
        title=tool.title,
        description=inspect.getdoc(tool.call),
        input_schema=_schema(tool.takes, "validation"),
        output_schema=_schema(tool.gives, "serialization"),
        annotations=tool.hints,
    )


def _schema(model: type[BaseModel], mode: JsonSchemaMode) -> dict[str, Any]:
    schema = model.model_json_schema(mode=mode, schema_generator=_Plain)
    for part in (schema, *schema.get("$defs", {}).values()):
        part.pop("title", None)
        part.pop("description", None)
    return schema
