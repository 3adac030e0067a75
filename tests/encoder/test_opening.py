"""Which encoder serves an index, and that it is opened once."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pycontextify.encoder.onnx import OnnxEncoder, open_directory
from pycontextify.encoder.opening import EncoderCache, local_encoder, open_encoder
from pycontextify.encoder.protocol import Encoder
from pycontextify.errors import ConfigError, NotReadyError
from pycontextify.snapshot.digest import Digest
from tests.encoder.service import EmbeddingService
from tests.fakes.encoder import TinyEncoder, write_tiny_model


def never() -> Encoder:
    """Stand where nothing should be opened."""
    raise AssertionError("this was not to be opened")


def no_blob(digest: Digest) -> Path:
    """Stand where no blob should be asked for."""
    raise AssertionError(f"blob {digest} was not to be asked for")


@pytest.fixture
def carried(tmp_path: Path) -> OnnxEncoder:
    """An encoder with files."""
    write_tiny_model(tmp_path / "little", ["retry"])
    return open_directory(tmp_path / "little")


def blob_of(encoder: OnnxEncoder) -> Callable[[Digest], Path]:
    """Tell where an encoder's files lie, by digest."""
    places = {encoder.info.files[name]: path for name, path in encoder.paths.items()}
    return lambda digest: places[digest]


def test_the_files_of_a_snapshot_come_first(carried: OnnxEncoder) -> None:
    """What travels with the snapshot serves, whatever is configured here."""
    encoder = open_encoder(carried.info, blob_of(carried), never, EncoderCache())
    assert encoder is not None
    assert encoder.info == carried.info
    np.testing.assert_array_equal(encoder.embed_query("retry"), carried.embed_query("retry"))


def test_else_the_very_same_encoder_serves() -> None:
    """Without files, this machine's own encoder serves if its digest is that of the index."""
    tiny = TinyEncoder()
    assert open_encoder(tiny.info, no_blob, lambda: tiny, EncoderCache()) is tiny


@pytest.mark.parametrize("local", [None, TinyEncoder(dimension=16), TinyEncoder(name="other")])
def test_else_there_is_none(local: Encoder | None) -> None:
    """No encoder is better than one whose vectors mean something else."""
    assert open_encoder(TinyEncoder().info, no_blob, lambda: local, EncoderCache()) is None


def test_files_that_can_not_be_opened_are_reported(carried: OnnxEncoder) -> None:
    """The reason is told: it is what degraded results show."""
    with pytest.raises(NotReadyError) as caught:
        open_encoder(carried.info, lambda _: Path("/nowhere/at/all"), never, EncoderCache())
    assert caught.value.code == "encoder_unreadable"


def test_a_view_and_its_successor_share_a_session(carried: OnnxEncoder) -> None:
    """A candidate that was closed leaves its encoder to the final view: the latest one is held."""
    cache = EncoderCache()
    first = id(open_encoder(carried.info, blob_of(carried), never, cache))
    gc.collect()
    assert id(open_encoder(carried.info, no_blob, never, cache)) == first


def test_others_are_known_while_somebody_holds_them() -> None:
    """The cache itself holds one; an older one that is still in use is found, one that isn't is let go."""
    cache, opened = EncoderCache(), []

    def opener(name: str) -> Callable[[], Encoder]:
        def opens() -> Encoder:
            opened.append(name)
            return TinyEncoder(name=name)

        return opens

    names = {name: TinyEncoder(name=name).info.digest for name in "ab"}
    held = cache.get(names["a"], opener("a"))
    cache.get(names["b"], opener("b"))
    assert cache.get(names["a"], opener("a")) is held
    gc.collect()
    cache.get(names["b"], opener("b"))
    assert opened == ["a", "b", "b"]


def test_an_open_encoder_can_be_added() -> None:
    """Whoever adds an equal one is given the first."""
    cache, tiny = EncoderCache(), TinyEncoder()
    assert cache.add(tiny) is tiny
    assert cache.add(TinyEncoder()) is tiny
    assert cache.get(tiny.info.digest, never) is tiny


def test_a_failure_is_not_kept() -> None:
    """What could not be opened is tried anew the next time."""
    cache, tiny = EncoderCache(), TinyEncoder()
    with pytest.raises(AssertionError):
        cache.get(tiny.info.digest, never)
    assert cache.get(tiny.info.digest, lambda: tiny) is tiny


def test_those_who_ask_at_once_get_one() -> None:
    """Eight threads, one opening."""
    cache, barrier, opened = EncoderCache(), threading.Barrier(8), []
    digest = TinyEncoder().info.digest

    def opens() -> Encoder:
        opened.append(TinyEncoder())
        return opened[-1]

    def ask(_: int) -> Encoder:
        barrier.wait()
        return cache.get(digest, opens)

    with ThreadPoolExecutor(8) as threads:
        encoders = set(threads.map(ask, range(8)))
    assert encoders == set(opened)
    assert len(opened) == 1


def test_the_settings_name_the_default(default: OnnxEncoder) -> None:
    """No model given: the default one."""
    assert local_encoder("onnx").info == default.info


def test_the_settings_name_a_directory(carried: OnnxEncoder) -> None:
    """A path is a model's directory."""
    directory = carried.paths["model.onnx"].parent
    assert local_encoder("onnx", str(directory)).info == carried.info


def test_the_settings_name_a_service(service: EmbeddingService) -> None:
    """Address, model and key go where they belong."""
    encoder = local_encoder("http", "tiny", service.url, "key")
    assert encoder.info.id == "tiny"
    assert service.seen[0].authorization == "Bearer key"


def test_a_service_of_known_dimension_may_be_down() -> None:
    """It is not asked yet."""
    assert local_encoder("http", "tiny", "http://127.0.0.1:1", dimension=8).info.dimension == 8


@pytest.mark.parametrize(("model", "url"), [(None, "http://127.0.0.1:1"), ("tiny", None), (None, None)])
def test_a_service_needs_address_and_model(model: str | None, url: str | None) -> None:
    """What is lacking is said."""
    with pytest.raises(ConfigError) as caught:
        local_encoder("http", model, url)
    assert caught.value.code == "encoder_setting_missing"


def test_nothing_heavy_is_imported_early() -> None:
    """A server answers its handshake before it has numpy, onnxruntime or an HTTP client."""
    code = (
        "import sys, pycontextify.encoder.opening, pycontextify.encoder.protocol\n"
        "print(sorted({'numpy', 'onnxruntime', 'tokenizers', 'httpx2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
