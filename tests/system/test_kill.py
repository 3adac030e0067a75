"""Killed again and again: what has come is not fetched again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.fakes.serving import serving
from tests.system.conftest import MakeNginx, Published

pytestmark = pytest.mark.system

KILLS = 20


def reached(moment: float) -> Callable[[dict[str, Any]], bool]:
    """Return what tells whether so many bytes are there."""
    return lambda status: bool(status["hydration"]["bytes_done"] >= moment)


@pytest.mark.timeout(300)
async def test_twenty_kills_cost_less_than_a_twentieth(
    nginx: MakeNginx, published: Published, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """kill -9 at random moments of one hydration of 200 MB: it ends hydrated, and hardly anything was sent twice.

    What was sent is counted by nginx, which counts what it has handed to the system. At full speed that would be
    megabytes in the buffers of sockets, sent but never read, which no client could have kept; and to a client that was
    killed it sends one more piece before it notices. So it sends small pieces, at a pace that the client keeps up with:
    nearly all that it counts has been read.
    """
    host = nginx(published.site, http="limit_rate 2m; sendfile_max_chunk 16k;")
    source = ("--index-bootstrap-url", host.url)
    random = Random(3)  # noqa: S311 - nothing is kept secret with it
    for moment in sorted(random.uniform(0, published.size) for _ in range(KILLS)):
        async with serving(tmp_path, *source) as server:
            await server.until(reached(moment))
            server.process.kill()
            await server.process.wait()
    async with serving(tmp_path, *source) as server:
        status = await server.hydrated()
    host.stop()
    sent = sum(request.sent for request in host.requests())
    record_property("bytes to fetch", published.size)
    record_property(f"bytes sent, with {KILLS} kills", sent)
    record_property("their ratio", round(sent / published.size, 4))
    assert status["index"]["generation"] == published.generation
    assert sent <= 1.05 * published.size
