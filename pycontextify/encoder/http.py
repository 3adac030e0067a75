"""An encoder behind an OpenAI-compatible endpoint (Ollama, vLLM, OpenAI): the one place that imports httpx2.

Source of the form: https://platform.openai.com/docs/api-reference/embeddings, ``POST {base}/embeddings`` with ``model``
and ``input``; the reply's ``data`` has ``index`` and ``embedding``.

Nothing is tried twice here: those who ask decide what a failure means to them.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import unquote

import httpx2
import numpy as np
from numpy.typing import NDArray

from pycontextify.encoder.model import http_digest
from pycontextify.encoder.pooling import unit_rows
from pycontextify.encoder.reply import read_reply
from pycontextify.encoder.text import prepare
from pycontextify.errors import ConfigError, NotReadyError
from pycontextify.redact import redact_url
from pycontextify.snapshot.config import EncoderInfo

__all__ = ["TIMEOUT", "HttpEncoder", "open_endpoint"]

TIMEOUT = httpx2.Timeout(60.0, connect=5.0)
"""Seconds: 5 to connect; 60 to write, to get on with the reply and to wait for a free connection."""

_TEXTS_A_REQUEST = 64
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class HttpEncoder:
    """An encoder that asks an endpoint. Made by `open_endpoint`."""

    def __init__(self, endpoint: _Endpoint, model: str, dimension: int) -> None:
        self._endpoint = endpoint
        digest = http_digest(model, dimension)
        self._info = EncoderInfo(id=model, digest=digest, dimension=dimension, provider="http")

    @property
    def info(self) -> EncoderInfo:
        """Which model this is; it has no files here."""
        return self._info

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed any number of passages, 64 a request; shape (len(texts), dimension), row i for text i.

        Raises NotReadyError: ``encoder_unreachable``, ``encoder_refused`` or ``encoder_reply_invalid``.
        """
        rows = np.empty((len(texts), self._info.dimension), dtype=np.float32)
        for start in range(0, len(texts), _TEXTS_A_REQUEST):
            part = self._endpoint.embed(texts[start : start + _TEXTS_A_REQUEST])
            if part.shape[1] != self._info.dimension:
                raise self._endpoint.invalid(
                    f"its vectors have {part.shape[1]} dimensions, not {self._info.dimension} as before"
                )
            rows[start : start + len(part)] = part
        return rows

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Embed a query; shape (dimension,). Raises as `embed_passages` does."""
        return np.ascontiguousarray(self.embed_passages([text])[0])


def open_endpoint(
    url: str,
    model: str,
    api_key: str | None = None,
    *,
    dimension: int | None = None,
    timeout: httpx2.Timeout = TIMEOUT,
) -> HttpEncoder:
    """Open the encoder at ``url``, such as ``http://127.0.0.1:11434/v1``; ``/embeddings`` is added if it isn't there.

    Without ``dimension`` one word is embedded at once, to learn it; with it nothing is asked before the first text.
    ``api_key`` goes out as a bearer token; without it, a user and password in the address go out as basic
    authentication. Redirects are not followed: they would carry the key elsewhere. Proxies are taken from the
    environment, but never for a loopback address.
    Raises ConfigError for an address or key that can't be used; NotReadyError as `HttpEncoder.embed_passages` does.
    """
    address = _address(url)
    user, password = unquote(address.username), unquote(address.password)
    headers = {"Authorization": f"Bearer {_key(api_key)}"} if api_key else {}
    logging.getLogger("httpx2").addFilter(_redact)
    client = httpx2.Client(
        headers=headers,
        auth=(user, password) if user and not api_key else None,
        timeout=timeout,
        mounts={f"all://{host}": None for host in _LOOPBACK},
    )
    endpoint = _Endpoint(client, address.copy_with(userinfo=b""), model)
    weakref.finalize(endpoint, client.close)
    return HttpEncoder(endpoint, model, dimension or endpoint.embed(["dimension"]).shape[1])


class _Endpoint:
    """One address and one model: texts in, unit vectors out. Thread safe, as httpx2's client is."""

    def __init__(self, client: httpx2.Client, address: httpx2.URL, model: str) -> None:
        self._client = client
        self._address = address
        self._model = model
        self._asset = redact_url(str(address))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts in one request; shape (len(texts), the model's dimension)."""
        # Some endpoints refuse an empty input, and a space means as much.
        body = {"model": self._model, "input": [text or " " for text in prepare(texts)]}
        try:
            response = self._client.post(self._address, json=body)
        except httpx2.DecodingError as error:
            raise self.invalid("its body can't be decoded") from error
        except httpx2.HTTPError as error:
            raise NotReadyError(
                f"the embedding endpoint did not answer: {type(error).__name__} {error}".rstrip(),
                code="encoder_unreachable",
                asset=self._asset,
                hint="start it, or correct the embedding URL",
            ) from error
        if response.status_code != HTTPStatus.OK:
            raise self._refusal(response.status_code)
        try:
            return unit_rows(read_reply(response.content, len(texts)))
        except ValueError as error:
            raise self.invalid(str(error)) from error

    def invalid(self, what: str) -> NotReadyError:
        """Return the error for a reply that can't be used."""
        return NotReadyError(
            f"the embedding endpoint's reply can't be used: {what}",
            code="encoder_reply_invalid",
            asset=self._asset,
            hint=f"check that the address is an OpenAI-compatible one and that {self._model} is an embedding model",
        )

    def _refusal(self, status: int) -> NotReadyError:
        code, hint = _meaning(status)
        # The reply's body stays out of the message: some services repeat the key in it.
        what = f"the embedding endpoint answered {status}"
        return NotReadyError(what, code=code, asset=self._asset, hint=hint.format(model=self._model))


def _meaning(status: int) -> tuple[str, str]:
    """Say what an unwelcome status means: an error code, and what to do."""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return "encoder_refused", "check the API key of the embedding endpoint"
    if status == HTTPStatus.NOT_FOUND:
        return "encoder_refused", "check that the address ends in /v1 and that the endpoint has the model {model}"
    if status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS} or status >= 500:
        return "encoder_unreachable", "try again later, and look at the endpoint's own log if this goes on"
    if 300 <= status < 400:
        return "encoder_refused", "redirects are not followed: set the address it redirects to"
    return "encoder_refused", "check that {model} is an embedding model; the endpoint's own log says what it disliked"


def _address(url: str) -> httpx2.URL:
    try:
        address = httpx2.URL(url.strip())
    except httpx2.InvalidURL:
        address = httpx2.URL()
    if address.scheme not in {"http", "https"} or not address.host:
        # Raised outside the except clause, unchained: the foreign message may quote the address and what is in it.
        raise ConfigError(
            "the embedding URL is not an http or https address",
            code="encoder_url_invalid",
            hint="write one such as http://127.0.0.1:11434/v1",
        )
    path = address.path.rstrip("/")
    return address.copy_with(path=path if path.endswith("/embeddings") else f"{path}/embeddings")


def _key(text: str) -> str:
    """Check the key here, since the errors of those who'd refuse it later quote it."""
    key = text.strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigError(
            "the embedding API key holds characters that no key has",
            code="encoder_key_invalid",
            hint="set it again, without quotes, spaces or line breaks",
        )
    return key


def _redact(record: logging.LogRecord) -> bool:
    """Redact the addresses in httpx2's own log lines; drops no line."""
    if isinstance(record.args, tuple):
        record.args = tuple(redact_url(str(item)) if isinstance(item, httpx2.URL) else item for item in record.args)
    return True
