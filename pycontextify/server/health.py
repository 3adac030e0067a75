"""What orchestrators ask: does it live, can it be asked, how is it. With ``?verbose``, in words, a check a line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

from pycontextify.server.document import failure, standing, status_document
from pycontextify.server.words import hydrating
from pycontextify.snapshot.freshness import has_expired

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from pycontextify.server.desk import Desk
    from pycontextify.server.document import Situation

__all__ = ["Check", "checks_of_health", "checks_of_readiness", "health_routes", "told"]

_FRESH = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, and a sentence about it: what to do where it is not ``fine``."""

    name: str
    fine: bool
    words: str


_SERVER = Check("server", fine=True, words="it answers")


def checks_of_readiness(situation: Situation, now: datetime) -> tuple[Check, ...]:
    """Return what /readyz looks at."""
    state = standing(situation, now).message
    if situation.facts is not None or situation.index_required:
        return _SERVER, Check("index", situation.facts is not None, state)
    return _SERVER, Check("index", fine=True, words=f"none, and none is required (--require-index). {state}")


def checks_of_health(situation: Situation, now: datetime) -> tuple[Check, ...]:
    """Return what /healthz looks at."""
    facts, state = situation.facts, standing(situation, now)
    checks = [_SERVER, Check("index", facts is not None, state.message)]
    if facts is not None:
        expires = facts.config.expires
        words = f"built at {facts.config.created}, " + (f"expires at {expires}" if expires else "does not expire")
        stale = f"expired at {expires}: see whether whoever publishes has stopped"
        expired = has_expired(facts.config, now)
        checks.append(Check("freshness", not expired, stale if expired else words))
    hydration = situation.hydration
    doing = hydrating(hydration) if hydration.active else hydration.state
    failed = hydration.last_error is not None
    checks.append(Check("hydration", not failed, failure(situation) if failed else doing))
    if situation.fault is not None:
        checks.append(Check("background", fine=False, words=situation.fault))
    return tuple(checks)


def told(route: str, verdict: str, checks: tuple[Check, ...]) -> str:
    """Return checks as text: ``[+]index ok: …``, ``[-]index failed: …``, and the verdict at the end."""
    lines = [
        f"[{'+' if each.fine else '-'}]{each.name} {'ok' if each.fine else 'failed'}: {each.words}" for each in checks
    ]
    return "\n".join([*lines, f"{route} {verdict}", ""])


def health_routes(desk: Desk) -> Mapping[str, Callable[[Request], Awaitable[Response]]]:
    """Return what answers at /livez, /readyz and /healthz."""

    async def livez(request: Request) -> Response:
        # Looks at nothing: a restart cures no dependency.
        return _answer(request, {"live": True}, 200, lambda: told("livez", "check passed", (_SERVER,)))

    async def readyz(request: Request) -> Response:
        situation, now = await desk.situation(), desk.now()
        health = status_document(situation, now)["health"]
        verdict = "check passed" if health["ready"] else "check failed"
        status = 200 if health["ready"] else 503
        return _answer(request, health, status, lambda: told("readyz", verdict, checks_of_readiness(situation, now)))

    async def healthz(request: Request) -> Response:
        situation, now = await desk.situation(), desk.now()
        health = status_document(situation, now)["health"]
        verdict = f"says {health['status']}"
        return _answer(request, health, 200, lambda: told("healthz", verdict, checks_of_health(situation, now)))

    return {"/livez": livez, "/readyz": readyz, "/healthz": healthz}


def _answer(request: Request, content: Mapping[str, Any], status: int, words: Callable[[], str]) -> Response:
    if "verbose" in request.query_params:
        return PlainTextResponse(words(), status, headers=_FRESH)
    return JSONResponse(content, status, headers=_FRESH)
