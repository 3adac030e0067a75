"""Publishing the pair of files, NAME.faiss and NAME.sqlite, alone or in an archive.

Beside each file that is published lies its ``.sha256`` and, where it is signed, its ``.minisig``.

A pair is one segment that speaks for itself. A generation of several, one with deleted rows, or one whose only segment
tells another version or name, is written together into one first; no text is embedded again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pycontextify.errors import StoreError
from pycontextify.index.assemble import carried_entries, stage_segment
from pycontextify.index.chunks import Chunks
from pycontextify.index.segment import Segment
from pycontextify.publish.archive import check_archive_name, write_archive
from pycontextify.publish.issue import AS_IT_IS, Issue, trusted_comment
from pycontextify.publish.progress import CountedFile, Meter, OnProgress, PublishProgress
from pycontextify.publish.report import PublishReport, without_encoder
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.pair import config_of_pair, segment_meta
from pycontextify.store.durable import put_in_place, store_error, write_bytes
from pycontextify.store.layout import Layout

__all__ = ["publish_archive", "publish_pair"]

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class _Pair:
    vectors: Path
    chunks: Path


def publish_pair(
    layout: Layout,
    generation: Digest,
    directory: Path,
    *,
    name: str | None = None,
    issue: Issue = AS_IT_IS,
    on_progress: OnProgress = lambda _: None,
) -> PublishReport:
    """Write NAME.faiss and NAME.sqlite, each with its ``.sha256``, into a directory.

    ``name`` is what the index is called there; by default, what it is called here.

    Raises StoreError.
    """
    config = _named(issue.of(layout.config(generation)), name)
    _make_directory(directory)
    with _single_segment(layout, config, directory, on_progress) as pair:
        files = []
        for source, suffix in ((pair.vectors, ".faiss"), (pair.chunks, ".sqlite")):
            target = directory / f"{config.name}{suffix}"
            copy = partial(_copy, source, on_progress=on_progress)
            files += _write_with_sidecars(target, copy, config, issue, on_progress)
    return _report(generation, config, files)


def publish_archive(
    layout: Layout,
    generation: Digest,
    path: Path,
    *,
    name: str | None = None,
    issue: Issue = AS_IT_IS,
    on_progress: OnProgress = lambda _: None,
) -> PublishReport:
    """Write an archive of NAME.faiss and NAME.sqlite, of the kind its name says, and its ``.sha256`` beside it.

    ``name`` is what the index is called in it; by default, what it is called here.

    Raises ConfigError for a name that says no kind, StoreError.
    """
    check_archive_name(path.name)
    config = _named(issue.of(layout.config(generation)), name)
    _make_directory(path.parent)
    with _single_segment(layout, config, path.parent, on_progress) as pair:
        members = {f"{config.name}.faiss": pair.vectors, f"{config.name}.sqlite": pair.chunks}

        def write(staged: Path) -> None:
            meter = Meter("packing", sum(member.stat().st_size for member in members.values()), on_progress)
            write_archive(staged, path.name, members, created=config.created, on_bytes=meter.add)

        files = _write_with_sidecars(path, write, config, issue, on_progress)
    return _report(generation, config, files)


def _named(config: SnapshotConfig, name: str | None) -> SnapshotConfig:
    return config if name is None else replace(config, name=name)


@contextmanager
def _single_segment(layout: Layout, config: SnapshotConfig, beside: Path, on_progress: OnProgress) -> Iterator[_Pair]:
    """Lend the two files of a generation's only segment, made of all its segments when one alone won't do."""
    only = config.segments[0]
    if _says_it_all(layout, config):
        yield _Pair(layout.blob_path(only.vectors), layout.blob_path(only.chunks))
        return
    on_progress(PublishProgress("assembling", 0, 0))
    with ExitStack() as stack:
        staging = stack.enter_context(_staging(beside))
        segments = []
        for info in config.segments:
            segments.append(Segment.open(info, layout.blob_path))
            stack.callback(segments[-1].close)
        entries = [entry for segment in segments for entry in carried_entries(segment, ())]
        rows = sum(len(entry.chunks) for entry in entries)
        # The oldest rules: a later run then cuts again what they cut.
        chunker = min(segment.chunks.meta.get("chunker", 0) for segment in segments)
        meta = segment_meta(config, rows=rows, documents=len(entries), chunker=chunker)
        staged = stage_segment(staging, entries, meta, config.encoder.dimension)
        yield _Pair(staged.files[staged.info.vectors], staged.files[staged.info.chunks])


def _says_it_all(layout: Layout, config: SnapshotConfig) -> bool:
    """Tell whether the config that can be made of the first segment alone is that of the whole generation."""
    only = config.segments[0]
    if len(config.segments) > 1 or only.deleted is not None:
        return False
    with closing(Chunks.open(layout.blob_path(only.chunks))) as chunks:
        told = config_of_pair(chunks.meta, vectors=only.vectors, chunks=only.chunks)
    return told == replace(config, probes=(), encoder=replace(config.encoder, files={}))


@contextmanager
def _staging(beside: Path) -> Iterator[Path]:
    try:
        lent = tempfile.TemporaryDirectory(dir=beside, prefix=".pycontextify-", ignore_cleanup_errors=True)
    except OSError as error:
        raise store_error(error, beside) from error
    with lent as name:
        yield Path(name)


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise store_error(error, path) from error


def _write_with_sidecars(
    target: Path, write: Callable[[Path], object], config: SnapshotConfig, issue: Issue, on_progress: OnProgress
) -> list[Path]:
    """Write a file beside its place and put it there, then its digest (as sha256sum(1) does) and its signature.

    Returns all of them. A signature that is not this file's goes.
    """
    staged = target.with_name(f".{target.name}.tmp")
    comment = trusted_comment(config, target.name)
    digest, signature = _beside(target, ".sha256"), _beside(target, ".minisig")
    try:
        write(staged)
        sha256, blake2b = hashlib.sha256(), hashlib.blake2b()  # the latter is what is signed
        updates = (sha256.update,) if issue.sign is None else (sha256.update, blake2b.update)
        _hash(staged, updates, on_progress)
        signed = None if issue.sign is None else issue.sign(blake2b.digest(), comment)
        put_in_place(staged, target)
        signature.unlink(missing_ok=True)
    except OSError as error:
        raise store_error(error, target) from error
    finally:
        staged.unlink(missing_ok=True)
    write_bytes(digest, f"{sha256.hexdigest()}  ".encode() + os.fsencode(target.name) + b"\n")
    if signed is None:
        return [target, digest]
    write_bytes(signature, signed)
    return [target, digest, signature]


def _copy(source: Path, target: Path, on_progress: OnProgress) -> None:
    with source.open("rb") as origin, target.open("wb") as copy:
        meter = Meter("copying", source.stat().st_size, on_progress)
        shutil.copyfileobj(CountedFile(origin, meter.add), copy, _BLOCK)


def _hash(path: Path, updates: Sequence[Callable[[bytes], object]], on_progress: OnProgress) -> None:
    """Read a file once, for several hashes."""
    meter = Meter("hashing", path.stat().st_size, on_progress)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            for update in updates:
                update(block)
            meter.add(len(block))


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}{suffix}")


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
        lacks=without_encoder(config.encoder),
    )
