"""Ending a server process in the middle of a hydration: the ways to do it, and something small to hydrate from."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from pycontextify.encoder.protocol import Encoder
from pycontextify.publish.directory import publish_directory
from pycontextify.snapshot.manifest import Descriptor
from pycontextify.store.layout import Layout
from tests.fakes.generation import make_generation
from tests.fakes.serving import Serving, serving

__all__ = ["WAYS", "WORDS", "publish_small", "stop_each_way", "vectors_of"]

WAYS = (signal.SIGTERM, signal.SIGINT, None)
"""None: the client leaves."""

WORDS = ("passage", "number", "many")
"""What the passages of the small index are about."""


def publish_small(home: Path, encoder: Encoder) -> Path:
    """Build and publish an index of two hundred passages below ``home``; return where it is published."""
    built = Layout(home / "built")
    built.create()
    texts = [f"passage number {number} of many" for number in range(200)]
    publish_directory(built, make_generation(built, texts, encoder=encoder), home / "site")
    return home / "site"


def vectors_of(site: Path) -> Descriptor:
    """Return the first vectors blob of a published index."""
    published = Layout(site)
    return published.manifest(published.refs().refs["latest"].digest).layers[0]


async def stop_each_way(home: Path, *flags: object, held: Callable[[Serving], Awaitable[object]]) -> None:
    """Start a server, wait until it is ``held`` where it is to end, and end it; in every way, one after the other.

    Each time it ends within five seconds, and its lock is free for another process: for this one.
    """
    for way in WAYS:
        async with serving(home, *flags, stdio=way is None) as server:
            await held(server)
            assert await server.leave(way) < 5, way
            assert "Traceback" not in server.log()
        layout = Layout(home / "index")
        layout.create()
        with layout.lock(timeout=0):
            pass
