"""What the page shows, as plain values. Pure: from the status document, the generations and what the index holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pycontextify.server.page.clients import Snippet, mcp_address, own_server, this_server
from pycontextify.server.page.moments import Moment, moment
from pycontextify.server.page.past import Past, past
from pycontextify.server.page.work import Work, work
from pycontextify.server.words import count, duration, size

if TYPE_CHECKING:
    from datetime import datetime

    from pycontextify.index.model import Overview
    from pycontextify.library.generations import Generation

__all__ = ["Clients", "Fault", "Frame", "Kept", "Live", "Seen", "State", "clients", "seen"]

_LISTED = 12
_STEP_PERCENT = 25
Tone = Literal["good", "busy", "warn", "off"]
_TONES: dict[str, tuple[Tone, str]] = {
    "ok": ("good", "Serving"),
    "hydrating": ("busy", "Hydrating"),
    "degraded": ("warn", "Degraded"),
    "empty": ("off", "Empty"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """The last error: when, its code, what happened, and what comes next."""

    code: str
    message: str
    at: Moment | None
    retry: Moment | None
    todo: str


@dataclass(frozen=True, slots=True)
class State:
    """How the server is. ``spoken`` is for screen readers: it changes when there is news, not with each byte."""

    tone: Tone
    word: str
    message: str
    spoken: str
    fault: Fault | None
    notice: str
    next_look: Moment | None


@dataclass(frozen=True, slots=True)
class Live:
    """The generation that is served; ``facts`` are names and values, ``languages`` names and numbers of documents."""

    generation: str
    version: str
    created: Moment | None
    age: str
    figures: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]
    languages: tuple[tuple[str, str], ...]
    more_languages: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A generation in the index directory. ``can_go_back``: it is whole, and not the one that is served."""

    digest: str
    short: str
    name: str
    refs: tuple[str, ...]
    created: Moment | None
    extent: str
    notes: tuple[str, ...]
    live: bool
    can_go_back: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything on the page that can change by itself. ``browser_rollback``: there is a token to allow it."""

    state: State
    work: Work
    live: Live | None
    kept: tuple[Kept, ...]
    past: Past
    browser_rollback: bool


@dataclass(frozen=True, slots=True)
class Clients:
    """How to use this server, whose MCP ``address`` stands in the texts, and the same index in one of one's own."""

    address: str
    this: tuple[Snippet, ...]
    own: tuple[Snippet, ...]
    token: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """What stays as it is while a page is open. ``host`` is how the browser came here, ``now`` the server's time.

    ``root`` leads from where the page is to where ``status`` and ``mcp`` are, which may be below a proxy's path.
    ``failure`` is a sentence about what was asked for and not done; ``signed_in`` tells that a badge was shown.
    """

    host: str
    now: str
    clients: Clients
    root: str = ""
    failure: str = ""
    signed_in: bool = False


def seen(
    document: Mapping[str, Any],
    overview: Overview,
    generations: tuple[Generation, ...],
    now: datetime,
    *,
    browser_rollback: bool,
) -> Seen:
    """Return what the page shows of a status document, of what the index holds, and of the generations there are."""
    served = document["index"]["generation"]
    return Seen(
        state=_state(document, now),
        work=work(document["hydration"]),
        live=None if served is None else _live(document["index"], overview, now),
        kept=tuple(_kept(each, served, now) for each in generations),
        past=past(document["hydration"]["history"], now),
        browser_rollback=browser_rollback,
    )


def clients(host: str, source: str | None, *, token: bool) -> Clients:
    """Return the configuration of clients, for a server that a browser reached at ``host``."""
    return Clients(mcp_address(host), this_server(host, token=token), own_server(source), token)


