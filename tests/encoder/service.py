"""A real embeddings endpoint on loopback, made of the standard library's HTTP server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.encoder import TinyEncoder

__all__ = ["EmbeddingService", "Reply", "Seen", "embeddings", "running_service"]


@dataclass(frozen=True)
class Reply:
    """What to answer; ``cut`` closes the connection after so many bytes of the body."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None


@dataclass(frozen=True)
class Seen:
    """A request that arrived."""

    path: str
    authorization: str | None
    body: dict[str, Any]


def embeddings(body: dict[str, Any], encoder: TinyEncoder | None = None) -> Reply:
    """Answer well, as an endpoint may: the items in another order than the texts, their length not one."""
    rows = (encoder or TinyEncoder()).embed_passages(body["input"])
    items = [
        {"object": "embedding", "index": row, "embedding": (vector * 3).tolist()} for row, vector in enumerate(rows)
    ]
    return Reply(200, json.dumps({"object": "list", "data": items[::-1], "model": body["model"]}).encode())


class EmbeddingService:
    """The endpoint: ``answer`` decides on each reply, ``seen`` keeps what was asked."""

    def __init__(self, port: int) -> None:
        self.address = f"127.0.0.1:{port}"
        self.url = f"http://{self.address}/v1"
        self.answer: Callable[[dict[str, Any]], Reply] = embeddings
        self.seen: list[Seen] = []


@contextmanager
def running_service() -> Iterator[EmbeddingService]:
    """Serve until the block ends."""

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.seen.append(Seen(self.path, self.headers["Authorization"], body))
            reply = service.answer(body)
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body[: reply.cut])
            self.close_connection = reply.cut is not None

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        # A client that keeps its connection open must not keep the server from ending.
        server.daemon_threads = True
        service = EmbeddingService(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
