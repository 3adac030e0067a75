"""What to write into a client so that it uses this server, or one of its own with the same index. Pure."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any

__all__ = ["Snippet", "mcp_address", "own_server", "this_server"]

_TOKEN = "TOKEN"  # noqa: S105 - what stands where people put theirs
_TOKEN_SETTING = "PYCONTEXTIFY_HTTP_TOKEN"  # noqa: S105 - the name of a setting
_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tar\.gz|tar\.zst)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of configuration: for whom, where it goes, and the text."""

    key: str
    client: str
    place: str
    text: str


def mcp_address(host: str) -> str:
    """Return where MCP is spoken, for who came here at ``host``; the page's script puts right what a proxy changes."""
    return f"http://{host}/mcp"


def this_server(host: str, *, token: bool) -> tuple[Snippet, ...]:
    """Return how clients reach the server that a browser reached at ``host``; with ``token``, where that goes."""
    url = mcp_address(host)
    headers = {"headers": {"Authorization": f"Bearer {_TOKEN}"}} if token else {}
    cursor, vscode = {"url": url, **headers}, {"type": "http", "url": url, **headers}
    claude = "claude mcp add --transport http pycontextify"
    claude += f' \\\n  {url} \\\n  --header "Authorization: Bearer {_TOKEN}"' if token else f" {url}"
    codex = f'[mcp_servers.pycontextify]\nurl = "{url}"' + f'\nbearer_token_env_var = "{_TOKEN_SETTING}"' * token
    return (
        Snippet("claude", "Claude Code", "in a shell", claude),
        Snippet("cursor", "Cursor", ".cursor/mcp.json", _json({"mcpServers": {"pycontextify": cursor}})),
        Snippet("vscode", "VS Code", ".vscode/mcp.json", _json({"servers": {"pycontextify": vscode}})),
        Snippet("codex", "Codex", "~/.codex/config.toml", codex),
    )


def own_server(source: str | None) -> tuple[Snippet, ...]:
    """Return how to start a server that hydrates from the same source; nothing where there is none.

    A pair of files is left out: its second address is in no status.
    """
    if not source or source.lower().endswith((".faiss", ".sqlite")):
        return ()
    flag = "--index-bootstrap-archive" if _ARCHIVE.search(source[-8:]) else "--index-bootstrap-url"
    started = f"pycontextify {flag} {shlex.quote(source)}"
    return (
        Snippet("serve", "A server of your own", "in a shell", started),
        Snippet("claude-own", "Claude Code, on a pipe", "in a shell", f"claude mcp add pycontextify -- {started}"),
    )


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2)
