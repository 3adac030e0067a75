"""Blobs made of files that lie elsewhere, which stay: copied, or of the same disk linked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pycontextify.errors import VerifyError
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.manifest import Descriptor
from pycontextify.store.durable import store_error, unique
from pycontextify.store.layout import Layout

__all__ = ["add_copy", "add_link", "bring"]


_BLOCK = 1 << 20


def add_copy(layout: Layout, source: Path, on_bytes: Callable[[int], None] = lambda _: None) -> Digest:
    """Copy a file in as a blob, read once; return the digest of what was copied. Raises StoreError.

    ``on_bytes`` hears how many bytes came, a piece at a time.
    """
    staged, hasher = layout.partial / f"copy-{unique()}", hashlib.sha256()
    try:
        with staged.open("xb") as target, source.open("rb") as origin:
            while block := origin.read(_BLOCK):
                hasher.update(block)
                target.write(block)
                on_bytes(len(block))
        digest = Digest(f"sha256:{hasher.hexdigest()}")
        layout.add_file(staged, digest)
    except OSError as error:
        raise store_error(error, source) from error
    finally:
        with suppress(OSError):
            staged.unlink(missing_ok=True)
    return digest


def add_link(layout: Layout, source: Path) -> Digest:
    """Give a file of the same disk a second name as a blob, or copy it; return its digest. It must never change.

    Raises StoreError.
    """
    try:
        with source.open("rb") as file:
            digest, size = Digest(f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"), file.tell()
    except OSError as error:
        raise store_error(error, source) from error
    if layout.has(digest, size):
        return digest
    staged = layout.partial / f"copy-{unique()}"
    try:
        staged.hardlink_to(source)
    except OSError:  # another disk, or one without links
        return add_copy(layout, source)
    layout.add_file(staged, digest)
    return digest


def bring(source: Layout, blob: Descriptor, target: Layout, add: Callable[[Layout, Path], Digest] = add_copy) -> int:
    """Give a layout a blob of another one, verified; return how many bytes that added.

    Raises StoreError, or VerifyError for a blob that is rotten.
    """
    if target.has(blob.digest, blob.size):
        return 0
    if add(target, source.blob_path(blob.digest)) != blob.digest:
        raise VerifyError(
            f"a blob ({blob.title}) no longer has the bytes it is named by",
            code="blob_rotten",
            asset=str(source.blob_path(blob.digest)),
            hint="`pycontextify doctor --deep` finds all such and has them fetched again",
        )
    return blob.size
