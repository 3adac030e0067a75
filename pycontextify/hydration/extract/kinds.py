"""Which kind of archive a file is."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pycontextify.errors import ExtractError
from pycontextify.hydration.extract.tar import looks_like_header

__all__ = ["PackedKind", "packed_kind", "sniff"]

PackedKind = Literal["zip", "tar", "tar.gz", "tar.zst"]

_SUFFIXES: dict[str, PackedKind] = {
    ".zip": "zip",
    ".tar": "tar",
    ".tar.gz": "tar.gz",
    ".tgz": "tar.gz",
    ".tar.zst": "tar.zst",
    ".tzst": "tar.zst",
}
_MAGICS: tuple[tuple[bytes, PackedKind], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),  # with no members
    (b"\x1f\x8b", "tar.gz"),
    (b"\x28\xb5\x2f\xfd", "tar.zst"),
)
_HEAD = 512


def packed_kind(path: Path, file_name: str = "") -> PackedKind:
    """Tell the kind of an archive by its first bytes.

    ``file_name`` is what the source calls it; a suffix that says otherwise is a contradiction, and one that we don't
    know says nothing. Raises ExtractError, and OSError when the file can't be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    kind = sniff(head)
    if kind is None:
        raise ExtractError(
            f"this is no archive{_resemblance(head)}",
            code="archive_kind_unknown",
            hint="give the address of a .zip, .tar, .tar.gz or .tar.zst file",
        )
    claimed = next((kind for suffix, kind in _SUFFIXES.items() if file_name.lower().endswith(suffix)), kind)
    if claimed != kind:
        raise ExtractError(
            f"its name says {claimed} and its content {kind}",
            code="archive_kind_mismatch",
            hint="publish it under the right name (some servers unpack .gz files as they send them)",
        )
    return kind


def sniff(head: bytes) -> PackedKind | None:
    """Tell the kind of an archive that begins with ``head`` (512 bytes); None for what is none."""
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            return kind
    return "tar" if looks_like_header(head) else None


def _resemblance(head: bytes) -> str:
    if not head:
        return ": it is empty"
    if head.lstrip()[:1] == b"<":
        return ", it looks like a web page"
    return ""
