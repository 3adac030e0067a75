"""Blobs made of files that lie elsewhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pycontextify.errors import StoreError
from pycontextify.snapshot.digest import digest_of
from pycontextify.store.copies import add_copy, add_link
from pycontextify.store.layout import Layout


def test_a_file_can_be_copied_in(layout: Layout, tmp_path: Path) -> None:
    """The original stays, the copy is named by its digest and readable as far as the umask lets it."""
    source = tmp_path / "model.onnx"
    source.write_bytes(b"weights" * 300_000)
    digest = add_copy(layout, source)
    assert digest == digest_of(source.read_bytes())
    assert layout.size_of(digest) == source.stat().st_size
    assert layout.read(digest) == source.read_bytes()
    umask = os.umask(0)
    os.umask(umask)
    mode = stat.S_IMODE(layout.blob_path(digest).stat().st_mode)
    assert mode == (0o666 & ~umask if os.name == "posix" else mode)
    assert list(layout.partial.iterdir()) == []


def test_a_copy_that_can_not_be_made_is_a_store_error(layout: Layout, tmp_path: Path) -> None:
    """A missing source, or no place to stage: typed, and nothing is left behind."""
    with pytest.raises(StoreError):
        add_copy(layout, tmp_path / "missing")
    source = tmp_path / "source"
    source.write_bytes(b"x")
    layout.partial.rmdir()
    for make in (lambda: None, lambda: layout.partial.write_bytes(b"in the way")):
        make()
        with pytest.raises(StoreError) as caught:
            add_copy(layout, source)
        assert caught.value.code == "disk_failed"
    assert layout.blob_files() == []


def test_a_file_of_the_same_disk_is_linked_in(layout: Layout, tmp_path: Path) -> None:
    """One copy on the disk under two names; once it is there, it stays as it is."""
    source = tmp_path / "source"
    source.write_bytes(b"weights")
    digest = add_link(layout, source)
    assert digest == add_link(layout, source) == digest_of(b"weights")
    assert layout.blob_path(digest).samefile(source)
    assert list(layout.partial.iterdir()) == []
