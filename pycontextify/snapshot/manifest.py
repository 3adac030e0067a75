"""Manifests and the ref table, in OCI form.

Sources: OCI image-spec 1.1, manifest.md (image manifest), image-index.md (``index.json``), annotations.md (ref.name).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pycontextify.errors import ValidateError
from pycontextify.snapshot.config import (
    SnapshotConfig,
    canonical_json,
    parse_count,
    parse_list,
    parse_object,
    parse_text,
    shown,
)
from pycontextify.snapshot.digest import Digest, digest_of, parse_digest

__all__ = [
    "ARTIFACT_TYPE",
    "CHUNKS_TYPE",
    "CONFIG_TYPE",
    "DELETED_TYPE",
    "DOCUMENT_LIMIT",
    "ENCODER_TYPE",
    "LAYOUT_FILE",
    "MANIFEST_TYPE",
    "SIGNATURE_TYPE",
    "VECTORS_TYPE",
    "Descriptor",
    "Manifest",
    "RefTable",
    "build_manifest",
]

ARTIFACT_TYPE = "application/vnd.pycontextify.index.v1"
CONFIG_TYPE = "application/vnd.pycontextify.config.v1+json"
VECTORS_TYPE = "application/vnd.pycontextify.vectors.v1.faiss"
CHUNKS_TYPE = "application/vnd.pycontextify.chunks.v1.sqlite3"
DELETED_TYPE = "application/vnd.pycontextify.deleted.v1"
ENCODER_TYPE = "application/vnd.pycontextify.encoder.v1"
SIGNATURE_TYPE = "application/vnd.pycontextify.signature.v1"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
DOCUMENT_LIMIT = 4 << 20
"""The most bytes that a manifest or an index.json may have."""

_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_REF_NAME = "org.opencontainers.image.ref.name"
_TITLE = "org.opencontainers.image.title"
_SIGNS = "io.pycontextify.signs"
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

LAYOUT_FILE = canonical_json({"imageLayoutVersion": "1.0.0"})
"""The content of ``oci-layout``, the file that marks an OCI image layout (image-layout.md)."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A pointer to a blob: its media type, digest and size in bytes."""

    media_type: str
    digest: Digest
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The name people know the blob by, such as ``segment 1 vectors``."""
        return self.annotations.get(_TITLE, self.digest.short)

    def to_json(self) -> dict[str, Any]:
        """Return the OCI form."""
        raw: dict[str, Any] = {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
        return {**raw, "annotations": dict(self.annotations)} if self.annotations else raw

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Descriptor:
        """Read the OCI form; raises KeyError, TypeError, ValueError or AttributeError."""
        return cls(
            media_type=parse_text(raw["mediaType"]),
            digest=parse_digest(raw["digest"]),
            size=parse_count(raw["size"]),
            annotations={parse_text(key): parse_text(text) for key, text in raw.get("annotations", {}).items()},
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot consists of: its config blob and its layers."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Every blob of the snapshot, the config first."""
        return (self.config, *self.layers)

    def to_bytes(self) -> bytes:
        """Serialise; equal manifests give equal bytes."""
        raw: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": ARTIFACT_TYPE,
            "config": self.config.to_json(),
            "layers": [layer.to_json() for layer in self.layers],
        }
        return canonical_json({**raw, "annotations": dict(self.annotations)} if self.annotations else raw)

    @classmethod
    def from_bytes(cls, content: bytes) -> Manifest:
        """Parse a manifest; raises ValidateError for anything but a PyContextify manifest."""
        raw = parse_object(content, what="manifest", code="manifest_invalid")
        if raw.get("artifactType") != ARTIFACT_TYPE:
            raise ValidateError(
                f"the manifest describes {shown(raw.get('artifactType') or raw.get('mediaType'))}, "
                "not a PyContextify index",
                code="manifest_invalid",
                hint="point the source at what `pycontextify publish` wrote",
            )
        try:
            return cls(
                config=Descriptor.from_json(raw["config"]),
                layers=tuple(Descriptor.from_json(layer) for layer in parse_list(raw["layers"])),
                annotations={parse_text(key): parse_text(text) for key, text in raw.get("annotations", {}).items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValidateError(
                f"the manifest is malformed: {shown(error)}", code="manifest_invalid", hint="publish the index again"
            ) from error


def build_manifest(
    config: SnapshotConfig, sizes: Mapping[Digest, int], annotations: Mapping[str, str] | None = None
) -> tuple[bytes, bytes]:
    """Return the bytes of the manifest and of the config for a snapshot.

    ``sizes`` gives the size in bytes of every blob that the config names; the manifest gets the ``annotations``.
    """

    def layer(media_type: str, digest: Digest, title: str) -> Descriptor:
        return Descriptor(media_type, digest, sizes[digest], {_TITLE: title})

    layers: list[Descriptor] = []
    for number, segment in enumerate(config.segments, start=1):
        layers.append(layer(VECTORS_TYPE, segment.vectors, f"segment {number} vectors"))
        layers.append(layer(CHUNKS_TYPE, segment.chunks, f"segment {number} chunks"))
        if segment.deleted is not None:
            layers.append(layer(DELETED_TYPE, segment.deleted, f"segment {number} deleted"))
    layers.extend(
        layer(ENCODER_TYPE, digest, f"encoder {name}") for name, digest in sorted(config.encoder.files.items())
    )
    content = config.to_bytes()
    head = Descriptor(CONFIG_TYPE, digest_of(content), len(content), {_TITLE: "config"})
    return Manifest(head, tuple(layers), annotations or {}).to_bytes(), content


@dataclass(frozen=True, slots=True)
class RefTable:
    """``index.json``: names for manifests. Immutable; `point` and `without` return a new table.

    ``signatures`` point to the manifests of `pycontextify.snapshot.referrer`, which have no names.
    """

    refs: Mapping[str, Descriptor] = field(default_factory=dict)
    signatures: tuple[Descriptor, ...] = ()

    def get(self, name: str) -> Descriptor | None:
        """Return what the name points to."""
        return self.refs.get(name)

    def point(self, name: str, digest: Digest, size: int, annotations: Mapping[str, str] | None = None) -> RefTable:
        """Return a table where ``name`` points to a manifest of ``size`` bytes."""
        target = Descriptor(MANIFEST_TYPE, digest, size, {**(annotations or {}), _REF_NAME: name})
        return replace(self, refs={**self.refs, name: target})

    def copy(self, source: str, name: str) -> RefTable:
        """Return a table where ``name`` points to what ``source`` points to."""
        target = self.refs[source]
        named = replace(target, annotations={**target.annotations, _REF_NAME: name})
        return replace(self, refs={**self.refs, name: named})

    def without(self, names: Iterable[str]) -> RefTable:
        """Return a table that lacks these names."""
        gone = set(names)
        return replace(self, refs={name: target for name, target in self.refs.items() if name not in gone})

    def signed(self, subject: Digest, signature: Descriptor) -> RefTable:
        """Return a table where ``subject`` has one signature: the one with this manifest."""
        others = (each for each in self.signatures if each.annotations.get(_SIGNS) != subject)
        return replace(self, signatures=(*others, replace(signature, annotations={_SIGNS: subject})))

    def signatures_of(self, subject: Digest) -> tuple[Descriptor, ...]:
        """Return where the signatures of a manifest may be: those said to be its own, then those that say nothing."""
        own = [each for each in self.signatures if each.annotations.get(_SIGNS) == subject]
        return (*own, *(each for each in self.signatures if _SIGNS not in each.annotations))

    def to_bytes(self) -> bytes:
        """Serialise as an OCI image index. Signatures of what nothing points to are left out."""
        named = {target.digest for target in self.refs.values()}
        kept = [each for each in self.signatures if each.annotations.get(_SIGNS, "") in {"", *named}]
        manifests = [{**target.to_json(), "artifactType": ARTIFACT_TYPE} for _, target in sorted(self.refs.items())]
        manifests += [{**each.to_json(), "artifactType": SIGNATURE_TYPE} for each in kept]
        return canonical_json({"schemaVersion": 2, "mediaType": _INDEX_TYPE, "manifests": manifests})

    @classmethod
    def from_bytes(cls, content: bytes) -> RefTable:
        """Parse ``index.json``; entries that are neither named nor a signature are passed over (image-index.md).

        Raises ValidateError.
        """
        raw = parse_object(content, what="index.json", code="index_json_invalid")
        refs: dict[str, Descriptor] = {}
        signatures: list[Descriptor] = []
        try:
            for item in parse_list(raw["manifests"]):
                name = item.get("annotations", {}).get(_REF_NAME, "")
                if item.get("artifactType") == SIGNATURE_TYPE:  # some tools give these names too
                    signatures.append(Descriptor.from_json(item))
                elif _REF.fullmatch(name):
                    refs[name] = Descriptor.from_json(item)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValidateError(
                f"index.json is malformed: {shown(error)}",
                code="index_json_invalid",
                hint="publish or hydrate the index again",
            ) from error
        return cls(refs, tuple(signatures))
