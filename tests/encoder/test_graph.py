"""Graphs that look up first: the same vectors, from a table that stays in its file; other graphs stay as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnxruntime
import pytest
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from pycontextify.encoder.default import find_default
from pycontextify.encoder.graph import look_up_first
from pycontextify.encoder.model import MODEL_FILE
from pycontextify.encoder.onnx import open_directory
from tests.fakes.encoder import write_tiny_model
from tests.fakes.graph import UNFOLDING, graph, model, node, tensor

ROWS, WIDTH = 300, 256
IDS = np.array([[1, 299, 0], [17, 17, 3]])
LOOK_UP = node("Gather", ("table", "input_ids"), "rows")
SHAPE = ("batch", "sequence", WIDTH)


def stored(seed: int) -> NDArray[np.int8]:
    """Return the content of a table, which is large enough to be mapped."""
    return np.random.default_rng(seed).integers(-127, 128, (ROWS, WIDTH), dtype=np.int8)


def scales(seed: int) -> NDArray[np.float32]:
    """Return a scale for each of its rows."""
    return np.random.default_rng(seed).random((ROWS, 1), dtype=np.float32)


TABLES: Mapping[str, NDArray[Any]] = {"stored": stored(1), "scale": scales(2)}


def written(
    directory: Path,
    nodes: Sequence[bytes],
    outputs: Sequence[str] = ("rows",),
    tables: Mapping[str, NDArray[Any]] = MappingProxyType({}),
) -> Path:
    """Write a model of some nodes; the tables of `UNFOLDING` are there unless others have their names."""
    tables = {**tables, **{name: table for name, table in TABLES.items() if name not in tables}}
    tensors = [tensor(name, table) for name, table in tables.items()]
    path = directory / "m.onnx"
    path.write_bytes(model(nodes, tensors, ["input_ids"], dict.fromkeys(outputs, SHAPE)))
    return path


def run(path: Path, content: bytes | None, output: str = "rows") -> NDArray[np.float32]:
    """Look some rows up with onnxruntime, in the file itself when there is no other content."""
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(path.parent))
    session = onnxruntime.InferenceSession(content or str(path), options, providers=["CPUExecutionProvider"])
    feeds = {"input_ids": IDS, "attention_mask": np.ones_like(IDS), "token_type_ids": np.zeros_like(IDS)}
    feed = {item.name: feeds[item.name] for item in session.get_inputs()}
    return np.asarray(session.run([output], feed)[0])


def test_the_default_models_vectors_are_the_same_bits() -> None:
    """Of all words that three texts have."""
    path = find_default().paths[MODEL_FILE].resolve()
    changed = look_up_first(path)
    assert changed is not None
    assert len(changed) < 1_000_000 < path.stat().st_size  # its weights stay in the file
    np.testing.assert_array_equal(run(path, changed, "last_hidden_state"), run(path, None, "last_hidden_state"))


def test_rows_are_found_in_the_file(tmp_path: Path) -> None:
    """They are what they were, and only where they are is in the new graph."""
    path = written(tmp_path, [*UNFOLDING, LOOK_UP])
    changed = look_up_first(path)
    assert changed is not None
    assert stored(1).tobytes()[:64] not in changed
    np.testing.assert_array_equal(run(path, changed), (stored(1) * scales(2))[IDS])


def test_tables_that_begin_alike_are_told_apart(tmp_path: Path) -> None:
    """In whatever order their file has them."""
    other = stored(1)
    other[-1] = 5
    nodes = [
        *UNFOLDING,
        LOOK_UP,
        node("Cast", ("other",), "other/wide", to=1),
        node("Mul", ("other/wide", "other/scale"), "other/table"),
        node("Gather", ("other/table", "input_ids"), "more"),
    ]
    tables: dict[str, NDArray[Any]] = {"other": other, "stored": stored(1), "other/scale": scales(3)}
    for order in (["other", "stored", "other/scale"], ["stored", "other", "other/scale"]):
        path = written(tmp_path, nodes, ("rows", "more"), {name: tables[name] for name in order})
        changed = look_up_first(path)
        np.testing.assert_array_equal(run(path, changed), (stored(1) * scales(2))[IDS])
        np.testing.assert_array_equal(run(path, changed, "more"), (other * scales(3))[IDS])


@pytest.mark.parametrize(
    ("nodes", "outputs"),
    [
        ([node("Gather", ("scale", "input_ids"), "rows")], ["rows"]),
        ([*UNFOLDING, node("Gather", ("table", "input_ids"), "rows", axis=1)], ["rows"]),
        ([*UNFOLDING, LOOK_UP, node("Neg", ("table",), "more")], ["rows", "more"]),
        ([*UNFOLDING, LOOK_UP], ["rows", "table"]),
        ([*UNFOLDING, LOOK_UP, node("Neg", ("wide",), "more")], ["rows", "more"]),
        ([*UNFOLDING, node("Gather", ("table", "input_ids"), "rows", domain="elsewhere")], ["rows"]),
        (
            [*UNFOLDING, LOOK_UP, node("If", ("yes",), "more", then_branch=graph([], [], [], {"table": SHAPE}))],
            ["rows", "more"],
        ),
    ],
    ids=["not unfolded", "columns", "used twice", "told", "unfolded for others", "not ours", "a graph within"],
)
def test_other_graphs_stay_as_they_are(tmp_path: Path, nodes: Sequence[bytes], outputs: Sequence[str]) -> None:
    """Whoever else needs the unfolded table has it."""
    assert look_up_first(written(tmp_path, nodes, outputs)) is None


@pytest.mark.parametrize("shape", [(1, WIDTH), (WIDTH,), (1,), ()])
def test_scales_of_columns_or_of_all_stay_as_they_are(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """Only a scale for each row is looked up as rows are."""
    assert look_up_first(written(tmp_path, [*UNFOLDING, LOOK_UP], tables={"scale": np.ones(shape, np.float32)})) is None


def test_a_very_large_model_is_not_looked_at(tmp_path: Path) -> None:
    """It would be in memory twice."""
    path = written(tmp_path, [*UNFOLDING, LOOK_UP])
    with path.open("r+b") as file:
        file.truncate((256 << 20) + 1)
    assert look_up_first(path) is None


def test_what_is_no_model_is_said_to_be_none(tmp_path: Path) -> None:
    """Its reader tells."""
    path = tmp_path / "m.onnx"
    path.write_bytes(b"\xff" * 100)
    with pytest.raises(DecodeError):
        look_up_first(path)


def test_a_linked_model_is_found(tmp_path: Path) -> None:
    """Some installers link packages' files to where they keep them, under other names."""
    write_tiny_model(tmp_path / "kept", [f"w{number}" for number in range(ROWS)], dimension=WIDTH, int8=True)
    write_tiny_model(tmp_path / "linked", [f"w{number}" for number in range(ROWS)], dimension=WIDTH)
    expected = open_directory(tmp_path / "linked").embed_passages(["w3 w7", "w299"])
    (tmp_path / "linked" / MODEL_FILE).unlink()
    kept = (tmp_path / "kept" / MODEL_FILE).rename(tmp_path / "kept" / "0123")
    try:
        (tmp_path / "linked" / MODEL_FILE).symlink_to(kept)
    except OSError:  # Windows lets only some users make links
        kept.replace(tmp_path / "linked" / MODEL_FILE)
    np.testing.assert_array_equal(open_directory(tmp_path / "linked").embed_passages(["w3 w7", "w299"]), expected)
