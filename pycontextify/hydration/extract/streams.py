"""The bytes of a tar archive, whatever they are packed in, counted against the budget."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Literal, cast

import zstandard
from isal import igzip, igzip_lib

from pycontextify.errors import ExtractError
from pycontextify.hydration.extract.limits import Budget
from pycontextify.hydration.extract.members import Source, truncated
from pycontextify.hydration.extract.zstd import MAX_WINDOW, check_frames
from pycontextify.hydration.transport import BUFFER

__all__ = ["Unpacked", "unpacking"]

_ISAL_ERROR = cast("type[Exception]", igzip_lib.error)  # isal's stub takes the class for an instance


class Unpacked:
    """A Source that counts what is read from it against a budget.

    ``kind`` is what the tar archive in ``file``, of ``size`` bytes, is packed in. Raises ExtractError.
    """

    def __init__(self, file: BinaryIO, size: int, kind: Literal["tar", "tar.gz", "tar.zst"], budget: Budget) -> None:
        self._file = file
        self._budget = budget
        self._inner = _inner(file, size, kind)

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""
        content = self._inner.read(size)
        self._budget.spend(len(content), self._file.tell())
        return content


@contextmanager
def unpacking() -> Iterator[None]:
    """Turn the errors of the libraries that unpack into ours."""
    try:
        yield
    except EOFError as error:
        raise truncated() from error
    except (gzip.BadGzipFile, _ISAL_ERROR, zstandard.ZstdError) as error:
        raise ExtractError(
            f"it can't be unpacked ({error})", code="archive_corrupt", hint="publish it again"
        ) from error


def _inner(file: BinaryIO, size: int, kind: Literal["tar", "tar.gz", "tar.zst"]) -> Source:
    match kind:
        case "tar":
            return file
        case "tar.gz":
            return igzip.IGzipFile(fileobj=file, mode="rb")  # type: ignore[no-untyped-call]  # isal types half of it
        case "tar.zst":
            check_frames(file, size)
            file.seek(0)
            unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
            return unpacker.stream_reader(file, read_size=BUFFER, read_across_frames=True, closefd=False)
