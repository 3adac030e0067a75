"""The encoder behind an endpoint, against a real server on loopback."""

from __future__ import annotations

import json
import logging
import traceback
from typing import Any

import httpx2
import numpy as np
import pytest

from pycontextify.encoder.http import HttpEncoder, open_endpoint
from pycontextify.encoder.model import http_digest
from pycontextify.errors import ConfigError, NotReadyError
from tests.encoder.service import EmbeddingService, Reply, embeddings
from tests.fakes.encoder import TinyEncoder

SECRET = "sk-canary-0123"


def test_it_asks_as_openai_is_asked(service: EmbeddingService) -> None:
    """One POST to /embeddings with the model and the texts; the rows come back in the texts' order, of length one."""
    encoder = open_endpoint(service.url, "tiny", SECRET)
    assert (encoder.info.id, encoder.info.provider, encoder.info.dimension) == ("tiny", "http", 32)
    assert encoder.info.digest == http_digest("tiny", 32)
    service.seen.clear()
    rows = encoder.embed_passages(["retry", "pause"])
    (seen,) = service.seen
    assert (seen.path, seen.authorization) == ("/v1/embeddings", f"Bearer {SECRET}")
    assert seen.body == {"model": "tiny", "input": ["retry", "pause"]}
    np.testing.assert_allclose(rows, TinyEncoder().embed_passages(["retry", "pause"]), atol=1e-6)


@pytest.mark.parametrize("ending", ["/v1", "/v1/", "/v1/embeddings", "/v1/embeddings/", "/v1?version=2"])
def test_the_address_may_end_either_way(service: EmbeddingService, ending: str) -> None:
    """With or without /embeddings; a query is kept."""
    open_endpoint(f"http://{service.address}{ending}", "tiny")
    assert service.seen[0].path == f"/v1/embeddings{'?version=2' if '?' in ending else ''}"


def test_many_texts_are_several_requests(service: EmbeddingService) -> None:
    """64 a request, each text in its row, and an empty one sent as a space."""
    encoder = open_endpoint(service.url, "tiny")
    service.seen.clear()
    texts = [f"word{number}" for number in range(129)] + [""]
    rows = encoder.embed_passages(texts)
    assert [len(seen.body["input"]) for seen in service.seen] == [64, 64, 2]
    assert service.seen[-1].body["input"][-1] == " "
    np.testing.assert_allclose(rows, TinyEncoder().embed_passages(texts), atol=1e-6)


def test_userinfo_goes_out_as_basic_authentication(service: EmbeddingService) -> None:
    """Unless there is a key."""
    address = f"http://us%40er:pass@{service.address}/v1"
    open_endpoint(address, "tiny")
    open_endpoint(address, "tiny", SECRET)
    assert [seen.authorization for seen in service.seen] == ["Basic dXNAZXI6cGFzcw==", f"Bearer {SECRET}"]


def test_with_its_dimension_known_nothing_is_asked() -> None:
    """An endpoint that is down now may be up for the first query; its encoder is the same."""
    encoder = open_endpoint("http://127.0.0.1:1/v1", "tiny", dimension=32)
    assert encoder.info.digest == http_digest("tiny", 32)
    with pytest.raises(NotReadyError) as caught:
        encoder.embed_query("anybody there")
    assert caught.value.code == "encoder_unreachable"


def test_another_dimension_than_before_is_refused(service: EmbeddingService) -> None:
    """A model that was replaced under its name would not fit the index."""
    encoder = open_endpoint(service.url, "tiny")
    service.answer = lambda body: embeddings(body, TinyEncoder(dimension=16))
    with pytest.raises(NotReadyError, match="16 dimensions, not 32") as caught:
        encoder.embed_query("x")
    assert caught.value.code == "encoder_reply_invalid"


