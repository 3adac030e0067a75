"""A client's file, before and after."""

from __future__ import annotations

import json
import tomllib

import pytest

from pycontextify.library.clients.edit import ClientFileError, entries_of, snippet, with_entry, without_entry
from pycontextify.library.clients.table import CLIENTS, Client

BY_NAME = {client.name: client for client in CLIENTS}
MEMBERS = {"command": "/opt/bin/pycontextify", "args": ["--index-bootstrap-url", "https://example.com/index"]}
ASKED = [{"type": "promptString", "id": "a-token", "description": "a token", "password": True}]

SETTINGS = """\
// My settings
{
\t"theme": "One Dark", // dark
\t"context_servers": {
\t\t/* the other one */
\t\t"other": {
\t\t\t"command": "other", // as it is
\t\t},
\t},
\t"languages": {},
}
"""

ADDED = """\
// My settings
{
\t"theme": "One Dark", // dark
\t"context_servers": {
\t\t/* the other one */
\t\t"other": {
\t\t\t"command": "other", // as it is
\t\t},
\t\t"pycontextify": {
\t\t\t"command": "/opt/bin/pycontextify",
\t\t\t"args": [
\t\t\t\t"--index-bootstrap-url",
\t\t\t\t"https://example.com/index"
\t\t\t]
\t\t},
\t},
\t"languages": {},
}
"""

CONFIG = """\
# My configuration
model = "large"  # the large one

[mcp_servers.other] # another
command = "other"
# the end
"""

CONFIGURED = """\
# My configuration
model = "large"  # the large one

[mcp_servers.other] # another
command = "other"
# the end

[mcp_servers.pycontextify]
command = "/opt/bin/pycontextify"
args = ["--index-bootstrap-url", "https://example.com/index"]
"""

NEW = """\
{
  "mcpServers": {
    "pycontextify": {
      "command": "/opt/bin/pycontextify",
      "args": [
        "--index-bootstrap-url",
        "https://example.com/index"
      ]
    }
  }
}
"""


def add(text: str, client: str) -> str:
    """Add our entry to a file of this client."""
    return with_entry(text, BY_NAME[client], "pycontextify", MEMBERS)


def remove(text: str, client: str) -> str:
    """Take it out again."""
    return without_entry(text, BY_NAME[client], "pycontextify")


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
@pytest.mark.parametrize("text", ["", "\n", "\ufeff"], ids=["missing", "empty", "only a mark"])
def test_a_file_is_begun(client: Client, text: str) -> None:
    """In the client's own form; read again, it holds the entry and nothing else."""
    made = with_entry(text, client, "pycontextify", MEMBERS)
    plain = made.removeprefix("\ufeff")
    read = tomllib.loads(plain) if client.format == "toml" else json.loads(plain)
    assert read == {client.container: {"pycontextify": MEMBERS}}
    assert made.startswith("\ufeff") is (text == "\ufeff")
    assert made.endswith("\n")
    if client.name == "cursor" and not text:
        assert made == NEW


