"""An OCI image layout on disk (github.com/opencontainers/image-spec, image-layout.md).

    DIRECTORY/
      oci-layout                     marks the layout
      index.json                     the refs: the only mutable file
      blobs/sha256/HEX               immutable, flushed before they get their name
      .pycontextify/lock             the writers' lock
      .pycontextify/hydrating.lock   the lock of whoever downloads, with hydrating.json: how far that is
      .pycontextify/leases/          what living processes have open
      .pycontextify/quarantine/      blobs that had rotted
      .pycontextify/backup           marks a backup: the next one may replace what is in it
      .pycontextify/trash/           blobs on their way out
      .pycontextify/state.json       the highest version seen of each line of snapshots
      .pycontextify/trees.json       which directories were indexed here under which labels
      .pycontextify/partial/         what is still being written: downloads (HEX.part with HEX.journal) and builds
                                     (staging-*, and HEX.vectors: what one has embedded)

A local index directory and a published snapshot are both such a directory, byte for byte the same.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from pycontextify.errors import StoreError, ValidateError, VerifyError
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.history import CURRENT, activated, rolled_back
from pycontextify.snapshot.manifest import LAYOUT_FILE, MANIFEST_TYPE, Descriptor, Manifest, RefTable
from pycontextify.store.durable import found_in, make_directory, put_in_place, store_error, write_bytes
from pycontextify.store.leases import Leases, leased
from pycontextify.store.lock import writer_lock

__all__ = ["Layout"]

_KEEP = 3


class Layout:
    """A directory in layout form. Any number of these may name one directory; each has leases of its own.

    ``keep`` is how many generations stay, the current one among them.
    """

    def __init__(self, root: Path, *, keep: int = _KEEP) -> None:
        self.root = root
        self.keep = keep
        self.blob_directory = root / "blobs" / "sha256"
        self.private = root / ".pycontextify"
        self.leases = Leases(self.private / "leases")
        """What this process has open of it."""

    @property
    def partial(self) -> Path:
        """Where downloads and builds are staged; on the same file system as the blobs."""
        return self.private / "partial"

    def kept_vectors(self, encoder: Digest) -> Path:
        """Return where a build with this encoder keeps what it has embedded, until it has ended well."""
        return self.partial / f"{encoder.hex}.vectors"

    @property
    def trees(self) -> Path:
        """The file that remembers, for this machine only, which directories were indexed under which labels."""
        return self.private / "trees.json"

    @property
    def state(self) -> Path:
        """The file that remembers which versions were seen."""
        return self.private / "state.json"

    @property
    def backup_mark(self) -> Path:
        """The file that marks a backup."""
        return self.private / "backup"

    def create(self) -> None:
        """Make the directory and what belongs in it, if it is not there yet.

        Raises StoreError when that can't be done.
        """
        try:
            make_directory(self.blob_directory)
            make_directory(self.partial)
            marker = self.root / "oci-layout"
            if not marker.exists():
                write_bytes(marker, LAYOUT_FILE)
        except OSError as error:
            raise store_error(error, self.root) from error

    def lock(self, *, timeout: float) -> AbstractContextManager[None]:
        """Hold the writers' lock for a block; see `writer_lock`."""
        return writer_lock(self.private / "lock", timeout=timeout)

    def hydration_lock(self) -> AbstractContextManager[None]:
        """Be the one that downloads, for a block; raises StoreError with code ``store_locked`` when another one is."""
        return writer_lock(self.private / "hydrating.lock", timeout=0)

    @property
    def notice(self) -> Path:
        """The file in which whoever downloads tells the others how far that is."""
        return self.private / "hydrating.json"

    def leased(self) -> frozenset[Digest]:
        """Return the blobs that living processes have open or build on."""
        return leased(self.private / "leases")

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
        return self.blob_directory / digest.hex

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
        """Return the files among the blobs, in no order. Raises StoreError."""
        try:
            return [path for path in self.blob_directory.iterdir() if path.is_file()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise store_error(error, self.blob_directory) from error

    def disk_use(self) -> int:
        """Return how many bytes all blobs have together."""
        total = 0
        for path in found_in(self.blob_directory, "*"):
            with suppress(OSError):
                total += path.stat().st_size
        return total

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

    def activate(
        self,
        generation: Digest,
        annotations: Mapping[str, str] | None = None,
        signature: Descriptor | None = None,
    ) -> None:
        """Point ``current`` at a manifest that is stored with all its blobs; the old one becomes ``previous``.

        ``signature`` is the stored manifest of its signature.

        Raises StoreError when the generation is not whole (any more).
        """
        target = Descriptor(MANIFEST_TYPE, generation, self.size_of(generation), annotations or {})
        self._check_whole(generation)
        table = activated(self.refs(), target, keep=self.keep)
        self.write_refs(table if signature is None else table.signed(generation, signature))

    def roll_back(self, target: Descriptor) -> None:
        """Point ``current`` back at a generation; the one before it is not taken again by itself.

        Raises StoreError when the generation is not whole.
        """
        self._check_whole(target.digest)
        self.write_refs(rolled_back(self.refs(), target, keep=self.keep))

    def _check_whole(self, generation: Digest) -> None:
        if missing := self.missing(self.manifest(generation)):
            raise StoreError(
                f"the generation lacks {len(missing)} of its blobs, such as {missing[0].title!r}",
                code="blob_missing",
                asset=generation,
                hint="hydrate again, or rebuild with `pycontextify index`",
            )

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

    @property
    def quarantine(self) -> Path:
        """Where blobs go that are not what they are named by."""
        return self.private / "quarantine"

    @property
    def trash(self) -> Path:
        """Where blobs are on their way out."""
        return self.private / "trash"

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
