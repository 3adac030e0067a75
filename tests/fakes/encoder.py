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

__all__ = ["TinyEncoder", "word_vector", "write_tiny_model"]

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")
_COMMON = frozenset(
    ["a", "an", "and", "are", "by", "for", "from", "how", "i", "in", "is", "it", "of", "on", "or", "that", "the", "to"]
)
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_FLOAT, _INT64 = 1, 7  # onnx.proto, TensorProto.DataType


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
) -> None:
    """Write ``model.onnx`` and ``vocab.txt``: a real model that looks up `word_vector` for each token.

    Tokens are the special ones of BERT ([PAD] and [UNK] are zeros), letters, digits and ``words``. With the output
    ``sentence_embedding`` the graph adds the tokens up by itself.
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
    directory.joinpath("model.onnx").write_bytes(_model(table, inputs, output))


def _model(table: NDArray[np.float32], inputs: Sequence[str], output: str) -> bytes:
    """Serialise a ModelProto by hand: a few fields of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto."""
    ready = output == "sentence_embedding"
    nodes = [_node("Gather", ("table", "input_ids"), "tokens" if ready else output)]
    if ready:
        nodes.append(_node("ReduceSum", ("tokens", "axis"), output, _field(5, _keep_no_dimension())))
    graph = b"".join(_field(1, node) for node in nodes)
    graph += _field(2, b"tiny")
    graph += _field(5, _tensor("table", _FLOAT, table.shape, table.astype("<f4").tobytes()))
    graph += _field(5, _tensor("axis", _INT64, (1,), np.array([1], dtype="<i8").tobytes())) if ready else b""
    graph += b"".join(_field(11, _value(name, _INT64, ("batch", "sequence"))) for name in inputs)
    shape = ("batch", table.shape[1]) if ready else ("batch", "sequence", table.shape[1])
    graph += _field(12, _value(output, _FLOAT, shape))
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, b"") + _field(2, 17))


def _node(operator: str, inputs: Sequence[str], output: str, attribute: bytes = b"") -> bytes:
    return (
        b"".join(_field(1, name.encode()) for name in inputs)
        + _field(2, output.encode())
        + _field(4, operator.encode())
        + attribute
    )


def _keep_no_dimension() -> bytes:
    return _field(1, b"keepdims") + _field(3, 0) + _field(20, 2)


def _tensor(name: str, kind: int, shape: Sequence[int], content: bytes) -> bytes:
    return b"".join(_field(1, size) for size in shape) + _field(2, kind) + _field(8, name.encode()) + _field(9, content)


def _value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    sizes = (_field(1, size) if isinstance(size, int) else _field(2, size.encode()) for size in shape)
    dimensions = b"".join(_field(1, size) for size in sizes)
    return _field(1, name.encode()) + _field(2, _field(1, _field(1, kind) + _field(2, dimensions)))


def _field(number: int, value: int | bytes) -> bytes:
    """Serialise one field: a varint, or bytes with their length (https://protobuf.dev/programming-guides/encoding)."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(parts) + bytes([value])
