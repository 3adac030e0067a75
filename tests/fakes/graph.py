"""Models written by hand: a few fields of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["UNFOLDING", "model", "node", "tensor"]

_KINDS = {"float32": 1, "uint8": 2, "int8": 3, "int64": 7}  # TensorProto.DataType
_INT, _GRAPH = 2, 5  # AttributeProto.AttributeType


def model(
    nodes: Sequence[bytes], tensors: Sequence[bytes], inputs: Sequence[str], outputs: Mapping[str, Sequence[int | str]]
) -> bytes:
    """Serialise a ModelProto whose inputs are of texts' tokens, and whose outputs, of the given shapes, are float32."""
    return _field(1, 8) + _field(7, graph(nodes, tensors, inputs, outputs)) + _field(8, _field(1, b"") + _field(2, 17))


def graph(
    nodes: Sequence[bytes], tensors: Sequence[bytes], inputs: Sequence[str], outputs: Mapping[str, Sequence[int | str]]
) -> bytes:
    """Serialise a GraphProto."""
    return (
        b"".join(_field(1, node) for node in nodes)
        + _field(2, b"tiny")
        + b"".join(_field(5, tensor) for tensor in tensors)
        + b"".join(_field(11, _value(name, _KINDS["int64"], ("batch", "sequence"))) for name in inputs)
        + b"".join(_field(12, _value(name, _KINDS["float32"], shape)) for name, shape in outputs.items())
    )


def node(operator: str, inputs: Sequence[str], output: str, domain: str = "", **attributes: int | bytes) -> bytes:
    """Serialise a NodeProto; an attribute is a number, or a graph."""
    return (
        b"".join(_field(1, name.encode()) for name in inputs)
        + _field(2, output.encode())
        + _field(3, output.encode())
        + _field(4, operator.encode())
        + b"".join(_field(5, _attribute(name, value)) for name, value in attributes.items())
        + _field(7, domain.encode())
    )


def tensor(name: str, content: NDArray[Any]) -> bytes:
    """Serialise a TensorProto of bytes, float32 or int64."""
    raw = np.ascontiguousarray(content, dtype=content.dtype.newbyteorder("<")).tobytes()
    dimensions = b"".join(_field(1, size) for size in content.shape)
    return dimensions + _field(2, _KINDS[content.dtype.name]) + _field(8, name.encode()) + _field(9, raw)


def _attribute(name: str, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _field(1, name.encode()) + _field(3, value) + _field(20, _INT)
    return _field(1, name.encode()) + _field(6, value) + _field(20, _GRAPH)


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


UNFOLDING = (node("Cast", ("stored",), "wide", to=_KINDS["float32"]), node("Mul", ("wide", "scale"), "table"))
"""``table``, made of the bytes ``stored`` and a ``scale`` for each row."""
