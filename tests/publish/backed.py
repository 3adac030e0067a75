"""An encoder with files, which travel with what it builds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pycontextify.snapshot.digest import digest_of
from tests.fakes.encoder import TinyEncoder

__all__ = ["BackedEncoder"]


class BackedEncoder:
    """The tiny encoder with two files beside it, which it does not need."""

    def __init__(self, directory: Path) -> None:
        self.contents = {"model.onnx": b"weights" * 1000, "vocab.txt": b"[PAD]\n[UNK]\n"}
        self.paths: Mapping[str, Path] = {name: directory / name for name in self.contents}
        directory.mkdir(parents=True, exist_ok=True)
        for name, path in self.paths.items():
            path.write_bytes(self.contents[name])
        self._tiny = TinyEncoder(name="backed")
        files = {name: digest_of(content) for name, content in self.contents.items()}
        self.info = replace(self._tiny.info, files=files)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed passages; shape (len(texts), dimension)."""
        return self._tiny.embed_passages(texts)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Embed a query; shape (dimension,)."""
        return self._tiny.embed_query(text)
