"""The account of the demo, in words. Every function returns lines; `say` alone prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pycontextify.redact import one_line
from pycontextify.server.words import count, size

if TYPE_CHECKING:
    from pycontextify.cli.demo.build import Indexed
    from pycontextify.cli.demo.child import ServerChild
    from pycontextify.cli.demo.client import Asked
    from pycontextify.cli.demo.host import Served
    from pycontextify.publish.report import PublishReport

__all__ = [
    "ASKING",
    "OPENING",
    "STARTING",
    "answered",
    "answered_early",
    "changed",
    "closing",
    "hydrated",
    "indexed",
    "indexing",
    "progressed",
    "published",
    "rehydrated",
    "rehydrating",
    "say",
    "started",
    "swapped",
]

OPENING = ["Built once, published as files, hydrated by every server while it already answers."]
STARTING = ["", "3. Hydrate: a server starts with an empty index, and is asked at once"]
ASKING = ["", "4. Search, over MCP"]

_SHOWN = 2


def say(lines: Iterable[str]) -> None:
    """Print lines, at once: somebody is watching."""
    for line in lines:
        print(one_line(line), flush=True)


def indexing(packages: Sequence[str], docs: Sequence[Path]) -> list[str]:
    """Before indexing."""
    beside = "".join(f", {path.name}" for path in docs)
    return [
        "",
        f"1. Index {', '.join(packages)} of this Python's standard library{beside}",
        "   (embedding takes a minute or so: it is done once, for everybody)",
    ]


def indexed(done: Indexed) -> list[str]:
    """A tree is indexed."""
    skipped = (f"     skipped {each.path}: {each.reason}" for each in done.report.skipped[:_SHOWN])
    return [f"   {done.label}: {count(done.report.added, 'file')}, {done.seconds:.1f} s", *skipped]


def published(done: Indexed, report: PublishReport, rate: float) -> list[str]:
    """The index is published; ``rate`` is what the host is held back to, in bytes per second."""
    holds = f"{count(done.report.chunks, 'passage')} of {count(done.report.documents, 'document')}"
    return [
        "",
        "2. Publish: a directory of plain files",
        f"   {holds}, {size(report.bytes_total)} with the embedding model",
        f"   served by Python's http.server on loopback, held back to {size(rate)} a second so that one can watch",
    ]


def started(server: ServerChild, seconds: float) -> list[str]:
    """The server is there and an MCP client is connected."""
    return [f"   $ {server.command}", f"   an MCP client is connected after {seconds:.1f} s"]


def answered_early(asked: Asked) -> list[str]:
    """An answer from before there was an index."""
    return [f"   search: {asked.query}", f"     {asked.answer['message']}"]


def progressed(message: str) -> list[str]:
    """What /status says while hydrating."""
    return [f"   /status: {message}"]


def hydrated(document: Mapping[str, Any], seconds: float, served: Served) -> list[str]:
    """The index is there."""
    return [
        f"   ready {seconds:.1f} s after the start: {document['health']['message']}",
        *_fetched(document["hydration"]["assets"]),
        *_account(document["hydration"], served),
    ]


def _fetched(assets: Sequence[Mapping[str, Any]]) -> list[str]:
    largest = sorted(assets, key=lambda asset: -asset["size"])
    return [f"     {size(asset['size']):>8}  {asset['name']}" for asset in largest if asset["state"] != "reused"]


def answered(asked: Asked, *, most: int = _SHOWN) -> list[str]:
    """An answer, with places to look at."""
    return [f"   {asked.query}", *(f"     {_place(result)}" for result in asked.results[:most])]


def _place(result: Mapping[str, Any]) -> str:
    place = f"{result['tree']}/{result['path']}:{result['start_line']}-{result['end_line']}"
    return "  ".join(part for part in (place, result["symbol"], f"({result['score']:.2f})") if part)


def changed(path: str, done: Indexed, report: PublishReport) -> list[str]:
    """Something new is published."""
    there = size(report.bytes_total - report.bytes_copied)
    return [
        "",
        "5. Change something, and hydrate again while a client goes on searching",
        f"   {done.label}/{path} is new: indexed in {done.seconds:.1f} s",
        f"   published: {size(report.bytes_copied)} are new, {there} were there already",
    ]


def rehydrating(percent: float, words: str) -> list[str]:
    """A progress notification of the tool ``rehydrate``."""
    return [f"   rehydrate, {percent:.0f}%: {words}"]


def rehydrated(hydration: Mapping[str, Any], served: Served) -> list[str]:
    """A second hydration has ended."""
    return [*_fetched(hydration["assets"]), *_account(hydration, served)]


def _account(hydration: Mapping[str, Any], served: Served) -> list[str]:
    """Tell where time and bytes went: the last attempt's phases, and what the host saw of it."""
    fetched, reused = size(hydration["bytes_done"]), hydration["bytes_reused"]
    kept = f", kept {size(reused)}" if reused else ""
    phases, requests = hydration["history"][0]["phases"], count(served.requests, "request")
    return [
        f"   fetched {fetched}{kept}; the host sent {size(served.size)} in {requests}",
        f"   phases: {', '.join(f'{name} {seconds:.2f} s' for name, seconds in phases.items())}",
    ]


def swapped(meanwhile: Sequence[Asked]) -> list[str]:
    """What searches saw of the swap."""
    by = Counter(asked.answer["generation"] for asked in meanwhile)
    shares = ", ".join(f"{number} by generation {generation[7:19]}" for generation, number in by.items())
    return [f"   {len(meanwhile)} searches meanwhile, none failed: {shares}"]


def closing(seconds: float) -> list[str]:
    """The end."""
    return ["", f"All of it worked, in {seconds:.0f} s."]
