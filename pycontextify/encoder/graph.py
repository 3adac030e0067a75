"""A model's graph, changed so that tables which are only looked up in stay in their file.

An export with int8 weights and a scale for each row says: unfold the table, then look rows up. onnxruntime unfolds it
when it opens the model, and holds four times its size. `look_up_first` says: look rows up, then unfold them. Each
number is made by the same two operations, so the vectors are the same bits; and what isn't unfolded can be mapped from
the file it lies in, where the system may drop it at any time (docs/adr/0023).

The few messages and fields that it takes are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto; protobuf
keeps all others as they are.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

__all__ = ["look_up_first"]

_LARGEST = 256 << 20  # a larger model isn't looked at: it would be in memory twice meanwhile
_MAPPED = 64 << 10  # a smaller tensor isn't worth a mapping of its own
_BYTES = (2, 3)  # TensorProto.DataType: UINT8 and INT8, which lie well at any offset
_EXTERNAL = 1  # TensorProto.DataLocation

_Field = descriptor_pb2.FieldDescriptorProto
_Type: TypeAlias = "_Field.Type.ValueType"
_TEXT, _NUMBER, _CONTENT = _Field.TYPE_STRING, _Field.TYPE_INT64, _Field.TYPE_BYTES
# Of each field its number, its type, and whether it is repeated.
_MESSAGES: Mapping[str, Mapping[str, tuple[int, _Type | str, bool]]] = {
    "Model": {"graph": (7, "Graph", False)},
    "Graph": {"node": (1, "Node", True), "initializer": (5, "Tensor", True), "output": (12, "Value", True)},
    "Node": {
        "input": (1, _TEXT, True),
        "output": (2, _TEXT, True),
        "name": (3, _TEXT, False),
        "op_type": (4, _TEXT, False),
        "attribute": (5, "Attribute", True),
        "domain": (7, _TEXT, False),
    },
    "Attribute": {
        "name": (1, _TEXT, False),
        "i": (3, _NUMBER, False),
        "g": (6, _CONTENT, False),
        "graphs": (11, _CONTENT, True),
    },
    "Tensor": {
        "dims": (1, _NUMBER, True),
        "data_type": (2, _NUMBER, False),
        "name": (8, _TEXT, False),
        "raw_data": (9, _CONTENT, False),
        "external_data": (13, "Entry", True),
        "data_location": (14, _NUMBER, False),
    },
    "Entry": {"key": (1, _TEXT, False), "value": (2, _TEXT, False)},
    "Value": {"name": (1, _TEXT, False)},
}


def look_up_first(path: Path) -> bytes | None:
    """Return a model that gives what the one at ``path`` gives, and maps its int8 tensors from there; None as it is.

    ``path`` must be no link, and its directory be told to whoever opens the model. Raises OSError, and
    google.protobuf's DecodeError when the file is none.
    """
    if path.stat().st_size > _LARGEST:
        return None
    content = path.read_bytes()
    model = _model_type().FromString(content)
    nodes = list(_turned_round(model.graph))
    if len(nodes) == len(model.graph.node):
        return None
    model.graph.ClearField("node")
    model.graph.node.extend(nodes)
    _map_tensors(model.graph, content, path.name)
    return bytes(model.SerializeToString())


@dataclass(frozen=True, slots=True)
class _LookUp:
    """Rows picked out of an unfolded table: Gather(Mul(Cast(table), scale), ids)."""

    gather: Any
    cast: Any
    unfolded: Any

    def rows_first(self) -> Iterator[Any]:
        """Yield the nodes of Mul(Cast(Gather(table, ids)), Gather(scale, ids)), which have the same result."""
        (result,), (ids,) = self.gather.output, self.gather.input[1:]
        (table,), (_, scale) = self.cast.input, self.unfolded.input
        rows, scales, wide = (f"{result}/{what}" for what in ("rows", "scales", "wide"))
        yield _copy(self.gather, [table, ids], rows)
        yield _copy(self.gather, [scale, ids], scales)
        yield _copy(self.cast, [rows], wide)
        yield _copy(self.unfolded, [wide, scales], result)


def _turned_round(graph: Any) -> Iterator[Any]:
    """Yield the graph's nodes, each look-up's where its Gather was: by then, what it looks up is known."""
    look_ups = {look_up.gather.output[0]: look_up for look_up in _look_ups(graph)}
    gone = {node.output[0] for look_up in look_ups.values() for node in (look_up.cast, look_up.unfolded)}
    for node in graph.node:
        if look_up := look_ups.get(node.output[0]):
            yield from look_up.rows_first()
        elif node.output[0] not in gone:
            yield node


def _look_ups(graph: Any) -> Iterator[_LookUp]:
    if any(attribute.g or attribute.graphs for node in graph.node for attribute in node.attribute):
        return  # a graph within the graph can use any of its names
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    uses = Counter(name for node in graph.node for name in node.input) + Counter(value.name for value in graph.output)

    def made_by(operator: str, name: str) -> Any | None:
        """Return the node that makes this for a single other one, if it is of that kind."""
        node = makers.get(name)
        return node if node is not None and uses[name] == 1 and _is(node, operator) else None

    for gather in graph.node:
        if not _is(gather, "Gather") or any(attribute.name == "axis" and attribute.i for attribute in gather.attribute):
            continue
        unfolded = made_by("Mul", gather.input[0])
        cast = None if unfolded is None else made_by("Cast", unfolded.input[0])
        if unfolded is None or cast is None:
            continue
        if _one_a_row(shapes.get(unfolded.input[1], ()), shapes.get(cast.input[0], ())):
            yield _LookUp(gather, cast, unfolded)


def _one_a_row(scale: tuple[int, ...], table: tuple[int, ...]) -> bool:
    return len(scale) == len(table) > 0 and scale[0] == table[0]


def _is(node: Any, operator: str) -> bool:
    return bool(node.op_type == operator and node.domain in ("", "ai.onnx"))


def _copy(node: Any, inputs: list[str], output: str) -> Any:
    copy = type(node)()
    copy.CopyFrom(node)
    copy.ClearField("name")  # no two nodes may share one, and none is needed
    copy.input[:] = inputs
    copy.output[:] = [output]
    return copy


def _map_tensors(graph: Any, content: bytes, file: str) -> None:
    """Say of each large tensor of bytes where in ``file``, which holds ``content``, it lies: they are in its order."""
    at = 0
    for tensor in graph.initializer:
        raw = tensor.raw_data
        if len(raw) < _MAPPED or tensor.data_type not in _BYTES:
            continue
        at = content.index(raw, at)
        tensor.ClearField("raw_data")
        tensor.data_location = _EXTERNAL
        for key, value in {"location": file, "offset": str(at), "length": str(len(raw))}.items():
            tensor.external_data.add(key=key, value=value)
        at += len(raw)


@functools.cache
def _model_type() -> Any:
    """Return the class of messages of the type Model."""
    file = descriptor_pb2.FileDescriptorProto(name="graph.proto", package="onnx", syntax="proto2")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind, repeated) in fields.items():
            label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
            added = message.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type, added.type_name = _Field.TYPE_MESSAGE, f".onnx.{kind}"
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("onnx.Model"))
