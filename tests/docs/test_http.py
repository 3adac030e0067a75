"""The OpenAPI document and the status schema, held against the answers of running servers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest
from jsonschema import Draft202012Validator

from docs.http import ROUTES, openapi
from docs.status_schema import STATUS
from tests.fakes.serving import Serving, serving

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
OPENAPI = json.loads((DOCS / "reference" / "openapi.json").read_text(encoding="utf-8"))
TOKEN = "canary-of-the-http-token-0123456789abcdef"


def check(value: Any, name: str) -> None:
    """Hold a value to a schema of the document."""
    jsonschema.validate(value, OPENAPI["components"]["schemas"][name], cls=Draft202012Validator)


def schema_of(route: str, status: int) -> str:
    """Return the name of the schema that the document gives an answer."""
    answer = OPENAPI["paths"][route]["get"]["responses"][str(status)]
    if "$ref" in answer:
        answer = OPENAPI["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return str(answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2])


async def ask(server: Serving, route: str, **headers: str) -> tuple[int, Any]:
    """Ask a route; return status and body."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{await server.url()}{route}", headers=headers) as reply,
    ):
        return reply.status, await reply.json()


def test_every_schema_is_one() -> None:
    """And every reference leads somewhere."""
    for schema in OPENAPI["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    text = json.dumps(openapi())
    for kind in ("schemas", "responses"):
        for name in OPENAPI["components"][kind]:
            assert f'"#/components/{kind}/{name}"' in text


def test_the_example_is_a_status_document() -> None:
    """The page shows something that a server has really said."""
    check(json.loads((DOCS / "reference" / "status-example.json").read_text(encoding="utf-8")), "Status")


def test_the_schema_is_closed() -> None:
    """A member that it does not know is noticed."""
    example = json.loads((DOCS / "reference" / "status-example.json").read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**example, "more": 1}, STATUS, cls=Draft202012Validator)


async def test_a_server_answers_as_it_is_written(tmp_path: Path) -> None:
    """Every route; first without an index, then after a hydration that failed and one that is waited for."""
    source = (tmp_path / "nothing").as_uri()
    async with serving(tmp_path, "--index-bootstrap-url", source) as server:
        for route in ROUTES:
            status, answer = await ask(server, route)
            assert status == 200
            check(answer, schema_of(route, status))
        failed = await server.until(lambda said: said["hydration"]["last_error"] is not None)
        check(failed, "Status")
        assert failed["hydration"]["last_error"]["code"] == "file_missing"


async def test_a_server_that_needs_an_index_says_so_as_it_is_written(tmp_path: Path) -> None:
    """503 with its health, which the document tells apart from a refusal; and in words where words are asked for."""
    answer = OPENAPI["paths"]["/readyz"]["get"]["responses"]["503"]["content"]
    async with serving(tmp_path, env={"REQUIRE_INDEX": "true"}) as server:
        status, told = await ask(server, "/readyz")
        assert status == 503
        schema = {**answer["application/json"]["schema"], "components": OPENAPI["components"]}
        jsonschema.validate(told, schema, cls=Draft202012Validator)
        check(told, "Health")
        async with aiohttp.ClientSession() as session, session.get(f"{await server.url()}/readyz?verbose") as reply:
            assert (reply.status, reply.content_type) == (503, "text/plain")
            assert reply.content_type in answer


@pytest.mark.parametrize("wanted", ["text/plain", "application/openmetrics-text"])
async def test_metrics_come_as_it_is_written(tmp_path: Path, wanted: str) -> None:
    """In either form, and with the same refusals as elsewhere."""
    answers = OPENAPI["paths"]["/metrics"]["get"]["responses"]["200"]["content"]
    async with serving(tmp_path, env={"HTTP_TOKEN": TOKEN}) as server, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": wanted}
        async with session.get(f"{await server.url()}/metrics", headers=headers) as reply:
            assert (reply.status, reply.content_type) == (200, wanted)
            assert reply.content_type in answers
            assert reply.headers["Cache-Control"] == "no-store"
        status, refused = await ask(server, "/metrics")
        assert status == 401
        check(refused, schema_of("/metrics", status))


async def test_refusals_are_as_they_are_written(tmp_path: Path) -> None:
    """With another Host, from a page, without the token, with another one; on every route."""
    async with serving(tmp_path, env={"HTTP_TOKEN": TOKEN}) as server:
        for route in ROUTES:
            for headers, expected in (
                ({"Host": "evil.example.com"}, 421),
                ({"Origin": "https://evil.example.com"}, 403),
                ({}, 401),
                ({"Authorization": "Bearer other"}, 401),
                ({"Authorization": f"Bearer {TOKEN}"}, 200),
            ):
                status, answer = await ask(server, route, **headers)
                assert status == expected
                check(answer, schema_of(route, status))
