"""Good archives of every kind, written by the standard library."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping

import zstandard

__all__ = ["WRITERS", "Files", "write_tar", "write_zip"]

Files = Mapping[str, bytes]


def write_tar(files: Files, form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar archive; names that end in a slash are directories."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def write_zip(files: Files, method: int = zipfile.ZIP_DEFLATED, *, comment: bytes = b"") -> bytes:
    """Return a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.comment = comment
    return buffer.getvalue()


def _write_described_zip(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive whose sizes come after the content, as a writer makes it that can't go back."""
    stream = _OneWay()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _write_zip64(files: Files) -> bytes:
    """A zip archive that has the wide fields, whether it needs them or not."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(content)
    return buffer.getvalue()


class _OneWay(io.BytesIO):
    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError("a pipe has no position")

    def seek(self, *_: int) -> int:
        raise OSError("a pipe has no position")


def _zst(content: bytes) -> bytes:
    """Two frames, one with a checksum, and a skippable one between them."""
    half = len(content) // 2
    skippable = (0x184D2A53).to_bytes(4, "little") + (4).to_bytes(4, "little") + b"note"
    summed = zstandard.ZstdCompressor(write_checksum=True).compress(content[:half])
    unsized = zstandard.ZstdCompressor(write_content_size=False).compress(content[half:])
    return summed + skippable + unsized


WRITERS: Mapping[str, tuple[str, Callable[[Files], bytes]]] = {
    "tar of pax": (".tar", write_tar),
    "tar of GNU": (".tar", lambda files: write_tar(files, tarfile.GNU_FORMAT)),
    "tar of ustar": (".tar", lambda files: write_tar(files, tarfile.USTAR_FORMAT)),
    "tar.gz": (".tar.gz", lambda files: gzip.compress(write_tar(files))),
    "tgz": (".tgz", lambda files: gzip.compress(write_tar(files), 1)),
    "tar.gz in two members": (".tar.gz", lambda files: b"".join(map(gzip.compress, _halves(write_tar(files))))),
    "tar.zst": (".tar.zst", lambda files: zstandard.compress(write_tar(files))),
    "tar.zst in frames": (".tar.zst", lambda files: _zst(write_tar(files))),
    "zip": (".zip", write_zip),
    "zip without compression": (".zip", lambda files: write_zip(files, zipfile.ZIP_STORED)),
    "zip with a comment": (".zip", lambda files: write_zip(files, comment=b"made by hand")),
    "zip with descriptors": (".zip", _write_described_zip),
    "zip with descriptors, without compression": (
        ".zip",
        lambda files: _write_described_zip(files, zipfile.ZIP_STORED),
    ),
    "zip64": (".zip", _write_zip64),
}


def _halves(content: bytes) -> tuple[bytes, bytes]:
    return content[: len(content) // 2], content[len(content) // 2 :]
