"""Models on onnxruntime: opened from directories and from blobs, run in bounded runs, refused when they don't fit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import BertWordPieceTokenizer

from pycontextify.encoder.model import MODEL_FILE, TOKENIZER_FILE, VOCABULARY_FILE
from pycontextify.encoder.onnx import OnnxEncoder, open_directory, open_files
from pycontextify.errors import NotReadyError
from tests.fakes.encoder import word_vector, write_tiny_model

WORDS = ("retry", "pause", "zebra")


def unit(*words: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Return the direction of a few words together."""
    total = np.sum([word_vector(word, 32) for word in words], axis=0)
    return np.asarray(total / np.linalg.norm(total), dtype=np.float32)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A tiny model's directory."""
    write_tiny_model(tmp_path / "little", WORDS)
    return tmp_path / "little"


def blobs(encoder: OnnxEncoder, target: Path) -> dict[str, Path]:
    """Copy an encoder's files to where blobs lie: named by their digests, without any extension."""
    target.mkdir()
    return {
        name: Path(shutil.copy(path, target / encoder.info.files[name].hex)) for name, path in encoder.paths.items()
    }


def test_a_vector_is_the_mean_of_its_tokens(directory: Path) -> None:
    """Known words give known vectors."""
    rows = open_directory(directory).embed_passages(["retry pause", "Zebra"])
    np.testing.assert_allclose(rows[0], unit("[CLS]", "retry", "pause", "[SEP]"), atol=1e-6)
    np.testing.assert_allclose(rows[1], unit("[CLS]", "zebra", "[SEP]"), atol=1e-6)


def test_pooling_by_the_first_token(directory: Path) -> None:
    """The directory's settings decide: here every text has the vector of [CLS]."""
    (directory / "1_Pooling").mkdir()
    (directory / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}', encoding="utf-8")
    encoder = open_directory(directory)
    assert encoder.info.pooling == "cls"
    np.testing.assert_allclose(encoder.embed_query("retry"), unit("[CLS]"), atol=1e-6)


def test_prefixes_go_before_the_text(directory: Path) -> None:
    """A query and a passage get their own."""
    prompts = {"prompts": {"query": "zebra ", "passage": "pause "}}
    (directory / "config_sentence_transformers.json").write_text(json.dumps(prompts), encoding="utf-8")
    encoder = open_directory(directory)
    np.testing.assert_allclose(encoder.embed_query("retry"), unit("[CLS]", "zebra", "retry", "[SEP]"), atol=1e-6)
    (row,) = encoder.embed_passages(["retry"])
    np.testing.assert_allclose(row, unit("[CLS]", "pause", "retry", "[SEP]"), atol=1e-6)


def test_the_limit_cuts(directory: Path) -> None:
    """max_seq_length counts the special tokens too."""
    (directory / "sentence_bert_config.json").write_text('{"max_seq_length": 3}', encoding="utf-8")
    np.testing.assert_allclose(
        open_directory(directory).embed_query("retry zebra zebra"), unit("[CLS]", "retry", "[SEP]"), atol=1e-6
    )


@pytest.mark.parametrize("inputs", [("input_ids",), ("input_ids", "attention_mask"), ("attention_mask", "input_ids")])
def test_a_graph_gets_the_inputs_it_declares(tmp_path: Path, inputs: Sequence[str]) -> None:
    """token_type_ids and the mask are only for those who ask for them."""
    write_tiny_model(tmp_path, WORDS, inputs=inputs)
    np.testing.assert_allclose(
        open_directory(tmp_path).embed_query("pause"), unit("[CLS]", "pause", "[SEP]"), atol=1e-6
    )


@pytest.mark.parametrize("output", ["sentence_embedding", "token_embeddings", "some_other_name"])
def test_a_graph_is_used_by_what_it_gives(tmp_path: Path, output: str) -> None:
    """Vectors that are ready are taken as they are, token vectors are pooled, under any name."""
    write_tiny_model(tmp_path, WORDS, output=output)
    rows = open_directory(tmp_path).embed_passages(["pause", "retry zebra"])
    np.testing.assert_allclose(rows[0], unit("[CLS]", "pause", "[SEP]"), atol=1e-6)
    np.testing.assert_allclose(rows[1], unit("[CLS]", "retry", "zebra", "[SEP]"), atol=1e-6)


def test_the_dimension_is_found(tmp_path: Path) -> None:
    """By trying."""
    write_tiny_model(tmp_path, WORDS, dimension=48)
    assert open_directory(tmp_path).info.dimension == 48


