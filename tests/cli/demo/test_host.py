"""The demo's static host."""

from __future__ import annotations

import http.client
from pathlib import Path
from urllib.parse import urlsplit

from pycontextify.cli.demo.host import Served, static_host


def _get(url: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_files_arrive_whole_and_are_counted(tmp_path: Path) -> None:
    """What the demo says of requests and bytes is what the host has seen."""
    content = bytes(range(256)) * 1000
    (tmp_path / "blob").write_bytes(content)
    with static_host(tmp_path) as host:
        before = host.served()
        assert _get(host.url, "/blob") == (200, content)
        assert _get(host.url, "/nothing")[0] == 404
        assert host.served().since(before) == Served(2, len(content))


def test_a_client_that_leaves_does_no_harm(tmp_path: Path) -> None:
    """The next one is served."""
    (tmp_path / "blob").write_bytes(bytes(3_000_000))
    with static_host(tmp_path) as host:
        leaving = http.client.HTTPConnection(urlsplit(host.url).netloc)
        leaving.request("GET", "/blob")
        leaving.getresponse().read(1)
        leaving.close()
        assert len(_get(host.url, "/blob")[1]) == 3_000_000
