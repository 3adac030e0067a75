"""What to write into a client so that it uses this server, or one of its own with the same index. Pure."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from pycontextify.library.clients.edit import snippet
from pycontextify.library.clients.entry import http_members
from pycontextify.library.clients.table import CLIENTS, Machine

__all__ = ["Snippet", "mcp_address", "own_server", "this_server"]

_TOKEN = "TOKEN"  # noqa: S105 - what stands where people put theirs
_NAME = "pycontextify"
_SHOWN = {"cursor": "project", "vscode": "project", "codex": "user"}
"""Which file of a client is named; Claude Code has a command of its own for it."""
_NOBODYS = Machine("linux", {}, Path("~"), Path())
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
    shown = f' \\\n  {url} \\\n  --header "Authorization: Bearer {_TOKEN}"' if token else f" {url}"
    claude = f"claude mcp add --transport http {_NAME}{shown}"
    written = []
    for client in CLIENTS:
        if client.name in _SHOWN:
            place = client.project if _SHOWN[client.name] == "project" and client.project else client.user
            members = http_members(url, client, token=_TOKEN if token else None)
            text = snippet(client, _NAME, members).rstrip()
            written.append(Snippet(client.name, client.title, place(_NOBODYS).as_posix(), text))
    return (Snippet("claude", "Claude Code", "in a shell", claude), *written)


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
