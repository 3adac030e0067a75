"""The status document as a JSON schema (draft 2020-12), with what each member means. Closed: what is not here is not there."""

from __future__ import annotations

from typing import Any

from pycontextify.hydration.status import AssetState, State, Trigger

__all__ = ["ERROR", "HEALTH", "INDEX", "STATUS", "closed"]

Schema = dict[str, Any]


def closed(members: dict[str, Schema], about: str) -> Schema:
    """Return the schema of an object that has exactly these members."""
    return {
        "type": "object",
        "description": about,
        "properties": members,
        "required": list(members),
        "additionalProperties": False,
    }


def _text(about: str, **more: Any) -> Schema:
    return {"type": "string", "description": about, **more}


def _maybe(schema: Schema) -> Schema:
    kind = schema["type"]
    return {**schema, "type": [kind, "null"]} | ({"enum": [*schema["enum"], None]} if "enum" in schema else {})


def _moment(about: str) -> Schema:
    return _text(f"{about} (RFC 3339, UTC).", format="date-time")


def _count(about: str) -> Schema:
    return {"type": "integer", "minimum": 0, "description": about}


def _number(about: str) -> Schema:
    return {"type": "number", "minimum": 0, "description": about}


_DIGEST = {"pattern": "^sha256:[0-9a-f]{64}$"}

HEALTH = closed(
    {
        "status": _text(
            "ok: an index is served, and nothing is wrong. hydrating: one is being fetched. degraded: something is wrong, and "
            "message says what. empty: there is nothing to search.",
            enum=["ok", "hydrating", "degraded", "empty"],
        ),
        "live": {"type": "boolean", "description": "Whether the process answers."},
        "ready": {
            "type": "boolean",
            "description": "Whether it takes requests: from its start, or with `PYCONTEXTIFY_REQUIRE_INDEX` once it has an index.",
        },
        "message": _text("A sentence for people."),
    },
    "How the server is.",
)

INDEX = closed(
    {
        "generation": _maybe(_text("Digest of the manifest that is served.", **_DIGEST)),
        "version": _maybe(_count("Number of the build; it grows.")),
        "channel": _maybe(_text("The channel that it was published on.")),
        "created": _maybe(_text("When it was built (RFC 3339).")),
        "expires": _maybe(_text("Until when it is good (RFC 3339).")),
        "age_seconds": _maybe(_number("Seconds since it was built.")),
        "chunks": _count("Passages that can be found."),
        "documents": _count("Files that they are from."),
        "segments": _count("Parts that it consists of."),
        "encoder": _maybe(_text("Name of the embedding model.")),
        "coverage": {**_number("Part of the index that is searched."), "maximum": 1},
        "bytes_on_disk": _maybe(_count("What the index directory takes up, all generations together.")),
    },
    "What is served. Without an index, null and 0.",
)

_ASSET = closed(
    {
        "name": _text("Such as `segment 1 vectors`."),
        "digest": _maybe(_text("What it must have; null for an archive without one.", **_DIGEST)),
        "size": _maybe(_count("In bytes; null while unknown.")),
        "done": _count("How many of them are here."),
        "state": _text("reused: it was here already.", enum=list(AssetState.__args__)),
    },
    "A blob or file of an attempt.",
)

_FAILURE = closed(
    {
        "code": _text("Stable; see the error codes."),
        "message": _text("What happened, to which asset, and what to do."),
        "at": _moment("When"),
        "retry_at": _maybe(_moment("When it is tried again; null: not by itself")),
        "rejected": {"type": "boolean", "description": "Something came, and it must not be used."},
    },
    "Why the last attempt failed.",
)

_RECORD = closed(
    {
        "attempt": _count("Its number since the start of the server."),
        "trigger": _text("What began it.", enum=list(Trigger.__args__)),
        "result": _text(
            "unchanged: the source has what is served.", enum=["installed", "unchanged", "failed", "cancelled"]
        ),
        "started_at": _moment("When it began"),
        "finished_at": _moment("When it ended"),
        "bytes_fetched": _count("What came over the wire of the index's files."),
        "bytes_reused": _count("What was here already."),
        "phases": {
            "type": "object",
            "description": "Seconds spent in each state.",
            "additionalProperties": {"type": "number", "minimum": 0},
        },
        "error_code": _maybe(_text("Of an attempt that failed.")),
    },
    "An attempt that has ended.",
)

_WAITING = {
    "type": ["object", "null"],
    "description": "In the state waiting: how far the other process is, as it tells itself.",
    "properties": {"state": _text("Its state."), "bytes_done": _count("Its."), "bytes_total": _count("Its.")},
    "additionalProperties": False,
}

HYDRATION = closed(
    {
        "state": _text(
            "What it does now. waiting: for another process that writes to the same directory. failed: until the next attempt.",
            enum=list(State.__args__),
        ),
        "trigger": _maybe(_text("What began the attempt.", enum=list(Trigger.__args__))),
        "source": _maybe(_text("The configured address, without logins and query.")),
        "mirror": _maybe(_text("The address that was asked last.")),
        "attempt": _count("Number of the attempt since the start of the server."),
        "started_at": _maybe(_moment("When the attempt began")),
        "finished_at": _maybe(_moment("When it ended")),
        "bytes_total": _count("What has to be fetched, as far as is known."),
        "bytes_done": _count("What of it is here, from earlier attempts too."),
        "bytes_reused": _count("What did not have to be fetched, for it was here."),
        "bytes_fetched": _count("What came over the wire of the index's files in this attempt."),
        "rate_bytes_per_second": _count("Smoothed; it goes down while nothing arrives."),
        "eta_seconds": _maybe(_number("Seconds left at that rate.")),
        "assets": {"type": "array", "items": _ASSET, "description": "What the attempt consists of."},
        "waiting_for": _WAITING,
        "last_error": {**_FAILURE, "type": ["object", "null"]},
        "next_check_at": _maybe(_moment("When it looks at the source again by itself")),
        "notice": _maybe(_text("Something the last installation did that people should know.")),
        "history": {"type": "array", "items": _RECORD, "maxItems": 10, "description": "The last ten, newest first."},
    },
    "What hydration is doing.",
)

STATUS = closed({"health": HEALTH, "index": INDEX, "hydration": HYDRATION}, "The status document.")

ERROR = closed(
    {"error": closed({"code": _text("Stable."), "message": _text("What to do.")}, "Why.")},
    "Why a request was refused.",
)