def _state(document: Mapping[str, Any], now: datetime) -> State:
    health, hydration = document["health"], document["hydration"]
    tone, word = _TONES[health["status"]]
    if health["status"] == "ok":
        message = _extent(document["index"])
    elif hydration["state"] == "fetching":
        message = f"Fetching; {health['message'].rpartition('; ')[2]}"  # how far that is stands below, with its bars
    else:
        # What failed has a place of its own, below.
        message = health["message"].partition(" The last hydration failed: ")[0]
    return State(
        tone=tone,
        word=word,
        message=f"{message[:1].upper()}{message[1:]}",
        spoken=_spoken(word, message, hydration),
        fault=_fault(hydration, now),
        notice=hydration["notice"] or "",
        next_look=None if hydration["last_error"] else moment(hydration["next_check_at"], now),
    )


def _extent(index: Mapping[str, Any]) -> str:
    amount = f"{count(index['chunks'], 'chunk')} of {count(index['documents'], 'document')}"
    return f"Version {index['version']}: {amount}, searched by meaning and by words."


def _spoken(word: str, message: str, hydration: Mapping[str, Any]) -> str:
    error = hydration["last_error"]
    if hydration["state"] == "fetching":
        done, total = hydration["bytes_done"], hydration["bytes_total"]
        percent = 100 * done / total if total else 0.0
        return f"{word}: fetching, {percent // _STEP_PERCENT * _STEP_PERCENT:.0f} percent."
    if hydration["state"] == "failed" and error:
        return f"{word}. The last hydration failed: {error['message']}"
    return f"{word}: {hydration['state']}." if word == "Hydrating" else f"{word}. {message}"


def _fault(hydration: Mapping[str, Any], now: datetime) -> Fault | None:
    error = hydration["last_error"]
    if error is None:
        return None
    retry = moment(error["retry_at"], now)
    if hydration["state"] != "failed":
        todo, retry = "The next attempt is under way.", None
    elif retry is not None:
        todo = "It is tried again by itself; the tool rehydrate does so at once."
    else:
        todo = "It is not tried again by itself: see to the cause, then call the tool rehydrate."
    return Fault(error["code"], error["message"], moment(error["at"], now), retry, todo)


def _live(index: Mapping[str, Any], overview: Overview, now: datetime) -> Live:
    created, expires = moment(index["created"], now), moment(index["expires"], now)
    ranked = sorted(overview.languages.items(), key=lambda item: (-item[1], item[0]))
    age = index["age_seconds"]
    facts = (
        ("Segments", index["segments"]),
        ("Encoder", index["encoder"]),
        ("Channel", index["channel"]),
        ("Expires", "" if expires is None else f"{expires.exact} ({expires.away})"),
        ("Trees", ", ".join(sorted(overview.trees)[:_LISTED])),
        ("On disk", "" if index["bytes_on_disk"] is None else size(index["bytes_on_disk"])),
    )
    return Live(
        generation=index["generation"],
        version=str(index["version"]),
        created=created,
        figures=(
            ("chunks", f"{index['chunks']:,}"),
            ("documents", f"{index['documents']:,}"),
        ),
        age="?" if age is None else duration(age),
        facts=tuple((name, str(value)) for name, value in facts if value),
        languages=tuple((name, f"{number:,}") for name, number in ranked[:_LISTED]),
        more_languages=f"and {len(ranked) - _LISTED} more" if len(ranked) > _LISTED else "",
    )


def _kept(each: Generation, served: str | None, now: datetime) -> Kept:
    live = each.digest == served
    documents = "" if each.documents is None else count(each.documents, "document")
    notes = (
        ("indexed here", each.local),
        (f"signed by {each.signed_by}", each.signed_by is not None),
        ("gone back from", each.rolled_back),
        ("incomplete", not each.whole),
    )
    short = each.digest.removeprefix("sha256:")[:12]
    return Kept(
        digest=each.digest,
        short=short,
        name=f"generation {short}" if each.version is None else f"version {each.version}",
        refs=each.refs,
        created=moment(each.created, now),
        extent=", ".join(part for part in (documents, "" if each.size is None else size(each.size)) if part),
        notes=tuple(note for note, holds in notes if holds),
        live=live,
        can_go_back=each.whole and not live,
    )
