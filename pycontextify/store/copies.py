"""Blobs made of files that lie elsewhere, which stay: copied, or of the same disk linked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pycontextify.errors import StoreError
from pycontextify.snapshot.digest import Digest
from pycontextify.store.durable import store_error, unique
from pycontextify.store.layout import Layout

__all__ = ["add_copy", "add_link"]


_BLOCK = 1 << 20


def add_copy(layout: Layout, source: Path, on_bytes: Callable[[int], None] = lambda _: None) -> Digest:
    """Copy a file in as a blob; return its digest. Raises StoreError.

    ``on_bytes`` hears how many bytes were read, a piece at a time; all of them are read twice, for their digest and to
    be copied.
    """
    digest, size = _hashed(source, on_bytes)
    if layout.has(digest, size):
        on_bytes(size)
    else:
        _copy(layout, source, digest, on_bytes)
    return digest


def add_link(layout: Layout, source: Path) -> Digest:
    """Give a file of the same disk a second name as a blob, or copy it; return its digest. It must never change.

    Raises StoreError.
    """
    digest, size = _hashed(source, _unheard)
    if not layout.has(digest, size):
        staged = layout.partial / f"copy-{unique()}"
        try:
            staged.hardlink_to(source)
        except OSError:  # another disk, or one without links
            _copy(layout, source, digest, _unheard)
        else:
            layout.add_file(staged, digest)
    return digest


def _unheard(_size: int) -> None:
    """Tell nobody."""


def _copy(layout: Layout, source: Path, expected: Digest, on_bytes: Callable[[int], None]) -> None:
    staged, hasher = layout.partial / f"copy-{unique()}", hashlib.sha256()
    try:
        with staged.open("xb") as target, source.open("rb") as origin:
            while block := origin.read(_BLOCK):
                hasher.update(block)
                target.write(block)
                on_bytes(len(block))
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


def _hashed(path: Path, on_bytes: Callable[[int], None]) -> tuple[Digest, int]:
    hasher, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                hasher.update(block)
                size += len(block)
                on_bytes(len(block))
        return Digest(f"sha256:{hasher.hexdigest()}"), size
    except OSError as error:
        raise store_error(error, path) from error