@pytest.mark.parametrize(
    ("client", "before", "after", "mark"),
    [("zed", SETTINGS, ADDED, ""), ("zed", SETTINGS, ADDED, "\ufeff"), ("codex", CONFIG, CONFIGURED, "")],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_everything_else_stays_as_it_is(client: str, before: str, after: str, mark: str, newline: str) -> None:
    """Comments, trailing commas, tabs, line ends and a byte order mark; and taken out, the file is what it was."""
    before, after = (mark + text.replace("\n", newline) for text in (before, after))
    assert add(before, client) == after
    assert add(after, client) == after, "what is there already is not touched"
    assert remove(after, client) == before


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_an_entry_is_replaced_and_no_other(client: Client) -> None:
    """Of the same name, whatever it held."""
    others: dict[str, dict[str, object]] = {"aaa": {"command": "a"}, "zzz": {"command": "z", "env": {"K": "v"}}}
    text = with_entry("", client, "aaa", others["aaa"])
    text = with_entry(text, client, "pycontextify", {"command": "old", "env": {"A": "b"}})
    text = with_entry(text, client, "zzz", others["zzz"])
    new = with_entry(text, client, "pycontextify", MEMBERS)
    assert entries_of(new, client) == {**others, "pycontextify": MEMBERS}
    assert entries_of(without_entry(new, client, "pycontextify"), client) == others


def test_comments_behind_a_table_belong_to_the_next() -> None:
    """They stay when the table before them goes or changes."""
    text = (
        '[mcp_servers.pycontextify]\ncommand = "x"\n[mcp_servers.pycontextify.env]\nA = "b"\n\n# next\n[other]\nx = 1\n'
    )
    assert remove(text, "codex") == "# next\n[other]\nx = 1\n"
    block = CONFIGURED[CONFIGURED.index("[mcp_servers.pyc") :]
    assert add(text, "codex") == f"{block}\n# next\n[other]\nx = 1\n"


@pytest.mark.parametrize(
    ("client", "text"),
    [
        ("cursor", '{"mcpServers": {'),
        ("cursor", '{"mcpServers": []}'),
        ("cursor", '{"mcpServers": null}'),
        ("cursor", "[]"),
        ("zed", '{"context_servers": {}, "context_servers": {}}'),
        ("codex", "mcp_servers = ["),
        ("codex", "mcp_servers = {other = {command = 'x'}}"),
        ("codex", "mcp_servers.pycontextify.command = 'x'"),
        ("codex", "[mcp_servers]\npycontextify = {command = 'x'}"),
    ],
)
def test_what_can_not_be_edited_safely_is_not(client: str, text: str) -> None:
    """Malformed, of another shape, or written in a way that this does not know: it says so and gives nothing back."""
    with pytest.raises(ClientFileError):
        add(text, client)


def test_an_entry_in_another_form_is_not_taken_out() -> None:
    """Rather than leaving half of it."""
    with pytest.raises(ClientFileError):
        remove("[mcp_servers]\npycontextify = {command = 'x'}", "codex")


def test_nothing_to_take_out_is_no_change() -> None:
    """The same text comes back."""
    for client in CLIENTS:
        assert without_entry("", client, "pycontextify") == ""
    assert remove(SETTINGS, "zed") == SETTINGS


def test_what_is_asked_for_is_added_once() -> None:
    """A second entry with the same secret shares the question."""
    client = BY_NAME["vscode"]
    first = with_entry('{\n  "inputs": [],\n  "servers": {}\n}\n', client, "a", MEMBERS, ASKED)
    second = json.loads(with_entry(first, client, "b", MEMBERS, ASKED))
    assert second["inputs"] == ASKED
    assert set(second["servers"]) == {"a", "b"}
    for text in ('{"inputs": {}}', '{"inputs": [], "inputs": []}'):
        with pytest.raises(ClientFileError):
            with_entry(text, client, "a", MEMBERS, ASKED)


def test_what_was_asked_for_goes_with_the_last_that_needs_it() -> None:
    """What others ask for stays, and so does the file."""
    client = BY_NAME["vscode"]
    asked = [{"type": "promptString", "id": "pycontextify-index-bootstrap-token", "password": True}]
    members = {"command": "x", "env": {"TOKEN": "${input:pycontextify-index-bootstrap-token}"}}
    before = '{\n  "inputs": [\n    {"id": "mine"} // my own\n  ],\n  "servers": {}\n}\n'
    one = with_entry(before, client, "a", members, asked)
    two = with_entry(one, client, "b", members, asked)
    assert json.loads(without_entry(two, client, "b").replace("// my own", ""))["inputs"] == [{"id": "mine"}, *asked]
    assert without_entry(one, client, "a") == before


def test_a_snippet_is_a_file_of_its_own() -> None:
    """For somebody to put in by hand."""
    assert snippet(BY_NAME["windsurf"], "pycontextify", MEMBERS) == NEW


def test_a_name_with_a_dot_is_quoted() -> None:
    """In TOML a dot would make it two tables."""
    text = with_entry(CONFIG, BY_NAME["codex"], "my.index", MEMBERS)
    assert tomllib.loads(text)["mcp_servers"]["my.index"] == MEMBERS
    assert without_entry(text, BY_NAME["codex"], "my.index") == CONFIG
