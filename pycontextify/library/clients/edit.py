"""The new text of a client's file, from the old. Pure.

Whatever comes out is read again before it is given back: it must hold the entry, and everything else as it was.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from pycontextify.errors import PyContextifyError
from pycontextify.library.clients import jsonc
from pycontextify.library.clients.table import OUR_INPUTS, Client
from pycontextify.redact import one_line

__all__ = ["ClientFileError", "entries_of", "snippet", "with_entry", "without_entry"]

_HEADER = re.compile(r"[ \t]*\[")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_INPUTS = "inputs"


class ClientFileError(PyContextifyError):
    """A client's file can't be read, or not be edited without a risk to what else is in it. It is as it was."""

    default_code = "client_file"


def entries_of(text: str, client: Client) -> Mapping[str, Any]:
    """Return the entries in a client's file, by name. Raises ClientFileError."""
    found = _read(text, client).get(client.container, {})
    if not isinstance(found, dict):
        raise _unsafe(f"{client.container} in it is no table of servers")
    return found


def with_entry(
    text: str, client: Client, name: str, members: Mapping[str, Any], inputs: Sequence[Mapping[str, Any]] = ()
) -> str:
    """Return a file's text with our entry, and what the client must ask for; the same text where it is there already.

    Raises ClientFileError.
    """
    before = _read(text, client)
    after = copy.deepcopy(before)
    entries = after.setdefault(client.container, {})
    if not isinstance(entries, dict):
        raise _unsafe(f"{client.container} in it is no table of servers")
    entries[name] = dict(members)
    if inputs:
        asked = after.setdefault(_INPUTS, [])
        if not isinstance(asked, list):
            raise _unsafe(f"{_INPUTS} in it is no list")
        known = {each.get("id") for each in asked if isinstance(each, dict)}
        new = [each for each in inputs if each["id"] not in known]
        asked += new
    else:
        new = []
    if after == before:
        return text
    if client.format == "toml":
        edited = _toml_with(text, client.container, name, members)
    else:
        edited = _json_with(text, client.container, name, members)
        for each in new:
            edited = _json_asking(edited, each)
    return _checked(edited, after, client)


def without_entry(text: str, client: Client, name: str) -> str:
    """Return a file's text without our entry, and without what was asked for it alone; the same where there is none.

    Raises ClientFileError.
    """
    if name not in entries_of(text, client):
        return text
    after = copy.deepcopy(_read(text, client))
    gone = after[client.container].pop(name)
    unasked = _asked_for_alone(gone, after)
    if unasked:
        after[_INPUTS] = [each for each in after[_INPUTS] if each not in unasked]
    if client.format == "toml":
        edited = _toml_without(text, client.container, name)
        if not after[client.container]:
            del after[client.container]  # a table that nothing is in has gone with its last header
    else:
        edited = _json_without(text, client.container, name)
        for each in unasked:
            edited = _json_unasked(edited, each)
    return _checked(edited, after, client)


