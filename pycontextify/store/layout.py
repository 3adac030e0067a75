"""An OCI image layout on disk (github.com/opencontainers/image-spec, image-layout.md).

    DIRECTORY/
      oci-layout                     marks the layout
      index.json                     the refs: the only mutable file
      blobs/sha256/HEX               immutable, flushed before they get their name
      .pycontextify/lock             the writers' lock
      .pycontextify/trees.json       which directories were indexed here under which labels
      .pycontextify/partial/         what is still being written: downloads (HEX.part with HEX.journal) and builds

A local index directory and a published snapshot are both such a directory, byte for byte the same.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from pycontextify.errors import StoreError, ValidateError, VerifyError
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.manifest import LAYOUT_FILE, Descriptor, Manifest, RefTable
from pycontextify.store.durable import put_in_place, store_error, unique, write_bytes
from pycontextify.store.lock import writer_lock

__all__ = ["CURRENT", "PREVIOUS", "Layout"]

CURRENT = "current"
"""The ref of the generation that is served."""

PREVIOUS = "previous"
"""The ref of the generation that was served before."""


class Layout:
    """A directory in layout form. Holds no state but its path, so that any number of them may name one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._blobs = root / "blobs" / "sha256"
        self._private = root / ".pycontextify"

    @property
    def partial(self) -> Path:
        """Where downloads and builds are staged; on the same file system as the blobs."""
        return self._private / "partial"

    @property
    def trees(self) -> Path:
        """The file that remembers, for this machine only, which directories were indexed under which labels."""
        return self._private / "trees.json"

    def create(self) -> None:
        """Make the directory and what belongs in it, if it is not there yet.

        Raises StoreError when that can't be done.
        """
        try:
            self._blobs.mkdir(parents=True, exist_ok=True)
            self.partial.mkdir(parents=True, exist_ok=True)
            marker = self.root / "oci-layout"
            if not marker.exists():
                write_bytes(marker, LAYOUT_FILE)
        except OSError as error:
            raise store_error(error, self.root) from error

    def lock(self, *, timeout: float) -> AbstractContextManager[None]:
        """Hold the writers' lock for a block; see `writer_lock`."""
        return writer_lock(self._private / "lock", timeout=timeout)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Lend an empty directory beside the partial downloads; it is gone after the block."""
        try:
            lent = tempfile.TemporaryDirectory(dir=self.partial, prefix="staging-", ignore_cleanup_errors=True)
        except OSError as error:
            raise store_error(error, self.partial) from error
        with lent as name:
            yield Path(name)

    def blob_path(self, digest: Digest) -> Path:
        """Return where a blob lies, whether it is there or not."""
        return self._blobs / digest.hex

    def has(self, digest: Digest, size: int) -> bool:
        """Tell whether a blob of this size is there. Blobs get their name only when whole, so this is enough."""
        try:
            return self.blob_path(digest).stat().st_size == size
        except OSError:
            return False

    def size_of(self, digest: Digest) -> int:
        """Return the size in bytes of a blob that is there."""
        try:
            return self.blob_path(digest).stat().st_size
        except OSError as error:
            raise _unreadable(error, digest, self.blob_path(digest)) from error

    def blob_files(self) -> list[Path]:
        """Return the files among the blobs, in no order."""
        try:
            return [path for path in self._blobs.iterdir() if path.is_file()]
        except FileNotFoundError:
            return []

    def read(self, digest: Digest) -> bytes:
        """Return a small blob's bytes, verified.

        Raises StoreError when it is missing, VerifyError when its bytes have changed.
        """
        try:
            content = self.blob_path(digest).read_bytes()
        except OSError as error:
            raise _unreadable(error, digest, self.blob_path(digest)) from error
        if digest_of(content) != digest:
            raise VerifyError(
                "a stored blob no longer has the bytes it is named by",
                code="blob_rotten",
                asset=digest,
                hint="remove the file and hydrate again",
            )
        return content

    def add_file(self, staged: Path, digest: Digest) -> None:
        """Give a staged file, verified by its writer, its place among the blobs.

        A blob that is there already stays: readers may have it mapped, and Windows would not let it be replaced.
        """
        try:
            if self.has(digest, staged.stat().st_size):
                staged.unlink()
                return
        except OSError as error:
            raise store_error(error, staged) from error
        put_in_place(staged, self.blob_path(digest))

    def add_bytes(self, content: bytes) -> Digest:
        """Store bytes as a blob and return its digest."""
        digest = digest_of(content)
        if not self.has(digest, len(content)):
            write_bytes(self.blob_path(digest), content)
        return digest

    def add_copy(self, source: Path) -> tuple[Digest, int]:
        """Copy a file in as a blob; return its digest and size in bytes."""
        digest, size = _hash_file(source)
        if not self.has(digest, size):
            self._copy(source, digest)
        return digest, size

    def _copy(self, source: Path, expected: Digest) -> None:
        staged, hasher = self.partial / f"copy-{unique()}", hashlib.sha256()
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
            self.add_file(staged, expected)
        except OSError as error:
            raise store_error(error, source) from error
        finally:
            with suppress(OSError):
                staged.unlink(missing_ok=True)

    def refs(self) -> RefTable:
        """Return the ref table; an empty one where there is no index.json yet.

        Raises StoreError when index.json is damaged or can't be read.
        """
        path = self.root / "index.json"
        try:
            return RefTable.from_bytes(path.read_bytes())
        except FileNotFoundError:
            return RefTable()
        except OSError as error:
            raise store_error(error, path) from error
        except ValidateError as error:
            raise StoreError(
                f"the file is damaged ({error.what})",
                code=error.code,
                asset=str(path),
                hint="remove this file, then hydrate, index or publish again",
            ) from error

    def write_refs(self, table: RefTable) -> None:
        """Replace index.json atomically and durably: the moment at which a generation counts."""
        write_bytes(self.root / "index.json", table.to_bytes())

    def activate(self, generation: Digest, annotations: Mapping[str, str] | None = None) -> None:
        """Point ``current`` at a manifest that is stored with all its blobs; the old one becomes ``previous``."""
        table = self.refs()
        current = table.get(CURRENT)
        if current is not None and current.digest != generation:
            table = table.copy(CURRENT, PREVIOUS)
        self.write_refs(table.point(CURRENT, generation, self.size_of(generation), annotations))

    def current(self) -> Digest | None:
        """Return the generation that ``current`` points to."""
        target = self.refs().get(CURRENT)
        return None if target is None else target.digest

    def missing(self, manifest: Manifest) -> list[Descriptor]:
        """Return the blobs of a manifest that are not here, each once."""
        unique = {blob.digest: blob for blob in manifest.blobs}
        return [blob for blob in unique.values() if not self.has(blob.digest, blob.size)]

    def whole_current(self) -> Descriptor | None:
        """Return what ``current`` points to, if that is here with all its blobs."""
        target = self.refs().get(CURRENT)
        if target is None or not self.has(target.digest, target.size):
            return None
        return None if self.missing(self.manifest(target.digest)) else target

    def drop_partials(self) -> None:
        """Remove what downloads and builds have left behind; call it with the writers' lock held."""
        with suppress(OSError):
            for left in list(self.partial.iterdir()):
                if left.is_dir():
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    with suppress(OSError):  # Windows, while somebody reads it: next time
                        left.unlink()

    def manifest(self, generation: Digest) -> Manifest:
        """Return a stored manifest."""
        return Manifest.from_bytes(self.read(generation))

    def config(self, generation: Digest) -> SnapshotConfig:
        """Return the config of a stored manifest."""
        return SnapshotConfig.from_bytes(self.read(self.manifest(generation).config.digest))


def _unreadable(error: OSError, digest: Digest, path: Path) -> StoreError:
    if not isinstance(error, FileNotFoundError):
        return store_error(error, path)
    return StoreError(
        "a blob is missing from the index directory",
        code="blob_missing",
        asset=digest,
        hint="hydrate again, or rebuild with `pycontextify index`",
    )


def _hash_file(path: Path) -> tuple[Digest, int]:
    try:
        with path.open("rb") as file:
            hashed = hashlib.file_digest(file, "sha256")
            return Digest(f"sha256:{hashed.hexdigest()}"), file.tell()
    except OSError as error:
        raise store_error(error, path) from error
