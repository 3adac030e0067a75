"""The config blob: what a snapshot says about itself.

JSON, canonical (sorted keys, no white space, UTF-8), so that equal configs have equal digests.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from pycontextify.errors import ValidateError
from pycontextify.snapshot.digest import Digest, parse_digest

__all__ = [
    "DEFAULT_CHANNEL",
    "SCHEMA",
    "EncoderInfo",
    "Probe",
    "SegmentInfo",
    "SnapshotConfig",
    "canonical_json",
    "check_schema",
    "moment_of",
    "parse_count",
    "parse_encoder",
    "parse_expires",
    "parse_file_name",
    "parse_list",
    "parse_object",
    "parse_text",
    "rfc3339",
    "shown",
    "version_at",
]

SCHEMA = 1
"""The version of the snapshot format. A reader refuses any other."""

DEFAULT_CHANNEL = "default"

_MOST = 2**63 - 1
_PUBLISH_AGAIN = "publish the index again"
_BROWSE = "open the address in a browser: a login, a network's sign-in or a page for what is missing answers there"
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


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
        why, hint = ("is a web page", _BROWSE) if content.lstrip()[:1] == b"<" else ("is not JSON", _PUBLISH_AGAIN)
        raise ValidateError(f"the {what} {why}", code=code, hint=hint) from error
    if not isinstance(value, dict):
        raise ValidateError(f"the {what} is not a JSON object", code=code, hint=_PUBLISH_AGAIN)
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
    """A query with its known answer: embedding ``text`` finds ``row`` of segment number ``segment`` near the top."""

    text: str
    segment: int
    row: int


@dataclass(frozen=True, slots=True)
class SnapshotConfig:
    """A snapshot's own account of itself.

    ``version`` grows with every build on a ``channel``, which tells what is published under one key apart (a project, a
    branch); ``created`` and ``expires`` are UTC, RFC 3339.
    """

    name: str
    version: int
    created: str
    encoder: EncoderInfo
    segments: tuple[SegmentInfo, ...]
    probes: tuple[Probe, ...] = ()
    channel: str = DEFAULT_CHANNEL
    expires: str | None = None

    @property
    def rows(self) -> int:
        """Rows of all segments together, deleted ones included."""
        return sum(segment.rows for segment in self.segments)

    @property
    def blobs(self) -> frozenset[Digest]:
        """Every blob that the config names: of its segments and of its encoder."""
        parts = (digest for each in self.segments for digest in (each.vectors, each.chunks, each.deleted) if digest)
        return frozenset((*parts, *self.encoder.files.values()))

    def to_bytes(self) -> bytes:
        """Serialise; equal configs give equal bytes."""
        return canonical_json({"schema": SCHEMA, **asdict(self)})

    @classmethod
    def from_bytes(cls, content: bytes) -> SnapshotConfig:
        """Parse a config blob.

        Raises ValidateError for anything but a config of this schema.
        """
        raw = parse_object(content, what="config", code="config_blob_invalid")
        check_schema(raw.get("schema"), "snapshot")
        try:
            return _config(raw)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValidateError(
                f"the config is malformed: {shown(error)}", code="config_blob_invalid", hint=_PUBLISH_AGAIN
            ) from error


def check_schema(schema: object, what: str) -> None:
    """Raise ValidateError for any schema but ours. (JSON's ``true`` and ``1.0`` are equal to 1 in Python.)"""
    if type(schema) is not int or schema != SCHEMA:
        raise ValidateError(
            f"the {what} has schema {shown(schema)}, this version reads {SCHEMA}",
            code="schema_unsupported",
            hint="publish again with a matching pycontextify, or upgrade this one",
        )


def _config(raw: dict[str, Any]) -> SnapshotConfig:
    return SnapshotConfig(
        name=parse_file_name(raw["name"]),
        version=parse_count(raw["version"]),
        created=parse_text(raw["created"]),
        encoder=parse_encoder(raw["encoder"]),
        segments=_segments(raw["segments"]),
        probes=tuple(
            Probe(text=parse_text(item["text"]), segment=parse_count(item["segment"]), row=parse_count(item["row"]))
            for item in parse_list(raw.get("probes", []))
        ),
        channel=parse_file_name(raw.get("channel", DEFAULT_CHANNEL)),
        expires=parse_expires(raw.get("expires")),
    )


def parse_encoder(raw: dict[str, Any]) -> EncoderInfo:
    """Read an encoder's description; raises KeyError, TypeError, ValueError or AttributeError."""
    pooling = parse_text(raw.get("pooling", "mean"))
    if pooling not in ("mean", "cls"):
        raise ValueError(f"unknown pooling {shown(pooling)}")
    return EncoderInfo(
        id=parse_text(raw["id"]),
        digest=parse_digest(raw["digest"]),
        dimension=parse_count(raw["dimension"]),
        provider=parse_text(raw.get("provider", "onnx")),
        pooling=pooling,
        max_tokens=parse_count(raw.get("max_tokens", 256)),
        query_prefix=parse_text(raw.get("query_prefix", "")),
        passage_prefix=parse_text(raw.get("passage_prefix", "")),
        files={parse_file_name(name): parse_digest(digest) for name, digest in raw.get("files", {}).items()},
    )


def _segments(raw: object) -> tuple[SegmentInfo, ...]:
    segments = tuple(_segment(item) for item in parse_list(raw))
    if not segments:
        raise ValueError("it names no segment")
    return segments


def _segment(raw: dict[str, Any]) -> SegmentInfo:
    return SegmentInfo(
        vectors=parse_digest(raw["vectors"]),
        chunks=parse_digest(raw["chunks"]),
        rows=parse_count(raw["rows"]),
        documents=parse_count(raw["documents"]),
        deleted=None if raw.get("deleted") is None else parse_digest(raw["deleted"]),
    )


def parse_text(value: object) -> str:
    """Return a JSON value that must be text which can be written again; raises TypeError or ValueError.

    (JSON's escapes can spell half a surrogate pair, which no encoding has.)
    """
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {shown(value)}")
    value.encode()
    return value


def parse_file_name(value: object) -> str:
    """Return a JSON value that must be a plain file name, for files are named after it; raises TypeError or ValueError.

    Letters, digits, ``.``, ``_`` and ``-``, at most 128, the first one a letter or digit: never a path.
    """
    name = parse_text(value)
    if not _FILE_NAME.fullmatch(name):
        raise ValueError(f"not a plain file name: {shown(name)}")
    return name


def parse_count(value: object) -> int:
    """Return a JSON value that must be a whole number from 0 up that 63 bits hold; raises ValueError."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise ValueError(f"expected a count, got {shown(value)}")
    return value


def parse_expires(value: object) -> str | None:
    """Return a JSON value that must be a time with its zone (RFC 3339), or null; raises TypeError or ValueError.

    One that can't be read must not pass for none.
    """
    if value is None:
        return None
    text = parse_text(value)
    if not _MOMENT.fullmatch(text):
        raise ValueError(f"no time with its zone: {shown(text)}")
    datetime.fromisoformat(text)
    return text


def rfc3339(moment: datetime) -> str:
    """Return a moment as a config has it: UTC, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def moment_of(text: str) -> datetime | None:
    """Return the moment that a text tells (RFC 3339), in UTC, which is meant where it names no zone; else None."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def version_at(moment: datetime) -> int:
    """Return the version that a moment stands for: YYYYMMDDHHMMSS in UTC."""
    return int(moment.astimezone(UTC).strftime("%Y%m%d%H%M%S"))


def parse_list(value: object) -> list[Any]:
    """Return a JSON value that must be a list; raises TypeError."""
    if not isinstance(value, list):
        raise TypeError(f"expected a list, got {shown(value)}")
    return value


def shown(value: object) -> str:
    """Return a value from elsewhere as a message can show it: quoted and cut, however long or deeply nested it is."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply; a number of too many digits
        return f"a {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:80]}…"