def _asked_for_alone(gone: object, left: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what our entry alone had the client ask for. Questions with other ids are somebody else's."""
    asked = left.get(_INPUTS)
    used, others = json.dumps(gone), json.dumps({key: value for key, value in left.items() if key != _INPUTS})
    return [
        each
        for each in (asked if isinstance(asked, list) else ())
        if isinstance(each, dict)
        and str(each.get("id")).startswith(OUR_INPUTS)
        and (reference := f"${{input:{each['id']}}}") in used
        and reference not in others
    ]


def snippet(client: Client, name: str, members: Mapping[str, Any], inputs: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return what a file of nothing but our entry would hold, for somebody to put in by hand."""
    return with_entry("", client, name, members, inputs)


def _read(text: str, client: Client) -> dict[str, Any]:
    plain = text.removeprefix("\ufeff")
    if not plain.strip():
        return {}
    try:
        found = tomllib.loads(plain) if client.format == "toml" else _json(plain)
    except (ValueError, RecursionError) as error:
        raise _unsafe(one_line(f"it can't be read: {error}")) from error
    if not isinstance(found, dict):
        raise _unsafe("it holds no object")
    return found


def _json(text: str) -> object:
    """Read JSON: some files are large, and most of them have no comments."""
    try:
        return json.loads(text)
    except ValueError:
        return jsonc.parse(text).value


def _checked(edited: str, wanted: dict[str, Any], client: Client) -> str:
    if _read(edited, client) != wanted:
        raise _unsafe("it is written in a way that can't be edited without a risk to the rest")
    return edited


def _unsafe(what: str) -> ClientFileError:
    return ClientFileError(what, hint="nothing was changed; correct it, or put the entry in by hand")


def _json_with(text: str, container: str, name: str, members: Mapping[str, Any]) -> str:
    if not text.removeprefix("\ufeff").strip():
        return text.rstrip() + json.dumps({container: {name: members}}, indent=2, ensure_ascii=False) + "\n"
    try:
        root = jsonc.parse(text)
        style = jsonc.style_of(text, root)
        place = root.member(container)
        if place is None:
            return jsonc.inserted(text, root, container, {name: members}, style)
        ours = place.value.member(name)
    except jsonc.Malformed as error:
        raise _unsafe(str(error)) from error
    if ours is not None:
        return jsonc.replaced(text, ours, members, style)
    return jsonc.inserted(text, place.value, name, members, style)


def _json_asking(text: str, asked: Mapping[str, Any]) -> str:
    try:
        root = jsonc.parse(text)
        style, place = jsonc.style_of(text, root), root.member(_INPUTS)
    except jsonc.Malformed as error:
        raise _unsafe(str(error)) from error
    if place is None:
        return jsonc.inserted(text, root, _INPUTS, [asked], style)
    return jsonc.inserted(text, place.value, None, asked, style)


def _json_unasked(text: str, asked: Mapping[str, Any]) -> str:
    place = jsonc.parse(text).member(_INPUTS)
    found = [] if place is None else [each for each in place.value.members if each.value.value == asked]
    return text if place is None or not found else jsonc.removed(text, place.value, found[0])


def _json_without(text: str, container: str, name: str) -> str:
    try:
        place = jsonc.parse(text).member(container)
        ours = None if place is None else place.value.member(name)
    except jsonc.Malformed as error:
        raise _unsafe(str(error)) from error
    return text if place is None or ours is None else jsonc.removed(text, place.value, ours)


def _toml_with(text: str, container: str, name: str, members: Mapping[str, Any]) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    block = _toml_block(container, name, members).replace("\n", newline)
    found = _toml_lines(text, container, name)
    if found is not None:
        lines, start, end = found
        return "".join([*lines[:start], block, *lines[end:]])
    gap = "" if not text.strip("\ufeff \t\r\n") else newline if text.endswith("\n") else newline * 2
    return f"{text}{gap}{block}"


def _toml_without(text: str, container: str, name: str) -> str:
    found = _toml_lines(text, container, name)
    if found is None:
        raise _unsafe("it is written in a way that can't be edited without a risk to the rest")
    lines, start, end = found
    while end < len(lines) and not lines[end].strip():
        end += 1
    kept = lines[:start] if end < len(lines) else "".join(lines[:start]).rstrip("\r\n").splitlines(keepends=True)
    ending = "\r\n" if "\r\n" in text else "\n"
    tail = [ending] if kept and not kept[-1].endswith("\n") else []
    return "".join([*kept, *tail, *lines[end:]])


def _toml_block(container: str, name: str, members: Mapping[str, Any]) -> str:
    import tomlkit

    return tomlkit.dumps({container: {name: dict(members)}})


def _toml_lines(text: str, container: str, name: str) -> tuple[list[str], int, int] | None:
    """Return a text's lines, and which of them are the table of an entry: up to its last key, subtables included.

    What stands behind that, comments as well, belongs to what follows. None where it is written in another way.
    """
    lines = text.splitlines(keepends=True)
    ours = re.escape(name) if _BARE.fullmatch(name) else r"(?!)"
    quoted = re.escape(json.dumps(name, ensure_ascii=False))
    header = re.compile(rf"\ufeff?[ \t]*\[[ \t]*{re.escape(container)}[ \t]*\.[ \t]*(?:{ours}|{quoted})[ \t]*([.\]])")
    start = next((place for place, line in enumerate(lines) if (hit := header.match(line)) and hit[1] == "]"), None)
    if start is None:
        return None
    end = start + 1
    while end < len(lines) and (not _HEADER.match(lines[end]) or header.match(lines[end])):
        end += 1
    while not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#"):
        end -= 1
    return lines, start, end
