"""The smallest server that the SDK's own documentation shows, over standard input and output."""

from __future__ import annotations

from mcp.server import MCPServer

__all__ = ["server"]

server = MCPServer("hello")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


if __name__ == "__main__":
    server.run()
