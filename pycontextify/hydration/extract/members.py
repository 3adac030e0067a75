"""What the readers of both formats hand out, and what they share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from pycontextify.errors import ExtractError
from pycontextify.hydration.transfer.transport import BUFFER

__all__ = ["Member", "Source", "malformed", "pieces", "shown", "take", "truncated"]

_SHOWN = 80
_AGAIN = "download or publish it again"


class Source(Protocol):
    """Bytes, forward only."""

    def read(self, size: int, /) -> bytes:
        """Return ``size`` bytes, fewer only at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file or a directory of an archive; no other kind gets this far.

    ``name`` is as the archive has it, yet to be judged. ``content`` is to be taken before the next member is.
    """

    name: str
    directory: bool
    content: Iterator[bytes]


def take(source: Source, size: int) -> bytes:
    """Return exactly ``size`` bytes; raises ExtractError when the archive ends before."""
    content = source.read(size)
    if len(content) < size:
        raise truncated()
    return content


def pieces(source: Source, size: int) -> Iterator[bytes]:
    """Yield exactly ``size`` bytes, a buffer at a time; raises ExtractError when the archive ends before."""
    for start in range(0, size, BUFFER):
        yield take(source, min(BUFFER, size - start))


def truncated() -> ExtractError:
    """Return the error for an archive that ends too early."""
    return ExtractError("it ends too early", code="archive_truncated", hint=_AGAIN)


def malformed(what: str) -> ExtractError:
    """Return the error for an archive whose parts do not fit together."""
    return ExtractError(what, code="archive_corrupt", hint=_AGAIN)


def shown(name: str) -> str:
    """Return a member's name fit for a message: quoted, escaped and cut."""
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…")
