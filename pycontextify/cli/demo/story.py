"""The order of things in the demo, and what each step must show."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from pycontextify.cli.demo import told
from pycontextify.cli.demo.build import NOTE_PATH, PACKAGES, Builder
from pycontextify.cli.demo.checks import DemoFailed, expect
from pycontextify.cli.demo.child import ServerChild, server_child
from pycontextify.cli.demo.client import Asked, Session, session
from pycontextify.cli.demo.host import RATE, StaticHost, static_host
from pycontextify.cli.demo.watch import read_status

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["tell"]

_HYDRATION_SECONDS = 90.0
_LOOK_SECONDS = 0.5
_FAR_ENOUGH = 20.0
_SMALL_PART = 0.1

_QUESTIONS = (
    ("cancel a coroutine when a timeout expires", "asyncio/timeouts.py"),
    ("parse the cookies that a browser sends", "http/cookies.py"),
    ("split a mail into its attachments", "email/message.py"),
)
"""What is asked, and a document that must be among the answers."""

_NEW_QUESTION = "who has to sign before the Zephyr release"


@dataclass(frozen=True, slots=True)
class _Scene:
    """What the second half of the demo plays in."""

    builder: Builder
    host: StaticHost
    server: ServerChild
    started: float


def tell(place: Path, docs: Sequence[Path], console: Console | None) -> None:
    """Play the whole demo in an empty directory, and print what happens.

    Raises DemoFailed when a step does not show what it should; whatever was started has ended then, as at the end.
    """
    began = time.monotonic()
    config = place / "no-settings.toml"
    config.touch()
    builder = Builder(place, config, console)
    told.say(told.OPENING)
    _build(builder, docs)
    with static_host(builder.published) as host:
        started = time.monotonic()
        told.say(told.STARTING)
        with server_child(place / "server", host.url, config) as server:
            anyio.run(_converse, _Scene(builder, host, server, started))
    told.say(told.closing(time.monotonic() - began))


def _build(builder: Builder, docs: Sequence[Path]) -> None:
    told.say(told.indexing(PACKAGES, docs))
    done = builder.index_packages()
    told.say(told.indexed(done))
    for path in docs:
        done = builder.index_docs(path)
        told.say(told.indexed(done))
    told.say(told.published(done, builder.publish(), RATE))


async def _converse(scene: _Scene) -> None:
    async with session(scene.server.url) as client:
        told.say(told.started(scene.server, time.monotonic() - scene.started))
        before = await _ask_before(client)
        document = await _watch(scene, client, before.query)
        told.say(told.hydrated(document, time.monotonic() - scene.started, scene.host.served()))
        await _ask_after(client)
        await _change(scene, client, document)


async def _ask_before(client: Session) -> Asked:
    """Search while the server has nothing yet: it must say so."""
    asked = await client.search(_QUESTIONS[0][0])
    told.say(told.answered_early(asked))
    expect(asked.answer["index_state"] == "warming", f"an empty server answered: {asked.answer['message']}")
    expect(not asked.results, "an empty server gave results")
    return asked


async def _watch(scene: _Scene, client: Session, query: str) -> dict[str, Any]:
    """Follow /status until the index is served, asking once on the way; return the last document."""
    on_the_way: Asked | None = None
    said = ""
    with anyio.move_on_after(_HYDRATION_SECONDS):
        while True:
            document = await read_status(scene.server.url)
            if document["hydration"]["state"] == "failed":
                raise DemoFailed(f"hydration failed: {document['hydration']['last_error']}")
            if document["index"]["generation"] and document["hydration"]["state"] == "idle":
                expect(on_the_way, "the index came faster than one could ask for it on the way")
                return document
            if document["health"]["message"] != said:
                said = document["health"]["message"]
                told.say(told.progressed(said))
            if on_the_way is None:
                on_the_way = await _ask_on_the_way(client, query)
            await anyio.sleep(_LOOK_SECONDS)
    raise DemoFailed(f"there was no index after {_HYDRATION_SECONDS:.0f} seconds: {said}")


async def _ask_on_the_way(client: Session, query: str) -> Asked | None:
    """Search; the answer counts, and is told, when it says how far it is and how long it takes."""
    asked = await client.search(query)
    if (asked.answer.get("percent") or 0.0) < _FAR_ENOUGH or asked.answer.get("eta_seconds") is None:
        return None
    told.say(told.answered_early(asked))
    return asked


async def _ask_after(client: Session) -> None:
    """Search the hydrated index: every question must find its document."""
    told.say(told.ASKING)
    for query, path in _QUESTIONS:
        asked = await client.search(query)
        told.say(told.answered(asked))
        expect(asked.found(path), f"{query!r} did not find {path}")


async def _change(scene: _Scene, client: Session, before: dict[str, Any]) -> None:
    """Add a document, publish again, rehydrate: little is fetched, and no search fails meanwhile."""
    expect(
        not (await client.search(_NEW_QUESTION)).found(NOTE_PATH), "the new document was there before it was written"
    )
    indexed = await anyio.to_thread.run_sync(scene.builder.index_note)
    published = await anyio.to_thread.run_sync(scene.builder.publish)
    told.say(told.changed(NOTE_PATH, indexed, published))
    served = scene.host.served()
    answer, meanwhile = await _rehydrate_while_asking(client)
    done = answer["hydration"]
    told.say(told.rehydrated(done, scene.host.served().since(served)))
    expect(answer["generation"] != before["index"]["generation"], "the server still serves the old generation")
    whole = done["bytes_done"] + done["bytes_reused"]
    expect(0 < done["bytes_done"] < _SMALL_PART * whole, f"{done['bytes_done']} of {whole} bytes were fetched again")
    told.say(told.swapped(meanwhile))
    expect(all(asked.found(_QUESTIONS[0][1]) for asked in meanwhile), "an answer during the swap lacked results")
    asked = await client.search(_NEW_QUESTION)
    told.say(told.answered(asked, most=1))
    expect(asked.results and asked.results[0]["path"] == NOTE_PATH, "the new document is not what is found first")


async def _rehydrate_while_asking(client: Session) -> tuple[dict[str, Any], list[Asked]]:
    """Rehydrate through MCP while another task goes on searching; return both's answers."""
    meanwhile: list[Asked] = []
    failures: list[DemoFailed] = []
    query, ended = _QUESTIONS[0][0], anyio.Event()

    async def go_on_asking() -> None:
        try:
            while not ended.is_set():
                meanwhile.append(await client.search(query))
            meanwhile.append(await client.search(query))
        except DemoFailed as error:
            failures.append(error)

    async def progressed(percent: float, words: str) -> None:
        told.say(told.rehydrating(percent, words))

    answer: dict[str, Any] = {}
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(go_on_asking)
        try:
            answer = await client.rehydrate(progressed)
        except DemoFailed as error:
            failures.append(error)
        ended.set()
    if failures:
        raise failures[0]
    return answer, meanwhile
