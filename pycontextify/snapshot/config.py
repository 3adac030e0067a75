"""The config blob: what a snapshot says about itself.

JSON, canonical (sorted keys, no white space, UTF-8), so that equal configs have equal digests.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from pycontextify.errors import ValidateError
from pycontextify.snapshot.digest import Digest, parse_digest

__all__ = [
    "SCHEMA",
    "EncoderInfo",
    "Probe",
    "SegmentInfo",
    "SnapshotConfig",
    "canonical_json",
    "parse_object",
]

SCHEMA = 1
"""The version of the snapshot format. A reader refuses any other."""


def canonical_json(value: Any) -> bytes:
    """Serialise as the one JSON text that equal values share."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parse_object(content: bytes, *, what: str, code: str) -> dict[str, Any]:
    """Parse bytes that must be one JSON object.

    Raises ValidateError with ``code``.
    """
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValidateError(f"the {what} is not JSON", code=code) from error
    if not isinstance(value, dict):
        raise ValidateError(f"the {what} is not a JSON object", code=code)
    return value


@dataclass(frozen=True, slots=True)
class EncoderInfo:
    """Which model made the vectors, and all that is needed to embed a query with it.

    ``digest`` names the encoder: vectors of two encoders are comparable exactly when their digests are equal.
    ``files`` maps file names (``model.onnx``, ``vocab.txt`` or ``tokenizer.json``) to blobs of the snapshot; it is
    empty for an encoder behind an HTTP endpoint and for a snapshot built from a bare pair of files.
    ``pooling`` is how token vectors become one: ``mean`` over the attention mask, or ``cls``.
    ``max_tokens`` cuts longer passages; ``query_prefix`` and ``passage_prefix`` are put before the text.
    """

    id: str
    digest: Digest
    dimension: int
    provider: str = "onnx"
    pooling: str = "mean"
    max_tokens: int = 256
    query_prefix: str = ""
    passage_prefix: str = ""
    files: dict[str, Digest] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SegmentInfo:
    """One segment: row i of ``vectors`` is row i of ``chunks``; rows listed in ``deleted`` count for nothing.

    ``rows`` counts all rows, deleted ones too; ``documents`` those that still have rows.
    """

    vectors: Digest
    chunks: Digest
    rows: int
    documents: int
    deleted: Digest | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """A query with its known answer: embedding ``text`` must find ``row`` of segment number ``segment`` near the top."""

    text: str
    segment: int
    row: int


@dataclass(frozen=True, slots=True)
class SnapshotConfig:
    """A snapshot's own account of itself.

    ``version`` grows with every build on a channel; ``created`` and ``expires`` are UTC, RFC 3339.
    """

    name: str
    version: int
    created: str
    encoder: EncoderInfo
    segments: tuple[SegmentInfo, ...]
    probes: tuple[Probe, ...] = ()
    channel: str = "default"
    expires: str | None = None

    @property
    def rows(self) -> int:
        """Rows of all segments together, deleted ones included."""
        return sum(segment.rows for segment in self.segments)

    def to_bytes(self) -> bytes:
        """Serialise; equal configs give equal bytes."""
        return canonical_json({"schema": SCHEMA, **asdict(self)})

    @classmethod
    def from_bytes(cls, content: bytes) -> SnapshotConfig:
        """Parse a config blob.

        Raises ValidateError for anything but a config of this schema.
        """
        raw = parse_object(content, what="config", code="config_blob_invalid")
        if raw.get("schema") != SCHEMA:
            raise ValidateError(
                f"the snapshot has schema {raw.get('schema')!r}, this version reads {SCHEMA}",
                code="schema_unsupported",
                hint="publish again with a matching pycontextify, or upgrade this one",
            )
        try:
            return _config(raw)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValidateError(f"the config is malformed: {error!r}", code="config_blob_invalid") from error


def _config(raw: dict[str, Any]) -> SnapshotConfig:
    return SnapshotConfig(
        name=parse_text(raw["name"]),
        version=parse_count(raw["version"]),
        created=parse_text(raw["created"]),
        encoder=parse_encoder(raw["encoder"]),
        segments=tuple(_segment(item) for item in raw["segments"]),
        probes=tuple(
            Probe(text=parse_text(item["text"]), segment=parse_count(item["segment"]), row=parse_count(item["row"]))
            for item in raw.get("probes", ())
        ),
        channel=parse_text(raw.get("channel", "default")),
        expires=None if raw.get("expires") is None else parse_text(raw["expires"]),
    )


def parse_encoder(raw: dict[str, Any]) -> EncoderInfo:
    """Read an encoder's description; raises KeyError, TypeError, ValueError or AttributeError."""
    pooling = parse_text(raw.get("pooling", "mean"))
    if pooling not in ("mean", "cls"):
        raise ValueError(f"unknown pooling {pooling!r}")
    return EncoderInfo(
        id=parse_text(raw["id"]),
        digest=parse_digest(raw["digest"]),
        dimension=parse_count(raw["dimension"]),
        provider=parse_text(raw.get("provider", "onnx")),
        pooling=pooling,
        max_tokens=parse_count(raw.get("max_tokens", 256)),
        query_prefix=parse_text(raw.get("query_prefix", "")),
        passage_prefix=parse_text(raw.get("passage_prefix", "")),
        files={parse_text(name): parse_digest(digest) for name, digest in raw.get("files", {}).items()},
    )


def _segment(raw: dict[str, Any]) -> SegmentInfo:
    return SegmentInfo(
        vectors=parse_digest(raw["vectors"]),
        chunks=parse_digest(raw["chunks"]),
        rows=parse_count(raw["rows"]),
        documents=parse_count(raw["documents"]),
        deleted=None if raw.get("deleted") is None else parse_digest(raw["deleted"]),
    )


def parse_text(value: object) -> str:
    """Return a JSON value that must be text; raises TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {value!r:.80}")
    return value


def parse_count(value: object) -> int:
    """Return a JSON value that must be a whole number from 0 up; raises ValueError."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"expected a count, got {value!r:.80}")
    return value