@pytest.mark.parametrize(
    ("reply", "code", "message"),
    [
        (Reply(401, SECRET.encode()), "encoder_refused", "answered 401; check the API key"),
        (Reply(403), "encoder_refused", "check the API key"),
        (Reply(404, b'{"error": "no model"}'), "encoder_refused", "has the model tiny"),
        (Reply(400), "encoder_refused", "answered 400"),
        (Reply(302, headers={"Location": "http://127.0.0.1:1/"}), "encoder_refused", "redirects are not followed"),
        (Reply(429), "encoder_unreachable", "try again later"),
        (Reply(500), "encoder_unreachable", "answered 500"),
        (Reply(503), "encoder_unreachable", "answered 503"),
        (Reply(200, b'{"data": [1, 2, 3]}', cut=5), "encoder_unreachable", "did not answer"),
        (Reply(200, b"no gzip", {"Content-Encoding": "gzip"}), "encoder_reply_invalid", "can't be decoded"),
        (Reply(200, b"<html>"), "encoder_reply_invalid", "not JSON"),
        (Reply(200, b'{"data": []}'), "encoder_reply_invalid", "0 embeddings for 1 texts"),
        (Reply(200, b'{"data": [{"index": 0, "embedding": [NaN]}]}'), "encoder_reply_invalid", "not finite"),
        (Reply(200, b'{"data": [{"index": 0, "embedding": [1e400]}]}'), "encoder_reply_invalid", "not finite"),
        (Reply(204), "encoder_refused", "answered 204"),
    ],
)
def test_each_fault_has_its_code(
    service: EmbeddingService, caplog: pytest.LogCaptureFixture, reply: Reply, code: str, message: str
) -> None:
    """The message says what happened, to which address and what to do, and holds no secret; nor does any log line."""
    caplog.set_level(logging.DEBUG)
    service.answer = lambda _: reply
    with pytest.raises(NotReadyError, match=message) as caught:
        open_endpoint(f"http://{SECRET}:{SECRET}@{service.address}/v1?token={SECRET}", "tiny", SECRET)
    assert caught.value.code == code
    assert caught.value.asset == f"{service.url}/embeddings"
    assert caught.value.hint
    assert len(service.seen) == 1, "nothing is tried twice"
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert "/v1/embeddings" in caplog.text or reply.cut is not None
    assert SECRET not in caplog.text


def test_nobody_listens() -> None:
    """A refused connection says to start the endpoint."""
    with pytest.raises(NotReadyError, match="start it, or correct the embedding URL") as caught:
        open_endpoint("http://127.0.0.1:1/v1", "tiny", SECRET)
    assert caught.value.code == "encoder_unreachable"


def test_an_endpoint_that_stalls_is_given_up(service: EmbeddingService) -> None:
    """Waiting is finite."""

    def stall(body: dict[str, Any]) -> Reply:
        return Reply(200, b'{"data"', {"Content-Length": "1000"})

    service.answer = stall
    with pytest.raises(NotReadyError, match="ReadTimeout") as caught:
        open_endpoint(service.url, "tiny", timeout=httpx2.Timeout(30.0, read=0.05))
    assert caught.value.code == "encoder_unreachable"


@pytest.mark.parametrize(
    "url", ["", "localhost:11434/v1", "ftp://host/v1", "http://", "http://host:port/v1", "/v1", "http://h\x00"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    """A wrong setting stops the start, and its value, which may hold a password, is not repeated."""
    with pytest.raises(ConfigError, match=r"write one such as http://127\.0\.0\.1:11434/v1") as caught:
        open_endpoint(url, "tiny")
    assert caught.value.code == "encoder_url_invalid"
    assert caught.value.__context__ is None


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel", "nul\x00"])
def test_what_is_no_key_is_refused(key: str) -> None:
    """Before anybody quotes it in an error of their own."""
    with pytest.raises(ConfigError) as caught:
        open_endpoint("http://127.0.0.1:1/v1", "tiny", key)
    assert caught.value.code == "encoder_key_invalid"
    assert key not in str(caught.value)


def test_a_key_from_a_file_may_end_in_a_line_break(service: EmbeddingService) -> None:
    """As secrets that are mounted as files do."""
    open_endpoint(service.url, "tiny", f"{SECRET}\n")
    assert service.seen[0].authorization == f"Bearer {SECRET}"


def test_its_address_is_no_part_of_it(service: EmbeddingService) -> None:
    """The same model by another address and key is the same encoder."""
    near = open_endpoint(service.url, "tiny")
    far = open_endpoint(f"http://localhost.invalid@{service.address}/v1", "tiny", SECRET)
    assert near.info == far.info
    assert SECRET not in json.dumps(near.info.id) + repr(far.info)
    assert isinstance(far, HttpEncoder)
