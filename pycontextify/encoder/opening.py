"""Which encoder serves an index, and keeping it open.

Opening the default model takes a quarter of a second and 160 MB, and hydrating opens a view twice (the candidate, then
the final one): both should share one session.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pycontextify.encoder.default import find_default
from pycontextify.errors import ConfigError

if TYPE_CHECKING:
    from pycontextify.encoder.protocol import Encoder
    from pycontextify.snapshot.config import EncoderInfo
    from pycontextify.snapshot.digest import Digest

__all__ = ["EncoderCache", "local_encoder", "open_encoder"]


class EncoderCache:
    """Open encoders by digest. Thread safe: an encoder is opened once, however many ask for it at a time.

    The latest one is held, so that a view that is closed before its successor opens costs no second session; the
    others are known for as long as somebody else holds them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: Encoder | None = None
        self._known: weakref.WeakValueDictionary[Digest, Encoder] = weakref.WeakValueDictionary()

    def get(self, digest: Digest, opener: Callable[[], Encoder]) -> Encoder:
        """Return the open encoder of this digest, or the one that ``opener`` opens; raises what ``opener`` raises."""
        with self._lock:
            encoder = self._known.get(digest)
            return self._keep(digest, opener() if encoder is None else encoder)

    def add(self, encoder: Encoder) -> Encoder:
        """Take in an encoder that is open; returns the one already known by its digest, if there is one."""
        return self.get(encoder.info.digest, lambda: encoder)

    def _keep(self, digest: Digest, encoder: Encoder) -> Encoder:
        self._latest = self._known[digest] = encoder
        return encoder


def open_encoder(
    info: EncoderInfo,
    blob: Callable[[Digest], Path],
    local: Callable[[], Encoder | None],
    cache: EncoderCache,
) -> Encoder | None:
    """Open the encoder whose vectors an index holds; None when there is none at hand.

    1. The snapshot carries the model's files: they are opened where ``blob`` says they are.
    2. Else ``local`` gives the encoder that this machine's settings ask for: it serves if it is the very same.
    3. Else there is none, and only words can be searched.

    ``local`` is not called unless rule 2 needs it. Blocks while a model is opened. Raises NotReadyError when the
    encoder that should serve can't be opened: its message is the reason to show beside what words alone find.
    """
    if info.files and info.provider == "onnx":
        return cache.get(info.digest, lambda: _open_blobs(info, blob))
    encoder = local()
    if encoder is None or encoder.info.digest != info.digest:
        return None
    return cache.add(encoder)


def local_encoder(
    provider: str,
    model: str | None = None,
    url: str | None = None,
    api_key: str | None = None,
    *,
    dimension: int | None = None,
) -> Encoder:
    """Open the encoder that the settings ask for. Blocks.

    ``onnx``: the model in the directory ``model``, the default one when that is None.
    ``http``: the model named ``model`` at the endpoint ``url``; ``dimension`` spares the request that finds it out, so
    that an endpoint which is down for now can be opened all the same.
    Raises ConfigError when a setting is lacking or wrong, NotReadyError when the encoder can't be opened.
    """
    if provider == "http":
        from pycontextify.encoder.http import open_endpoint

        if not url or not model:
            raise ConfigError(
                f"an embedding service needs {'its address' if model else 'the name of a model'}",
                code="encoder_setting_missing",
                hint="set both the embedding URL and the embedding model, or the embedding provider onnx",
            )
        return open_endpoint(url, model, api_key, dimension=dimension)
    from pycontextify.encoder.onnx import open_directory, open_model

    return open_model(find_default()) if model is None else open_directory(Path(model))


def _open_blobs(info: EncoderInfo, blob: Callable[[Digest], Path]) -> Encoder:
    from pycontextify.encoder.onnx import open_files

    return open_files(info, {name: blob(digest) for name, digest in info.files.items()})
