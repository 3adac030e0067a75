"""Told to end while it extracts or validates: quickly, and nothing that was fetched is lost."""

from __future__ import annotations

import tarfile
import threading
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
import zstandard

from pycontextify.encoder.http import open_endpoint
from pycontextify.encoder.onnx import open_directory
from pycontextify.snapshot.digest import digest_of
from tests.encoder.service import Reply, embeddings, running_service
from tests.fakes.encoder import write_tiny_model
from tests.fakes.server import SnapshotServer
from tests.fakes.serving import Serving, serving
from tests.fakes.stopping import WORDS, publish_small, stop_each_way, vectors_of

pytestmark = pytest.mark.system


async def test_while_it_extracts(tmp_path: Path) -> None:
    """An archive of 2 MB that holds 300: what was fetched is kept, what was extracted is not."""
    write_tiny_model(tmp_path / "model", words=WORDS)
    archive = publish_small(tmp_path, open_directory(tmp_path / "model")) / "index.tar.zst"
    pack(archive)
    partials = tmp_path / "index/.pycontextify/partial"
    async with SnapshotServer(archive.parent) as host:
        flags = ("--index-bootstrap-archive", host.url("index.tar.zst"))

        async def held(server: Serving) -> None:
            await server.logged("fetched")  # which is the last that it says before

        await stop_each_way(tmp_path, *flags, held=held)
        assert "extracted" not in (tmp_path / "log").read_text()
        assert {path.suffix for path in partials.iterdir()} == {".part", ".journal"}
        async with serving(tmp_path, *flags) as server:
            await server.hydrated()
        assert host.body_bytes("index.tar.zst") == archive.stat().st_size


def pack(archive: Path) -> None:
    """Archive the layout that it lies in, with a blob of 300 MB that nobody needs: zeros, after enough that is not."""
    stuffing = Random(300).randbytes(2 << 20) + bytes(300 << 20)  # noqa: S311 - nothing is kept secret with them
    surplus = archive.with_name("surplus")
    surplus.write_bytes(stuffing)
    with (
        archive.open("wb") as file,
        zstandard.ZstdCompressor().stream_writer(file) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        tar.add(surplus, f"blobs/sha256/{digest_of(stuffing).hex}")
        for path in ("oci-layout", "index.json", "blobs"):
            tar.add(archive.with_name(path), path)
    surplus.unlink()


async def test_while_it_validates(tmp_path: Path) -> None:
    """The embedding service that is to answer a probe never does: its thread is left behind, the downloads are kept."""
    with running_service() as service:
        encoder = open_endpoint(service.url, "tiny", dimension=32)
        async with SnapshotServer(publish_small(tmp_path, encoder)) as host:
            flags = (
                *("--index-bootstrap-url", host.url(), "--embedding-provider", "http"),
                *("--embedding-url", service.url, "--embedding-model", "tiny"),
            )
            gone = threading.Event()
            service.answer = partial(_after, gone)
            await stop_each_way(tmp_path, *flags, held=lambda server: server.in_state("validating"))
            gone.set()
            async with serving(tmp_path, *flags) as server:
                await server.hydrated()
            blob = vectors_of(tmp_path / "site")
            assert host.body_bytes(f"blobs/sha256/{blob.digest.hex}") == blob.size


def _after(event: threading.Event, body: dict[str, Any]) -> Reply:
    event.wait()
    return embeddings(body)
