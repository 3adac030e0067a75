"""Small encoders that really work: one in numpy alone, and the files of one for onnxruntime.

`TinyEncoder` is for whoever needs any encoder. `write_tiny_model` makes a real model of a few kilobytes, for those who
need files: blobs of a snapshot, a model's directory.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pycontextify.snapshot.config import EncoderInfo, canonical_json
from pycontextify.snapshot.digest import digest_of
from tests.fakes.graph import UNFOLDING, model, node, tensor

__all__ = ["TinyEncoder", "word_vector", "write_tiny_model"]

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")
_COMMON = frozenset(
    ["a", "an", "and", "are", "by", "for", "from", "how", "i", "in", "is", "it", "of", "on", "or", "that", "the", "to"]
)
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def word_vector(word: str, dimension: int) -> NDArray[np.float32]:
    """Return a word's own direction: (dimension,) of 1 and -1, from the bits of its SHA-256."""
    digest = hashlib.sha256(word.encode()).digest()
    bits = np.unpackbits(np.frombuffer(digest, dtype=np.uint8))
    return np.asarray(np.resize(bits, dimension) * 2.0 - 1.0, dtype=np.float32)


class TinyEncoder:
    """A bag of words: texts are alike as far as they share words. Deterministic, thread safe, no files.

    Identifiers are split (``parse_multipartBody`` is three words), a plural is its singular, and words such as "the"
    weigh a tenth. Encoders that differ in ``name`` or ``dimension`` (at most 256) differ in their digest.
    """

    def __init__(self, dimension: int = 32, name: str = "tiny") -> None:
        digest = digest_of(canonical_json({"id": name, "dimension": dimension}))
        self.info = EncoderInfo(id=name, digest=digest, dimension=dimension, provider="tiny")

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed passages; shape (len(texts), dimension)."""
        rows = np.empty((len(texts), self.info.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            rows[row] = self.embed_query(text)
        return rows

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Embed a query; shape (dimension,)."""
        total = np.zeros(self.info.dimension, dtype=np.float32)
        for word in _WORD.findall(text):
            stem = word.lower().removesuffix("s")
            total += word_vector(stem, self.info.dimension) * (0.1 if stem in _COMMON else 1.0)
        length = float(np.linalg.norm(total))
        if length == 0.0:
            total[0] = length = 1.0
        return total / np.float32(length)


def write_tiny_model(
    directory: Path,
    words: Iterable[str] = (),
    *,
    dimension: int = 32,
    inputs: Sequence[str] = ("input_ids", "attention_mask", "token_type_ids"),
    output: str = "last_hidden_state",
    int8: bool = False,
) -> None:
    """Write ``model.onnx`` and ``vocab.txt``: a real model that looks up `word_vector` for each token.

    Tokens are the special ones of BERT ([PAD] and [UNK] are zeros), letters, digits and ``words``. With the output
    ``sentence_embedding`` the graph adds the tokens up by itself; with ``int8`` its table is stored as bytes,
    and a scale for each row.
    """
    pieces = [
        *_SPECIAL,
        *(f"{mark}{letter}" for mark in ("", "##") for letter in "abcdefghijklmnopqrstuvwxyz0123456789"),
    ]
    pieces += [word for word in dict.fromkeys(words) if word not in pieces]
    table = np.stack([word_vector(piece, dimension) for piece in pieces])
    table[: _SPECIAL.index("[CLS]")] = 0.0
    directory.mkdir(parents=True, exist_ok=True)
    directory.joinpath("vocab.txt").write_text(
        "".join(f"{piece}\n" for piece in pieces), encoding="utf-8", newline="\n"
    )
    directory.joinpath("model.onnx").write_bytes(_model(table, inputs, output, int8))


def _model(table: NDArray[np.float32], inputs: Sequence[str], output: str, int8: bool) -> bytes:
    ready = output == "sentence_embedding"
    tokens = "tokens" if ready else output
    nodes = [node("Gather", ("table", "input_ids"), tokens)]
    tensors = [tensor("table", table)]
    if int8:
        nodes = [*UNFOLDING, *nodes]
        tensors = [tensor("stored", table.astype(np.int8)), tensor("scale", np.ones((len(table), 1), np.float32))]
    if ready:
        nodes.append(node("ReduceSum", ("tokens", "axis"), output, keepdims=0))
        tensors.append(tensor("axis", np.array([1])))
    shape = ("batch", table.shape[1]) if ready else ("batch", "sequence", table.shape[1])
    return model(nodes, tensors, inputs, {output: shape})
