"""The HTTP API as an OpenAPI document."""

from __future__ import annotations

from typing import Any

from docs.status_schema import ERROR, HEALTH, STATUS, closed
from pycontextify._version import __version__

__all__ = ["ROUTES", "openapi"]

ROUTES = ("/livez", "/readyz", "/healthz", "/status")
"""The routes that answer with JSON of ours; ``/metrics`` has text, and ``/mcp`` speaks MCP."""

_LIVE = closed({"live": {"type": "boolean", "const": True, "description": "It answers."}}, "The process answers.")
_WORDS = {"text/plain": {"schema": {"type": "string"}}}
_VERBOSE = {
    "name": "verbose",
    "in": "query",
    "description": "Answer in words instead, a check a line.",
    "allowEmptyValue": True,
    "schema": {"type": "string"},
}
_REFUSALS = {
    "401": "Without the token: codes `token_missing` and `token_refused`.",
    "403": "From a page of another site: code `origin_refused`.",
    "408": "The request took too long to arrive: code `request_too_slow`.",
    "413": "The body is too large: code `body_too_large`.",
    "421": "For a Host that is not served here: code `host_refused`.",
    "503": "Too many ask at once (code `busy`), or there are too many connections.",
}


def openapi() -> dict[str, Any]:
    """Return the document, in the form of OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "PyContextify",
            "version": __version__,
            "summary": "Status and probes of a PyContextify server, and where it speaks MCP.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "http://127.0.0.1:8765"}],
        "security": [{"token": []}, {}],
        "paths": {
            "/livez": _probe(
                "live", "Whether the process answers. Looks at nothing: a restart cures no dependency.", "Live"
            ),
            "/readyz": _ready(),
            "/healthz": _probe("health", "How the server is, in one word and a sentence. Always 200.", "Health"),
            "/status": _get("status", "The whole status document.", "Status"),
            "/metrics": _metrics(),
            "/mcp": _mcp(),
        },
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "With PYCONTEXTIFY_HTTP_TOKEN set, every request must carry it.",
                }
            },
            "schemas": {"Live": _LIVE, "Health": HEALTH, "Status": STATUS, "Error": ERROR},
            "responses": {
                f"Refused{code}": {"description": about, "content": _json("Error")} for code, about in _REFUSALS.items()
            },
        },
    }


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _refused(*but: str) -> dict[str, Any]:
    return {code: {"$ref": f"#/components/responses/Refused{code}"} for code in _REFUSALS if code not in but}


def _get(name: str, about: str, answer: str) -> dict[str, Any]:
    return _answering(name, about, _json(answer))


def _probe(name: str, about: str, answer: str) -> dict[str, Any]:
    found = _answering(name, about, {**_json(answer), **_WORDS})
    return {"get": {**found["get"], "parameters": [_VERBOSE]}}


def _ready() -> dict[str, Any]:
    about = "Whether it takes requests. Without an index it does, unless PYCONTEXTIFY_REQUIRE_INDEX is set."
    found = _probe("ready", about, "Health")
    either = {"oneOf": [{"$ref": "#/components/schemas/Health"}, {"$ref": "#/components/schemas/Error"}]}
    found["get"]["responses"]["503"] = {
        "description": "There is no index, and one is required; or too many ask at once (code `busy`).",
        "content": {"application/json": {"schema": either}, **_WORDS},
    }
    return found


def _metrics() -> dict[str, Any]:
    text = {"schema": {"type": "string"}}
    about = "What a Prometheus scrapes, as OpenMetrics where that is asked for."
    return _answering("metrics", about, {"text/plain": text, "application/openmetrics-text": text})


def _answering(name: str, about: str, content: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"200": {"description": "The answer; never cached.", "content": content}}
    return {"get": {"operationId": name, "summary": about, "responses": {**found, **_refused()}}}


def _mcp() -> dict[str, Any]:
    about = (
        "MCP over streamable HTTP, as the Model Context Protocol defines it: JSON-RPC in, JSON or an event stream out."
    )
    body = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    streams = {
        "description": "A JSON-RPC answer, or a stream of them.",
        "content": {"application/json": {"schema": {"type": "object"}}, "text/event-stream": {}},
    }
    return {
        "post": {
            "operationId": "mcp",
            "summary": about,
            "requestBody": body,
            "responses": {"200": streams, "202": {"description": "A notification was taken."}, **_refused()},
        }
    }
