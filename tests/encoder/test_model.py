"""Reading a model's directory: what is found, what is honoured, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pycontextify.encoder.model import LocalModel, hash_file, http_digest, read_directory
from pycontextify.errors import NotReadyError
from pycontextify.snapshot.digest import digest_of
from tests.fakes.encoder import write_tiny_model


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with the least a model needs."""
    write_tiny_model(tmp_path / "little")
    return tmp_path / "little"


def put(path: Path, content: Any) -> None:
    """Write a settings file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_the_least_there_is(directory: Path) -> None:
    """Model and vocabulary are enough; the rest has defaults, and the id is the directory's name."""
    model = read_directory(directory)
    assert model.id == "little"
    assert set(model.paths) == set(model.files) == {"model.onnx", "vocab.txt"}
    assert model.files["vocab.txt"] == digest_of((directory / "vocab.txt").read_bytes())
    assert (model.pooling, model.max_tokens, model.query_prefix, model.passage_prefix) == ("mean", 256, "", "")


def test_a_tokenizer_file_goes_before_a_vocabulary(directory: Path) -> None:
    """tokenizer.json says more than vocab.txt does."""
    put(directory / "tokenizer.json", {})
    assert set(read_directory(directory).files) == {"model.onnx", "tokenizer.json"}


def test_a_model_in_a_directory_of_its_own(directory: Path) -> None:
    """Hugging Face repositories keep exports in onnx/; the file's name in a snapshot is the same."""
    (directory / "onnx").mkdir()
    (directory / "model.onnx").rename(directory / "onnx" / "model.onnx")
    assert read_directory(directory).paths["model.onnx"] == (directory / "onnx" / "model.onnx").resolve()


def test_the_settings_of_sentence_transformers_are_honoured(directory: Path) -> None:
    """Limit, pooling and prompts stand in three files."""
    put(directory / "sentence_bert_config.json", {"max_seq_length": 512, "do_lower_case": False})
    put(directory / "1_Pooling" / "config.json", {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False})
    put(directory / "config_sentence_transformers.json", {"prompts": {"query": "find: ", "passage": "text: "}})
    model = read_directory(directory)
    assert (model.max_tokens, model.pooling) == (512, "cls")
    assert (model.query_prefix, model.passage_prefix) == ("find: ", "text: ")


def test_a_document_prompt_is_a_passage_prompt(directory: Path) -> None:
    """Newer models say document."""
    put(directory / "config_sentence_transformers.json", {"prompts": {"query": "q: ", "document": "d: "}})
    assert read_directory(directory).passage_prefix == "d: "


@pytest.mark.parametrize(
    ("config", "pooling"),
    [
        ({"pooling_mode_mean_tokens": True, "word_embedding_dimension": 32}, "mean"),
        ({"pooling_mode": "cls"}, "cls"),
        ({"pooling_mode": "mean"}, "mean"),
        ({}, "mean"),
    ],
)
def test_pooling_is_read_in_both_forms(directory: Path, config: dict[str, Any], pooling: str) -> None:
    """A flag a mode, or one name."""
    put(directory / "1_Pooling" / "config.json", config)
    assert read_directory(directory).pooling == pooling


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("1_Pooling/config.json", '{"pooling_mode_lasttoken": true}', "it pools by lasttoken"),
        ("1_Pooling/config.json", '{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}', "it pools by"),
        ("1_Pooling/config.json", "{", "not readable JSON"),
        ("config_sentence_transformers.json", "\ufeffnothing", "not readable JSON"),
        ("tokenizer_config.json", '{"do_lower_case": false}', "this one is cased"),
        ("model.onnx_data", "", "weights are in a file of their own"),
        ("model.onnx.data", "", "weights are in a file of their own"),
    ],
)
def test_what_would_give_wrong_vectors_is_refused(directory: Path, name: str, content: str, message: str) -> None:
    """Better no encoder than one whose vectors mean something else than the model's author intended."""
    path = directory / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(NotReadyError, match=message) as caught:
        read_directory(directory)
    assert caught.value.code == "encoder_unreadable"
    assert caught.value.hint


@pytest.mark.parametrize("lost", ["model.onnx", "vocab.txt"])
def test_what_is_lacking_is_named(directory: Path, lost: str) -> None:
    """The message names the file and the directory."""
    (directory / lost).unlink()
    with pytest.raises(NotReadyError, match=lost) as caught:
        read_directory(directory)
    assert caught.value.code == "encoder_missing"
    assert caught.value.asset == str(directory.resolve())


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """A mistyped setting is answered like an empty directory."""
    with pytest.raises(NotReadyError) as caught:
        read_directory(tmp_path / "nowhere")
    assert caught.value.code == "encoder_missing"


def test_the_digest_names_what_determines_vectors(directory: Path) -> None:
    """Another id or place is the same encoder; any other setting or file makes another one."""
    model = read_directory(directory)
    assert replace(model, id="renamed", paths={}).digest == model.digest
    others = [
        replace(model, pooling="cls"),
        replace(model, max_tokens=128),
        replace(model, query_prefix="q: "),
        replace(model, passage_prefix="q: "),
        replace(model, files={**model.files, "vocab.txt": digest_of(b"other")}),
    ]
    assert len({model.digest, *(other.digest for other in others)}) == 6


def test_a_description_can_be_read_back(directory: Path) -> None:
    """What a snapshot says of a model is the model again."""
    model = replace(read_directory(directory), query_prefix="q: ", pooling="cls")
    assert LocalModel.from_info(model.describe(32), model.paths) == model


def test_files_are_hashed_in_full(tmp_path: Path) -> None:
    """A digest is that of the bytes."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1_000_000)
    assert hash_file(path) == digest_of(b"x" * 1_000_000)


def test_a_service_is_known_by_its_model() -> None:
    """Model and dimension make a service's digest."""
    assert len({http_digest("a", 3), http_digest("b", 3), http_digest("a", 4)}) == 3
