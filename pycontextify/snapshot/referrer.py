"""Signatures within a layout: an OCI manifest whose ``subject`` is the manifest that is signed, and whose one layer is
the signature file. ``index.json`` lists it beside the refs, without a name.

Source: OCI image-spec 1.1, manifest.md ("subject", "Guidelines for Artifact Usage").
"""

from __future__ import annotations

from dataclasses import dataclass

from pycontextify.errors import UntrustedError, ValidateError
from pycontextify.snapshot.config import canonical_json, parse_list, parse_object
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.manifest import MANIFEST_TYPE, SIGNATURE_TYPE, Descriptor

__all__ = ["EMPTY_CONFIG", "SIGNATURE_FILE_TYPE", "Referrer", "build_referrer"]

SIGNATURE_FILE_TYPE = "application/vnd.pycontextify.signature.v1+minisign"
EMPTY_CONFIG = b"{}"
"""The config of a manifest that has none (manifest.md, "Guidance for an Empty Descriptor"); a blob like any other."""

_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_MOST_LAYERS = 8


@dataclass(frozen=True, slots=True)
class Referrer:
    """What a signature's manifest says: what is signed, and where the signature files are (one, or one a key)."""

    subject: Digest
    config: Descriptor
    layers: tuple[Descriptor, ...]

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Every blob it needs."""
        return (self.config, *self.layers)

    @classmethod
    def from_bytes(cls, content: bytes) -> Referrer:
        """Parse the manifest of a signature; raises UntrustedError for anything else."""
        try:
            raw = parse_object(content, what="manifest of the signature", code="signature_invalid")
            layers = tuple(Descriptor.from_json(layer) for layer in parse_list(raw["layers"]))
            found = cls(Descriptor.from_json(raw["subject"]).digest, Descriptor.from_json(raw["config"]), layers)
        except (ValidateError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise _malformed() from error
        if raw.get("artifactType") != SIGNATURE_TYPE or not 1 <= len(layers) <= _MOST_LAYERS:
            raise _malformed()
        return found


def build_referrer(subject: Descriptor, signature: bytes) -> bytes:
    """Return the bytes of the manifest that ties a signature file to a manifest."""
    bare = Descriptor(subject.media_type, subject.digest, subject.size)
    return canonical_json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": SIGNATURE_TYPE,
            "config": Descriptor(_EMPTY_TYPE, digest_of(EMPTY_CONFIG), len(EMPTY_CONFIG)).to_json(),
            "layers": [Descriptor(SIGNATURE_FILE_TYPE, digest_of(signature), len(signature)).to_json()],
            "subject": bare.to_json(),
        }
    )


def _malformed() -> UntrustedError:
    return UntrustedError(
        "the manifest of its signature is malformed", code="signature_invalid", hint="publish it again with --sign"
    )
