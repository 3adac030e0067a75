"""One archive into a staging directory: read, judge, copy, choose."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pycontextify.errors import ExtractError, PyContextifyError, StoreError, VerifyError
from pycontextify.hydration.extract.behind import Behind
from pycontextify.hydration.extract.choose import LayoutChoice, PairChoice, choose, is_candidate
from pycontextify.hydration.extract.extras import check_extras, plain
from pycontextify.hydration.extract.kind import PackedKind, packed_kind
from pycontextify.hydration.extract.limits import DEFAULT_LIMITS, Budget, ExtractLimits
from pycontextify.hydration.extract.members import Member
from pycontextify.hydration.extract.names import NameLedger
from pycontextify.hydration.extract.streams import TarStream
from pycontextify.hydration.extract.tar import tar_members
from pycontextify.hydration.extract.zip import zip_members
from pycontextify.hydration.workers import OnProgress
from pycontextify.snapshot.digest import Digest
from pycontextify.store.durable import flush, on_disk, store_error

__all__ = ["ExtractedLayout", "ExtractedPair", "extract"]

_FLUSHED_BEHIND = 64 << 20


@dataclass(frozen=True, slots=True)
class ExtractedPair:
    """The two files of an index, on disk and fsynced, with their digests."""

    faiss: Path
    sqlite: Path
    faiss_digest: Digest
    sqlite_digest: Digest


@dataclass(frozen=True, slots=True)
class ExtractedLayout:
    """A layout: the bytes of its index.json, and its blobs, on disk and fsynced, each true to its digest."""

    index_json: bytes
    blobs: Mapping[Digest, Path]


def extract(
    archive: Path,
    staging: Path,
    *,
    name: str,
    file_name: str = "",
    limits: ExtractLimits = DEFAULT_LIMITS,
    on_progress: OnProgress = lambda _read: None,
) -> ExtractedPair | ExtractedLayout:
    """Copy the index that ``archive`` holds into files in ``staging``, an empty directory.

    ``name`` is the index's name, for an archive with several; ``file_name`` is what the source calls the archive.
    ``on_progress`` is told how many bytes of the archive have been read, and may raise to end it. Blocks: for a worker
    thread.

    Raises ExtractError, VerifyError (a blob belies its name) and StoreError; ``staging`` is then empty again.
    """
    with _about(archive, file_name), Behind() as writing, Behind() as flushing:
        copies = _Copies(staging, writing, flushing)
        try:
            paths = _copy_candidates(archive, file_name, Budget(limits, on_progress), copies)
            choice = choose(paths, name)
            check_extras(paths)
            extracted = _chosen(choice, copies, limits)
            copies.settle(_files(extracted))
        except BaseException:
            copies.settle(())
            raise
        return extracted


class _Copies:
    """The files made in a staging directory, by the paths of the members they were copied from."""

    def __init__(self, staging: Path, writing: Behind, flushing: Behind) -> None:
        if not stat.S_ISDIR(staging.lstat().st_mode):
            raise StoreError("it is no directory of its own", code="staging_unsafe", asset=str(staging))
        self._staging = staging
        self._writing = writing
        self._flushing = flushing
        self._made: list[Path] = []
        self._copies: dict[str, tuple[Path, Digest]] = {}

    def add(self, path: str, pieces: Iterator[bytes]) -> None:
        """Copy a member's content into a new file: what has been unpacked is written while more is."""
        file, hasher = self._staging / f"{len(self._made):05d}", hashlib.sha256()
        with file.open("xb") as target:
            self._made.append(file)
            with self._flushing.finished(), self._writing.finished():
                for piece in pieces:
                    self._writing.do(self._write, target, file, piece)
                    hasher.update(piece)
            with on_disk(file):
                target.flush()
        self._copies[path] = (file, Digest(f"sha256:{hasher.hexdigest()}"))

    def _write(self, target: BinaryIO, file: Path, piece: bytes) -> None:
        """Write a piece; a large file goes to the disk meanwhile, so that little is left to wait for at its end."""
        with on_disk(file):
            target.write(piece)
            if target.tell() % _FLUSHED_BEHIND < len(piece):
                target.flush()
                self._flushing.do(_flush, target, file)

    def get(self, path: str) -> tuple[Path, Digest]:
        """Return the copy of a member, and its digest."""
        return self._copies[path]

    def settle(self, keep: Collection[Path]) -> None:
        """Remove all files but those to ``keep``, and force these to the disk.

        Small ones not before, for that takes its time: an archive may hold thousands of files that nobody keeps.
        """
        for file in self._made:
            if file not in keep:
                file.unlink(missing_ok=True)
        for file in keep:
            with on_disk(file), file.open("r+b") as made:
                flush(made.fileno())


def _flush(target: BinaryIO, file: Path) -> None:
    with on_disk(file):
        flush(target.fileno())


def _copy_candidates(archive: Path, file_name: str, budget: Budget, copies: _Copies) -> list[str]:
    """Read an archive to its end, copying what may be part of an index; return the paths of all its files."""
    ledger, paths = NameLedger(), list[str]()
    kind = packed_kind(archive, file_name)
    with archive.open("rb") as file:
        for member in _members(file, kind, budget):
            budget.count_member()
            path = ledger.admit(member.name, directory=member.directory)
            content = member.content if member.directory else plain(path, member.content)
            if not member.directory:
                paths.append(path)
                if is_candidate(path):
                    copies.add(path, content)
            for _ in content:
                pass  # what nobody wants is read and judged all the same
    ledger.check_tree()
    return paths


def _members(file: BinaryIO, kind: PackedKind, budget: Budget) -> Iterator[Member]:
    return zip_members(file, budget) if kind == "zip" else tar_members(TarStream(file, kind, budget))


def _chosen(
    choice: PairChoice | LayoutChoice, copies: _Copies, limits: ExtractLimits
) -> ExtractedPair | ExtractedLayout:
    match choice:
        case PairChoice():
            (faiss, faiss_digest), (sqlite, sqlite_digest) = copies.get(choice.vectors), copies.get(choice.chunks)
            return ExtractedPair(faiss, sqlite, faiss_digest, sqlite_digest)
        case LayoutChoice():
            blobs = {digest: _blob(digest, *copies.get(path)) for digest, path in choice.blobs.items()}
            return ExtractedLayout(_document(copies.get(choice.index)[0], limits), blobs)


def _blob(named: Digest, file: Path, digest: Digest) -> Path:
    if named != digest:
        raise VerifyError(
            f"the blob {named.short}… has SHA-256 {digest.short}…", code="digest_mismatch", hint="publish it again"
        )
    return file


def _document(file: Path, limits: ExtractLimits) -> bytes:
    if file.stat().st_size > limits.document:
        raise ExtractError(f"its index.json has more than {limits.document:,} bytes", code="archive_too_large")
    return file.read_bytes()


def _files(extracted: ExtractedPair | ExtractedLayout) -> Collection[Path]:
    if isinstance(extracted, ExtractedPair):
        return (extracted.faiss, extracted.sqlite)
    return frozenset(extracted.blobs.values())


@contextmanager
def _about(archive: Path, file_name: str) -> Iterator[None]:
    """Name the archive in every error about it, in one place; what else the system refuses is about the disk."""
    try:
        yield
    except PyContextifyError as error:
        error.asset = error.asset or file_name or archive.name
        raise
    except OSError as error:
        raise store_error(error, archive) from error
