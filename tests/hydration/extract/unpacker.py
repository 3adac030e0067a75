"""What the tests of extraction share: an index to pack, and a place to unpack it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pycontextify.errors import PyContextifyError
from pycontextify.hydration.extract import DEFAULT_LIMITS, ExtractedLayout, ExtractedPair, ExtractLimits, extract
from pycontextify.snapshot.digest import digest_of
from tests.hydration.extract.archives import Files, write_tar

__all__ = ["BLOBS", "CHUNKS", "LAYOUT", "PAIR", "VECTORS", "Unpacker", "fresh_unpacker"]

VECTORS = bytes(range(256)) * 3000  # more than one buffer
CHUNKS = b"SQLite format 3\0" + b"chunk" * 1000
PAIR = {"docs.faiss": VECTORS, "docs.sqlite": CHUNKS}
BLOBS = (b"config", b"vectors" * 1000, b"chunks")
LAYOUT = {
    "oci-layout": b"{}",
    "index.json": b'{"manifests": []}',
    **{f"blobs/sha256/{digest_of(blob).hex}": blob for blob in BLOBS},
}


class Unpacker:
    """Extracts archives given as bytes, each into a staging directory of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.staging = root / "staging"
        self.staging.mkdir()

    def __call__(
        self, content: bytes, file_name: str, name: str = "docs", limits: ExtractLimits = DEFAULT_LIMITS
    ) -> ExtractedPair | ExtractedLayout:
        archive = self.root / "archive"
        archive.write_bytes(content)
        return extract(archive, self.staging, name=name, file_name=file_name, limits=limits)

    def pair(self, files: Files, name: str = "docs") -> tuple[bytes, bytes]:
        """Return the content of the pair that is taken out of a tar archive of ``files``."""
        extracted = self(write_tar(files), "a.tar", name)
        assert isinstance(extracted, ExtractedPair)
        return extracted.faiss.read_bytes(), extracted.sqlite.read_bytes()

    def refusal(self, files: Files, name: str = "docs", limits: ExtractLimits = DEFAULT_LIMITS) -> PyContextifyError:
        """Return the error that a tar archive of ``files`` must end in; nothing may be left."""
        with pytest.raises(PyContextifyError) as caught:
            self(write_tar(files), "a.tar", name, limits)
        assert list(self.staging.iterdir()) == []
        return caught.value


@contextmanager
def fresh_unpacker() -> Iterator[Unpacker]:
    """A place to extract once; for hypothesis, which runs a test many times."""
    with TemporaryDirectory() as root:
        yield Unpacker(Path(root))
