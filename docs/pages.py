"""The pages of the reference that come from the code. Each function returns Markdown; `make tables` writes it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from benchmarks.results import Results
from docs.benchmarks import FULL, sections
from docs.error_page import error_page
from docs.http import openapi
from docs.marks import filled
from docs.status_schema import STATUS
from docs.written import page
from pycontextify.config import SETTINGS, Setting
from pycontextify.server.desk import Desk
from pycontextify.server.protocol import _listed
from pycontextify.server.tools import tools

__all__ = ["PAGES", "settings_page", "status_page", "tools_page", "what_happens_page"]

ROOT = Path(__file__).resolve().parent
_NO_FLAG = "(none: a flag would show in process lists)"


# Settings


def settings_page() -> str:
    """Every setting: what it is called in each place, what it takes, and what it is when nothing is said."""
    parts = [
        "# Settings",
        "",
        "A flag goes before an environment variable, that before the TOML file, and that before the default. "
        "`pycontextify config show` tells every value in force and where it came from.",
        "",
        "The TOML file is the one that `--config` names, or else `pycontextify/config.toml` in your configuration directory. Its "
        "keys are the names below:",
        "",
        "```toml",
        'index_bootstrap_url = "https://example.com/public"',
        'index_bootstrap_mode = "follow"',
        "```",
        "",
        "Durations are written `90s`, `15m`, `6h`, `14d`; sizes `500MB`, `2GiB`. Several values have a comma between them, "
        "and directories what `PATH` has on your system. An empty environment variable counts as not set.",
        "",
    ]
    for setting in SETTINGS:
        parts += _setting(setting)
    return page(*parts)


def _setting(setting: Setting) -> Iterator[str]:
    yield f"## `{setting.name}`"
    yield ""
    yield f"{setting.help[0].upper()}{setting.help[1:]}."
    yield ""
    yield "| | |"
    yield "| --- | --- |"
    yield f"| flag | {f'`{setting.flag}`' if setting.flag else _NO_FLAG} |"
    yield f"| environment | `{setting.env}` |"
    yield f"| TOML | {f'`{setting.name}`' if setting.in_file else '(none)'} |"
    yield f"| takes | `{_cell(setting.form)}` |"
    yield f"| default | {f'`{setting.default}`' if setting.default else 'none, or as told above'} |"
    if setting.secret:
        yield "| secret | never shown: not in logs, status or `config show` |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


# Tools


def tools_page() -> str:
    """Every MCP tool as it is listed to clients."""
    parts = [
        "# MCP tools",
        "",
        "The server offers these tools over stdio and over HTTP at `/mcp`, in the current revision of the protocol and in the one "
        "before it. Every answer has a text for the model and structured content that its schema describes. Unknown arguments "
        "are refused: one that is silently ignored misleads.",
        "",
        "An error is an answer with `isError`; its text ends in `(code: …)`, and `_meta` has it as `pycontextify/code`: see "
        "[Error codes](errors.md).",
        "",
    ]
    for tool in tools(cast("Desk", None)):
        listed = _listed(tool)
        parts += [f"## `{listed.name}`", "", f"**{listed.title}.** {inspect.cleandoc(listed.description or '')}", ""]
        parts += [_hints(listed.annotations), ""]
        parts += ["### Arguments", "", *_members(listed.input_schema), ""]
        parts += ["### Answer", "", *_members(listed.output_schema or {}), ""]
    return page(*parts)


def _hints(hints: Any) -> str:
    if hints.read_only_hint:
        return "It only reads."
    words = ["It changes the index"]
    words += ["may destroy what is there"] if hints.destructive_hint else []
    words += ["asks the configured source"] if hints.open_world_hint else []
    words += ["may be called again without harm"] if hints.idempotent_hint else []
    return f"{', '.join(words)}."


def _members(schema: Mapping[str, Any]) -> Iterator[str]:
    members = schema.get("properties", {})
    if not members:
        yield "None."
        return
    required = set(schema.get("required", ()))
    yield "| name | type | what it is |"
    yield "| --- | --- | --- |"
    for name, member in members.items():
        notes = [member.get("description", "")]
        if name not in required and member.get("default") is not None:
            notes.append(f"Default: `{json.dumps(member['default'])}`.")
        yield f"| `{name}`{' (required)' if name in required else ''} | {_type(member, schema)} | {' '.join(notes).strip()} |"
    for definition, part in schema.get("$defs", {}).items():
        yield ""
        yield f"`{definition}`:"
        yield ""
        yield from _members(part)


def _type(member: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "$ref" in member:
        return f"`{member['$ref'].rpartition('/')[2]}`"
    if "anyOf" in member:
        return " or ".join(_type(each, schema) for each in member["anyOf"])
    if "enum" in member:
        return " or ".join(f"`{json.dumps(each)}`" for each in member["enum"])
    if member.get("type") == "array":
        return f"list of {_type(member.get('items', {}), schema)}"
    kinds = member.get("type", "any")
    bounds = [f"{word} {member[key]}" for key, word in _BOUNDS.items() if key in member]
    return " or ".join([kinds] if isinstance(kinds, str) else kinds) + (f" ({', '.join(bounds)})" if bounds else "")


_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "minLength": "length at least",
    "maxLength": "length at most",
}


# Status and HTTP


def status_page() -> str:
    """The status document, member by member, with an example from a real run."""
    example = (ROOT / "reference" / "status-example.json").read_text(encoding="utf-8").strip()
    parts = [
        "# The status document",
        "",
        "The tool `status`, the route `/status` and `pycontextify status --json` tell the same. It is one value, replaced whole: two of its "
        "members never contradict each other. Byte counts never shrink within an attempt. Addresses are shown without user "
        "names, passwords and query strings.",
        "",
        "What most people look at is `health.status`:",
        "",
        "| status | means |",
        "| --- | --- |",
        "| `ok` | an index is served, and nothing is wrong |",
        "| `hydrating` | one is being fetched; if there was one, it is served meanwhile |",
        "| `degraded` | something is wrong, and `health.message` says what; what can be served is served |",
        "| `empty` | nothing is indexed, and nothing is on its way |",
        "",
    ]
    for name, schema in STATUS["properties"].items():
        parts += [f"## `{name}`", "", schema["description"], "", *_members({"properties": schema["properties"]}), ""]
        for inner in ("assets", "history"):
            if inner in schema["properties"]:
                items = schema["properties"][inner]["items"]
                parts += [f"### One of `{inner}`", "", *_members({"properties": items["properties"]}), ""]
        if "last_error" in schema["properties"]:
            failure = schema["properties"]["last_error"]
            parts += ["### `last_error`", "", *_members({"properties": failure["properties"]}), ""]
    parts += [
        "## An example",
        "",
        "From a real run: a server that follows a published directory and has just filled itself.",
        "",
        "```json",
        example,
        "```",
        "",
        "The same as a JSON schema is in [openapi.json](openapi.json), under `components.schemas.Status`.",
    ]
    return page(*parts)


# What the README tells


def what_happens_page() -> str:
    """The README's table of troubles, for those who read the site."""
    readme = (ROOT.parent / "README.md").read_text(encoding="utf-8")
    _, _, rest = readme.partition(f"### {_TROUBLES}\n")
    return page(f"# {_TROUBLES}", "", rest.partition("\n## ")[0].strip())


_TROUBLES = "What happens when …"


# Benchmarks


def benchmarks_page() -> str:
    """The guide's page, with its tables between their marks as they should be; the rest of it is written by hand."""
    text = (ROOT / "guide" / "benchmarks.md").read_text(encoding="utf-8")
    for name, content in sections(Results.read(FULL)).items():
        text = filled(text, f"benchmarks-{name}", content)
    return text


def _openapi_text() -> str:
    return json.dumps(openapi(), indent=2, ensure_ascii=False) + "\n"


PAGES = {
    "guide/benchmarks.md": benchmarks_page,
    "guide/what-happens.md": what_happens_page,
    "reference/settings.md": settings_page,
    "reference/errors.md": error_page,
    "reference/tools.md": tools_page,
    "reference/status.md": status_page,
    "reference/openapi.json": _openapi_text,
}
"""Every generated file, by its path below docs/, with what makes its text."""
