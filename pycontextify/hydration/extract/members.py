"""What the readers of both formats hand out, and how they read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from pycontextify.errors import ExtractError

__all__ = ["Member", "Source", "shown", "take", "truncated"]

_SHOWN = 80


class Source(Protocol):
    """Bytes, forward only."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file or a directory of an archive; no other kind gets this far.

    ``name`` is as the archive has it, yet to be judged. ``pieces`` is the content of ``size`` bytes, to be taken before
    the next member is.
    """

    name: str
    directory: bool
    size: int
    pieces: Iterator[bytes]


def take(source: Source, size: int) -> bytes:
    """Return exactly ``size`` bytes; raises ExtractError when the archive ends before."""
    content = source.read(size)
    while len(content) < size:
        more = source.read(size - len(content))
        if not more:
            raise truncated()
        content += more
    return content


def truncated() -> ExtractError:
    """Return the error for an archive that ends too early."""
    return ExtractError("it ends too early", code="archive_truncated", hint="download or publish it again")


def shown(name: str) -> str:
    """Return a member's name fit for a message: quoted, escaped and cut."""
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…")
