"""Publishing the pair of files, NAME.faiss and NAME.sqlite, alone or in an archive, each with its ``.sha256``.

A pair is one segment. A generation of several, or one with deleted rows, is written together into one first; no text
is embedded again.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pycontextify.errors import StoreError
from pycontextify.index.assemble import carried_entries, stage_segment
from pycontextify.index.segment import Segment
from pycontextify.publish.archive import write_archive
from pycontextify.publish.report import PublishReport
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.pair import segment_meta
from pycontextify.store.durable import put_in_place, store_error, write_bytes
from pycontextify.store.layout import Layout

__all__ = ["publish_archive", "publish_pair"]


@dataclass(frozen=True, slots=True)
class _Pair:
    vectors: Path
    chunks: Path


def publish_pair(layout: Layout, generation: Digest, directory: Path) -> PublishReport:
    """Write NAME.faiss and NAME.sqlite, each with its ``.sha256``, into a directory.

    Raises StoreError.
    """
    config = layout.config(generation)
    directory.mkdir(parents=True, exist_ok=True)
    with _single_segment(layout, config, directory) as pair:
        files = []
        for source, suffix in ((pair.vectors, ".faiss"), (pair.chunks, ".sqlite")):
            target = directory / f"{config.name}{suffix}"
            _write_with_sidecar(target, partial(shutil.copyfile, source))
            files += [target, _sidecar(target)]
    return _report(generation, config, files)


def publish_archive(layout: Layout, generation: Digest, path: Path) -> PublishReport:
    """Write an archive of NAME.faiss and NAME.sqlite, of the kind its name says, and its ``.sha256`` beside it.

    Raises ConfigError for a name that says no kind, StoreError.
    """
    config = layout.config(generation)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _single_segment(layout, config, path.parent) as pair:
        members = {f"{config.name}.faiss": pair.vectors, f"{config.name}.sqlite": pair.chunks}
        _write_with_sidecar(path, lambda staged: write_archive(staged, path.name, members, created=config.created))
    return _report(generation, config, [path, _sidecar(path)])


@contextmanager
def _single_segment(layout: Layout, config: SnapshotConfig, beside: Path) -> Iterator[_Pair]:
    """Lend the two files of a generation's only segment, made of all its segments when there are several."""
    only = config.segments[0]
    if len(config.segments) == 1 and only.deleted is None:
        yield _Pair(layout.blob_path(only.vectors), layout.blob_path(only.chunks))
        return
    with ExitStack() as stack:
        staging = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=beside, prefix=".pycontextify-")))
        entries = []
        for info in config.segments:
            segment = Segment.open(info, layout.blob_path)
            stack.callback(segment.close)
            entries += carried_entries(segment, ())
        rows = sum(len(entry.chunks) for entry in entries)
        chunker = segment.chunks.meta["chunker"]
        meta = segment_meta(config, rows=rows, documents=len(entries), chunker=chunker)
        staged = stage_segment(staging, entries, meta, config.encoder.dimension)
        yield _Pair(staged.files[staged.info.vectors], staged.files[staged.info.chunks])


def _write_with_sidecar(target: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside its place, put it there, then its digest in the form of sha256sum(1)."""
    staged = target.with_name(f".{target.name}.tmp")
    try:
        write(staged)
        with staged.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        put_in_place(staged, target)
    except OSError as error:
        raise store_error(error, target) from error
    finally:
        staged.unlink(missing_ok=True)
    write_bytes(_sidecar(target), f"{digest}  {target.name}\n".encode())


def _sidecar(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _report(generation: Digest, config: SnapshotConfig, files: list[Path]) -> PublishReport:
    try:
        size = sum(path.stat().st_size for path in files)
    except OSError as error:
        raise StoreError("a published file is gone again", code="disk_failed") from error
    return PublishReport(
        generation=generation,
        version=config.version,
        files=tuple(map(str, files)),
        bytes_total=size,
        bytes_copied=size,
    )
