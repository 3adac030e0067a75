"""The routes of the status page: JSON for programs, HTML for browsers, and what its forms do."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

import anyio
import anyio.to_thread
from pydantic import ValidationError
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from pycontextify.errors import NotReadyError, PyContextifyError
from pycontextify.server.arguments import RollbackArguments
from pycontextify.server.badge import badge_cookie, no_badge_cookie
from pycontextify.server.document import standing, status_document
from pycontextify.server.doors import LOGIN, Refusal, admit, is_page, refused, turn_away
from pycontextify.server.lane import Lane
from pycontextify.server.page import found
from pycontextify.server.page.accept import wants_page
from pycontextify.server.page.live import Stream, Watch
from pycontextify.server.page.model import Frame, Seen, clients, seen

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from pycontextify.server.desk import Desk, Survey
    from pycontextify.server.page.paper import Paper

__all__ = ["Page"]

_log = logging.getLogger(__name__)
_PAGE = "/status"
_DOCUMENT_HEADERS = {"Cache-Control": "no-store", "Vary": "Accept"}
_DRAWN_AT_ONCE, _WAITING = 2, 256
_MOST_FIELDS = 10
_WAY_BACK = (
    "going back from here needs a server with a token (PYCONTEXTIFY_HTTP_TOKEN); without one, use "
    "`pycontextify rollback` or the tool rollback"
)


class Page:
    """The status page of a server. ``token`` is what the server asks for, or None."""

    def __init__(
        self,
        desk: Desk,
        *,
        token: str | None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk = desk
        self._token = token
        self._drawing = Lane(threads=_DRAWN_AT_ONCE, waiting=_WAITING)
        self._paper: Paper | None = None
        self._stream = Stream(Watch(desk, self._regions, clock), sleep)

    def routes(self) -> list[Route]:
        """Return all of them; `pycontextify.server.doors.is_page` knows each."""
        return [
            Route(_PAGE, self._status, methods=["GET"]),
            Route("/status.json", self._document, methods=["GET"]),
            Route("/status/events", self._stream, methods=["GET"]),
            Route("/status/rollback", self._roll_back, methods=["POST"]),
            Route(LOGIN, self._log_in, methods=["POST"]),
            Route("/status/logout", self._log_out, methods=["POST"]),
            *(Route(path, _come_back, methods=["GET"]) for path in ("/status/rollback", LOGIN, "/status/logout")),
        ]

    async def refuse(self, refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that the doors refuse: a browser that has shown no token is asked for it."""
        accepts = Headers(scope=scope).getlist("accept")
        if refusal.status == 401 and is_page(scope["path"]) and wants_page(accepts):
            _log.info("asked a browser for the token: %s", refusal.code)
            with suppress(NotReadyError):  # too many are being asked: this one is told in the way of programs
                asked = found.asked(QueryParams(scope["query_string"]))
                await (await self._ask_for_token(scope["path"], asked))(scope, receive, send)
                return
        await turn_away(refusal, scope, receive, send)

    async def _status(self, request: Request) -> Response:
        if not wants_page(request.headers.getlist("accept")):
            return await self._document(request)
        status, search = await self._search(request.query_params)
        return await self._shown(request, search, status=status)

    async def _document(self, _request: Request) -> Response:
        document = status_document(await self._desk.situation(), self._desk.now())
        return JSONResponse(document, headers=_DOCUMENT_HEADERS)

    async def _search(self, parameters: Mapping[str, str]) -> tuple[int, found.Search]:
        try:
            query = found.asked_for(parameters)
            if query is None:
                return 200, found.not_asked()
            answer, situation = await self._desk.search(query)
        except ValueError as error:
            return 400, found.refused(parameters, str(error))
        except PyContextifyError as error:
            return 503, found.refused(parameters, str(error))
        return 200, found.found(query, answer, standing(situation, self._desk.now()))

    async def _shown(self, request: Request, search: found.Search, *, status: int, failure: str = "") -> Response:
        survey, paper = await self._desk.survey(), await self._loaded()
        host, locked = request.headers["host"], self._token is not None
        frame = Frame(
            host=host,
            now=self._desk.now().isoformat(),
            clients=clients(host, survey.situation.hydration.source, token=locked),
            root=_root(request.url.path),
            failure=failure,
            signed_in=locked and "authorization" not in request.headers,
        )
        return await self._drawn(partial(paper.page, self._seen(survey), search, frame), status)

    async def _log_in(self, request: Request) -> Response:
        """Give a browser that shows the token a badge for it."""
        form = await _form(request)
        shown, asked = form.get("token", "").strip(), found.asked(form)
        refusal = admit(self._token, [f"Bearer {shown}"] if shown else [])
        if self._token is None or refusal is None:
            badge = {} if self._token is None else {"Set-Cookie": badge_cookie(self._token)}
            return _back_to_the_page(badge, asked)
        _log.info("refused a browser: %s", refusal.code)
        if wants_page(request.headers.getlist("accept")):
            failure = "This is not the token of this server." if shown else ""
            return await self._ask_for_token(LOGIN, asked, failure)
        return refused(refusal)

    async def _log_out(self, _request: Request) -> Response:
        return _back_to_the_page({} if self._token is None else {"Set-Cookie": no_badge_cookie(self._token)})

    async def _roll_back(self, request: Request) -> Response:
        """Serve an earlier generation again, where there is a token that tells whose wish that is."""
        if self._token is None:
            return await self._not_done(request, Refusal(403, "token_needed", _WAY_BACK))
        try:
            wanted = RollbackArguments.model_validate({"to": (await _form(request)).get("to") or None})
            await self._desk.roll_back(wanted.to)
        except ValidationError:
            return await self._not_done(request, Refusal(400, "arguments_invalid", "name a generation, or none"))
        except PyContextifyError as error:
            return await self._not_done(request, Refusal(409, error.code, str(error)))
        return _back_to_the_page({})

    async def _not_done(self, request: Request, refusal: Refusal) -> Response:
        if not wants_page(request.headers.getlist("accept")):
            return refused(refusal)
        failure = f"{refusal.message} (code: {refusal.code})"
        return await self._shown(request, found.not_asked(), status=refusal.status, failure=failure)

    async def _ask_for_token(self, path: str, asked: Mapping[str, str], failure: str = "") -> Response:
        paper = await self._loaded()
        answer = await self._drawn(partial(paper.login, _root(path), asked, failure), 401)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    async def _loaded(self) -> Paper:
        if self._paper is None:
            self._paper = await self._drawing.run(_load)
        return self._paper

    async def _drawn(self, draw: Callable[[], str], status: int) -> Response:
        # What no encoding can hold (half a pair of surrogates, in a path say) shows as a question mark.
        content = await self._drawing.run(lambda: draw().encode("utf-8", "replace"))
        return HTMLResponse(content, status, (await self._loaded()).headers)

    async def _regions(self, survey: Survey) -> Mapping[str, str]:
        paper, shown = await self._loaded(), self._seen(survey)
        return await self._drawing.run(lambda: paper.regions(shown))

    def _seen(self, survey: Survey) -> Seen:
        now = self._desk.now()
        document = status_document(survey.situation, now)
        allowed = self._token is not None
        return seen(document, survey.overview, survey.generations, now, browser_rollback=allowed)


def _load() -> Paper:
    from pycontextify.server.page.paper import Paper

    return Paper()


def _root(path: str) -> str:
    """Return the way up from one of the page's addresses to where they begin, which may be below a proxy's path."""
    return "../" * (path.count("/") - 1)


def _back_to_the_page(headers: Mapping[str, str], asked: Mapping[str, str] | None = None) -> Response:
    """Lead from one of the addresses below it to the page, and to what is ``asked`` of that."""
    query = f"?{urlencode(asked)}" if asked else ""
    return RedirectResponse(f"..{_PAGE}{query}", 303, {"Cache-Control": "no-store", **headers})


async def _come_back(_request: Request) -> Response:
    """Where a form leads there is nothing to see; somebody has loaded what it answered again."""
    return _back_to_the_page({})


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form; none where the body is no form."""
    try:
        return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS))
    except ValueError:
        return {}
