"""What every encoder promises, checked for each of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pycontextify.encoder.http import open_endpoint
from pycontextify.encoder.onnx import OnnxEncoder, open_directory
from pycontextify.encoder.protocol import Encoder, paths_of
from pycontextify.snapshot.config import EncoderInfo, canonical_json, parse_encoder, parse_object
from tests.encoder.service import EmbeddingService
from tests.fakes.encoder import TinyEncoder, write_tiny_model

TEXTS = (
    "def parse_multipart(message): split a mail into its parts",
    "retry",
    "",
    "Grüße aus 東京 🚲 — naïve café",
    "\x00 control \x1b[31m characters\r\n",
    "half a pair \ud800 of surrogates",
    "word " * 2000,
)


@pytest.fixture(params=["default", "onnx", "http", "tiny"])
def encoder(request: pytest.FixtureRequest, tmp_path: Path) -> Encoder:
    """Each encoder there is, in turn."""
    kind: str = request.param
    if kind == "default":
        default: OnnxEncoder = request.getfixturevalue("default")
        return default
    if kind == "onnx":
        write_tiny_model(tmp_path / "model", ["retry", "word", "parse"])
        return open_directory(tmp_path / "model", threads=2)
    if kind == "http":
        service: EmbeddingService = request.getfixturevalue("service")
        return open_endpoint(service.url, "tiny")
    return TinyEncoder()


def test_passages_become_unit_rows(encoder: Encoder) -> None:
    """Any text has a vector: float32, contiguous, of length one, in its row."""
    rows = encoder.embed_passages(TEXTS)
    assert rows.shape == (len(TEXTS), encoder.info.dimension)
    assert rows.dtype == np.float32
    assert rows.flags.c_contiguous
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)


def test_a_query_becomes_a_unit_vector(encoder: Encoder) -> None:
    """Queries have the same form, one dimension less."""
    for text in TEXTS:
        vector = encoder.embed_query(text)
        assert vector.shape == (encoder.info.dimension,)
        assert vector.dtype == np.float32
        assert vector.flags.c_contiguous
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_no_passages_have_no_rows(encoder: Encoder) -> None:
    """Nothing in, nothing out, in the right shape."""
    rows = encoder.embed_passages([])
    assert rows.shape == (0, encoder.info.dimension)
    assert rows.dtype == np.float32


def test_company_does_not_matter(encoder: Encoder) -> None:
    """A text's vector depends neither on the texts beside it (and the padding they cause) nor on their number."""
    texts = [f"{text} number {number}"[:400] for number in range(12) for text in TEXTS]
    together = encoder.embed_passages(texts)
    alone = np.stack([encoder.embed_passages([text])[0] for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_without_prefixes_a_query_is_a_passage(encoder: Encoder) -> None:
    """None of these has prefixes, so that a text is found by itself."""
    assert (encoder.info.query_prefix, encoder.info.passage_prefix) == ("", "")
    np.testing.assert_allclose(encoder.embed_query(TEXTS[0]), encoder.embed_passages(TEXTS[:1])[0], atol=1e-5)


def test_threads_can_share_it(encoder: Encoder) -> None:
    """Eight threads at a time get the vectors that one gets."""
    texts = [f"{text} {number}"[:200] for number in range(8) for text in TEXTS]
    expected = encoder.embed_passages(texts)
    with ThreadPoolExecutor(8) as threads:
        rows = list(threads.map(encoder.embed_query, texts))
        blocks = list(threads.map(encoder.embed_passages, [texts] * 4))
    np.testing.assert_allclose(np.stack(rows), expected, atol=1e-5)
    for block in blocks:
        np.testing.assert_allclose(block, expected, atol=1e-5)


def test_it_finds_what_it_is_about(encoder: Encoder) -> None:
    """Shared words are nearer than none."""
    parse, retry = encoder.embed_passages(["parse parse message", "retry retry word"])
    assert encoder.embed_query("parse") @ parse > encoder.embed_query("parse") @ retry
    assert encoder.embed_query("retry") @ retry > encoder.embed_query("retry") @ parse


def test_its_info_goes_through_a_config(encoder: Encoder) -> None:
    """What it says of itself survives the config blob, and its paths have the very names of its files."""
    info: EncoderInfo = encoder.info
    raw = {name: getattr(info, name) for name in EncoderInfo.__dataclass_fields__}
    assert parse_encoder(parse_object(canonical_json(raw), what="encoder", code="test")) == info
    assert set(paths_of(encoder)) == set(info.files)
    assert all(path.is_file() for path in paths_of(encoder).values())
