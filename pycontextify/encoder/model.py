"""Models before they are opened: which files they consist of, how those are to be used, and their digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pycontextify.errors import NotReadyError
from pycontextify.snapshot.config import EncoderInfo, canonical_json
from pycontextify.snapshot.digest import Digest, digest_of, parse_digest

__all__ = [
    "MAX_TOKENS",
    "MODEL_FILE",
    "TOKENIZER_FILE",
    "VOCABULARY_FILE",
    "LocalModel",
    "hash_file",
    "http_digest",
    "read_directory",
]

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
VOCABULARY_FILE = "vocab.txt"
MAX_TOKENS = 256
"""Where passages are cut when the model's directory doesn't say."""


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model's files and settings, before it is opened.

    ``paths`` and ``files`` have the same keys: ``model.onnx`` and one of ``tokenizer.json`` and ``vocab.txt``.
    The other fields mean what they mean in EncoderInfo.
    """

    id: str
    paths: Mapping[str, Path]
    files: Mapping[str, Digest]
    pooling: str = "mean"
    max_tokens: int = MAX_TOKENS
    query_prefix: str = ""
    passage_prefix: str = ""

    @classmethod
    def from_info(cls, info: EncoderInfo, paths: Mapping[str, Path]) -> LocalModel:
        """Return the model that a snapshot's config describes, its files at ``paths``."""
        return cls(
            id=info.id,
            paths=paths,
            files=info.files,
            pooling=info.pooling,
            max_tokens=info.max_tokens,
            query_prefix=info.query_prefix,
            passage_prefix=info.passage_prefix,
        )

    @property
    def digest(self) -> Digest:
        """The digest of all that determines the vectors: equal files used alike are equal encoders, by any id."""
        return digest_of(
            canonical_json(
                {
                    "files": dict(self.files),
                    "pooling": self.pooling,
                    "max_tokens": self.max_tokens,
                    "query_prefix": self.query_prefix,
                    "passage_prefix": self.passage_prefix,
                }
            )
        )

    def describe(self, dimension: int) -> EncoderInfo:
        """Return the record of this model for a snapshot's config."""
        return EncoderInfo(
            id=self.id,
            digest=self.digest,
            dimension=dimension,
            provider="onnx",
            pooling=self.pooling,
            max_tokens=self.max_tokens,
            query_prefix=self.query_prefix,
            passage_prefix=self.passage_prefix,
            files=dict(self.files),
        )


def http_digest(model: str, dimension: int) -> Digest:
    """Return the digest of a service's model: no address and no key, for elsewhere it gives the same vectors."""
    return digest_of(canonical_json({"provider": "http", "model": model, "dimension": dimension}))


def hash_file(path: Path) -> Digest:
    """Return the digest of a file, read in pieces; raises OSError."""
    with path.open("rb") as stream:
        return parse_digest(hashlib.file_digest(stream, "sha256").hexdigest())


def read_directory(directory: Path) -> LocalModel:
    """Read a model's directory as sentence-transformers and Hugging Face lay it out.

    Needed: ``model.onnx`` (or ``onnx/model.onnx``), weights inside, and ``tokenizer.json`` or, for a lower-case BERT,
    ``vocab.txt``. Honoured when there: ``1_Pooling/config.json``, ``sentence_bert_config.json`` (``max_seq_length``),
    ``config_sentence_transformers.json`` (the prompts ``query`` and ``passage`` or ``document``).
    Raises NotReadyError: ``encoder_missing`` when there is no such model, ``encoder_unreadable`` when it can't be used.
    """
    directory = directory.resolve()
    model = _first(directory, MODEL_FILE, f"onnx/{MODEL_FILE}")
    for neighbour in (f"{model.name}_data", f"{model.name}.data"):
        if model.with_name(neighbour).exists():
            raise _unusable(f"its weights are in a file of their own, {neighbour}", model, "export it as one file")
    tokenizer = _first(directory, TOKENIZER_FILE, VOCABULARY_FILE)
    if tokenizer.name == VOCABULARY_FILE and _object(directory / "tokenizer_config.json").get("do_lower_case") is False:
        raise _unusable(
            "vocab.txt alone is read as a lower-case model, and this one is cased", directory, "add its tokenizer.json"
        )
    paths = {MODEL_FILE: model, tokenizer.name: tokenizer}
    prompts = _object(directory / "config_sentence_transformers.json").get("prompts")
    prompts = prompts if isinstance(prompts, dict) else {}
    limit = _object(directory / "sentence_bert_config.json").get("max_seq_length")
    try:
        files = {name: hash_file(path) for name, path in paths.items()}
    except OSError as error:
        raise _unusable(f"it can't be read: {error.strerror}", directory, "check its permissions") from error
    return LocalModel(
        id=directory.name,
        paths=paths,
        files=files,
        pooling=_pooling(directory / "1_Pooling" / "config.json"),
        max_tokens=limit if isinstance(limit, int) and limit > 2 else MAX_TOKENS,
        query_prefix=str(prompts.get("query", "")),
        passage_prefix=str(prompts.get("passage", prompts.get("document", ""))),
    )


def _first(directory: Path, *names: str) -> Path:
    for name in names:
        if (path := directory / name).is_file():
            return path
    raise NotReadyError(
        f"the model's directory has no {' or '.join(names)}",
        code="encoder_missing",
        asset=str(directory),
        hint="point the embedding model at a directory that holds model.onnx and tokenizer.json",
    )


def _pooling(path: Path) -> str:
    """Read ``1_Pooling/config.json``: older ones have a flag a mode, newer ones ``pooling_mode``."""
    raw = _object(path)
    modes = {
        name.removeprefix("pooling_mode_")
        for name, on in raw.items()
        if name.startswith("pooling_mode_") and on is True
    }
    if isinstance(named := raw.get("pooling_mode"), str):
        modes.add(named)
    if modes <= {"mean", "mean_tokens"}:
        return "mean"
    if modes <= {"cls", "cls_token"}:
        return "cls"
    raise _unusable(
        f"it pools by {', '.join(sorted(modes))}", path, "only mean and cls pooling are offered; choose another model"
    )


def _object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a settings file, empty when the file isn't there."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable("it is not readable JSON", path, "restore the file from the model's publisher") from error
    return raw if isinstance(raw, dict) else {}


def _unusable(what: str, path: Path, hint: str) -> NotReadyError:
    return NotReadyError(what, code="encoder_unreadable", asset=str(path), hint=hint)
