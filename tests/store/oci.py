"""The rules of the OCI image layout, written down from the specification and from nothing of ours.

Source: github.com/opencontainers/image-spec at 1.1, image-layout.md, image-index.md, manifest.md, descriptor.md,
annotations.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

__all__ = ["check_image_layout"]

_REF_NAME = "org.opencontainers.image.ref.name"
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_DIGEST = re.compile(r"([a-z0-9]+(?:[+._-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)")
_REF = re.compile(r"[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*(?:/[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*)*")
# RFC 6838, section 4.2: restricted names, at most 127 characters each.
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}")
_LARGEST_MANIFEST = 4 << 20


def check_image_layout(root: Path) -> None:
    """Raise AssertionError unless a directory is a valid image layout whose every blob is there."""
    assert json.loads((root / "oci-layout").read_bytes())["imageLayoutVersion"] == "1.0.0"
    for path in (root / "blobs").rglob("*"):
        if path.is_file():
            assert path.parent == root / "blobs" / "sha256", f"{path} is no blob"
            assert path.name == hashlib.sha256(path.read_bytes()).hexdigest(), f"{path} is misnamed"
    index = json.loads((root / "index.json").read_bytes())
    assert index["schemaVersion"] == 2
    assert index["mediaType"] == "application/vnd.oci.image.index.v1+json"
    names = [name for target in index["manifests"] if (name := _check_entry(root, target)) is not None]
    assert len(set(names)) == len(names), "a ref is there twice"


def _check_entry(root: Path, target: dict[str, Any]) -> str | None:
    """Check an entry of index.json and all that it leads to; return its name. What refers to another has none."""
    content = _check_descriptor(root, target)
    assert target["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert len(content) <= _LARGEST_MANIFEST, "registries may refuse a manifest of more than 4 MiB"
    manifest = json.loads(content)
    assert manifest["schemaVersion"] == 2
    assert manifest["mediaType"] == target["mediaType"]
    assert target.get("artifactType", manifest["artifactType"]) == manifest["artifactType"]
    assert _MEDIA_TYPE.fullmatch(manifest["artifactType"])
    assert manifest["layers"], "a manifest should have at least one layer"
    for descriptor in (manifest["config"], *manifest["layers"]):
        content = _check_descriptor(root, descriptor)
        assert descriptor["mediaType"] != _EMPTY_TYPE or content == b"{}"
    if "subject" in manifest:
        assert json.loads(_check_descriptor(root, manifest["subject"]))["schemaVersion"] == 2
        assert _REF_NAME not in target.get("annotations", {})
        return None
    name = target["annotations"][_REF_NAME]
    assert isinstance(name, str)
    assert _REF.fullmatch(name)
    return name


def _check_descriptor(root: Path, descriptor: dict[str, Any]) -> bytes:
    """Check a descriptor and return the blob it points to."""
    assert _MEDIA_TYPE.fullmatch(descriptor["mediaType"])
    assert "data" not in descriptor, "reserved"
    for key, value in descriptor.get("annotations", {}).items():
        assert isinstance(key, str)
        assert isinstance(value, str)
        assert key.startswith(("org.opencontainers.image.", "io.pycontextify.")), f"{key} is in nobody's name space"
    parts = _DIGEST.fullmatch(descriptor["digest"])
    assert parts is not None
    content = (root / "blobs" / parts[1] / parts[2]).read_bytes()
    assert type(descriptor["size"]) is int
    assert descriptor["size"] == len(content)
    return content