@pytest.mark.parametrize("threads", [1, 3])
def test_many_texts_take_many_runs(directory: Path, threads: int) -> None:
    """Texts of all lengths, more than a run holds, each end in their own row."""
    texts = [" ".join(WORDS[(number + step) % 3] for step in range(number % 40)) for number in range(150)]
    rows = open_directory(directory, threads=threads).embed_passages(texts)
    expected = [unit("[CLS]", *text.split(), "[SEP]") for text in texts]
    np.testing.assert_allclose(rows, np.stack(expected), atol=1e-5)


def test_blobs_make_the_same_encoder(directory: Path, tmp_path: Path) -> None:
    """Files named by their digests, as a hydrated server has them, give the very vectors of the directory."""
    source = open_directory(directory)
    paths = blobs(source, tmp_path / "blobs")
    encoder = open_files(source.info, paths)
    assert encoder.info == source.info
    assert encoder.paths == paths
    np.testing.assert_array_equal(encoder.embed_passages(WORDS), source.embed_passages(WORDS))


def test_a_tokenizer_file_does_what_the_vocabulary_does(default: OnnxEncoder, tmp_path: Path) -> None:
    """The default model with a tokenizer.json, whose own padding and truncation are passed over, gives its vectors."""
    tokenizer = BertWordPieceTokenizer(str(default.paths[VOCABULARY_FILE]), lowercase=True)
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=64)
    tokenizer.save(str(tmp_path / TOKENIZER_FILE))
    shutil.copy(default.paths[MODEL_FILE], tmp_path)
    encoder = open_directory(tmp_path)
    assert encoder.info.digest != default.info.digest
    texts = ["a somewhat longer sentence about parsing mail, past the eighth token", "short", "naïve CAFÉ"]
    np.testing.assert_allclose(encoder.embed_passages(texts), default.embed_passages(texts), atol=1e-5)


def test_a_copy_of_the_default_is_the_default(default: OnnxEncoder, tmp_path: Path) -> None:
    """Equal files used alike are one encoder: indexes built with either can be searched with either."""
    for name, path in default.paths.items():
        shutil.copy(path, tmp_path / name)
    assert open_directory(tmp_path).info.digest == default.info.digest


@pytest.mark.parametrize("name", [MODEL_FILE, VOCABULARY_FILE, TOKENIZER_FILE])
@pytest.mark.parametrize("content", [b"", b"no such thing", b"\xff\xfe\x00" * 500])
def test_a_corrupt_file_is_reported(
    directory: Path, name: str, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever the bytes: our error, which names the model and says what to do; nothing on stdout or stderr."""
    (directory / name).write_bytes(content)
    with pytest.raises(NotReadyError) as caught:
        open_directory(directory)
    assert caught.value.code == "encoder_unreadable"
    assert caught.value.asset == "little"
    assert caught.value.hint
    assert capfd.readouterr() == ("", "")


def test_a_blob_that_is_gone_is_reported(directory: Path, tmp_path: Path) -> None:
    """A file or a name that isn't there is no other error than a corrupt one."""
    source = open_directory(directory)
    paths = blobs(source, tmp_path / "blobs")
    paths[MODEL_FILE].unlink()
    for lacking in (paths, {VOCABULARY_FILE: paths[VOCABULARY_FILE]}):
        with pytest.raises(NotReadyError) as caught:
            open_files(source.info, lacking)
        assert caught.value.code == "encoder_unreadable"


def test_a_graph_that_wants_more_is_refused(tmp_path: Path) -> None:
    """An image model, say: its inputs are named."""
    write_tiny_model(tmp_path, inputs=("input_ids", "pixel_values"))
    with pytest.raises(NotReadyError, match="pixel_values") as caught:
        open_directory(tmp_path)
    assert caught.value.code == "encoder_unreadable"


def test_info_that_contradicts_the_model_is_refused(directory: Path) -> None:
    """Neither a wrong dimension nor settings under another encoder's digest are believed."""
    source = open_directory(directory)
    with pytest.raises(NotReadyError, match="32 dimensions, the snapshot says 64"):
        open_files(replace(source.info, dimension=64), source.paths)
    with pytest.raises(NotReadyError, match="not those that its digest names"):
        open_files(replace(source.info, pooling="cls"), source.paths)


def test_a_text_that_the_graph_refuses_is_reported(directory: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A vocabulary larger than the model: opening works, the odd word fails, as our error, silently otherwise."""
    with (directory / VOCABULARY_FILE).open("a", encoding="utf-8") as vocabulary:
        vocabulary.write("stranger\n")
    encoder = open_directory(directory, threads=2)
    with pytest.raises(NotReadyError) as caught:
        encoder.embed_passages(["retry"] * 200 + ["stranger"])
    assert caught.value.code == "encoder_failed"
    with pytest.raises(NotReadyError):
        encoder.embed_query("stranger")
    assert encoder.embed_query("retry") @ unit("[CLS]", "retry", "[SEP]") == pytest.approx(1.0)
    assert capfd.readouterr() == ("", "")
