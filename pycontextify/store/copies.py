"""Blobs made of files that lie elsewhere, which stay: copied, or of the same disk linked."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from pycontextify.errors import StoreError
from pycontextify.snapshot.digest import Digest
from pycontextify.store.durable import store_error, unique
from pycontextify.store.layout import Layout

__all__ = ["add_copy", "add_link"]


def add_copy(layout: Layout, source: Path) -> Digest:
    """Copy a file in as a blob; return its digest. Raises StoreError."""
    digest, size = _hashed(source)
    if not layout.has(digest, size):
        _copy(layout, source, digest)
    return digest


def add_link(layout: Layout, source: Path) -> Digest:
    """Give a file of the same disk a second name as a blob, or copy it; return its digest. It must never change.

    Raises StoreError.
    """
    digest, size = _hashed(source)
    if not layout.has(digest, size):
        staged = layout.partial / f"copy-{unique()}"
        try:
            staged.hardlink_to(source)
        except OSError:  # another disk, or one without links
            _copy(layout, source, digest)
        else:
            layout.add_file(staged, digest)
    return digest


def _copy(layout: Layout, source: Path, expected: Digest) -> None:
    staged, hasher = layout.partial / f"copy-{unique()}", hashlib.sha256()
    try:
        with staged.open("xb") as target, source.open("rb") as origin:
            while block := origin.read(1 << 20):
                hasher.update(block)
                target.write(block)
        if hasher.hexdigest() != expected.hex:
            raise StoreError(
                "the file changed while it was copied",
                code="file_changed",
                asset=str(source),
                hint="try again when nothing writes to it",
            )
        layout.add_file(staged, expected)
    except OSError as error:
        raise store_error(error, source) from error
    finally:
        with suppress(OSError):
            staged.unlink(missing_ok=True)


def _hashed(path: Path) -> tuple[Digest, int]:
    try:
        with path.open("rb") as file:
            hashed = hashlib.file_digest(file, "sha256")
            return Digest(f"sha256:{hashed.hexdigest()}"), file.tell()
    except OSError as error:
        raise store_error(error, path) from error
