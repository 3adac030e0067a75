"""What moves bytes from a source to this machine: the protocol, its words, and the rules every transport keeps.

The rules are pure, so that HTTP, files and whatever comes next judge bytes alike: at most the declared size and one
buffer is taken in, fewer bytes than declared are an early end (worth another try), and a digest has the last word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pycontextify.errors import FetchError, TransientFetchError, VerifyError
from pycontextify.snapshot.digest import Digest

__all__ = [
    "BUFFER",
    "DEFAULT_LIMIT",
    "Download",
    "Fetched",
    "OnBytes",
    "Received",
    "Transport",
    "check_arriving",
    "check_declared",
    "check_document",
    "check_received",
    "ignore_size",
    "is_absent",
]

BUFFER = 256 * 1024
"""Bytes handled at a time; measured to cost the event loop the least lag."""

DEFAULT_LIMIT = 64 * 1024**3
"""The largest asset taken when nothing declares its size, in bytes."""

OnBytes = Callable[[int], None]
"""Told how many bytes of an asset have arrived, counted from its start. A restart may lower the number."""

_ABSENT = frozenset({"http_404", "http_410", "file_missing"})


@dataclass(frozen=True, slots=True)
class Download:
    """An asset to be streamed to disk.

    ``name`` is what people call it. ``digest`` and ``size`` (bytes) are what it must turn out to be, where known.
    ``limit`` (bytes) bounds it when no size is known.
    """

    name: str
    url: str
    digest: Digest | None = None
    size: int | None = None
    limit: int = DEFAULT_LIMIT

    @property
    def most(self) -> int:
        """The most bytes this may have."""
        return self.limit if self.size is None else self.size


@dataclass(frozen=True, slots=True)
class Fetched:
    """A small document, whole. ``etag`` is the validator its server gave it."""

    content: bytes
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """What a download turned out to be: its digest, and its size in bytes."""

    digest: Digest
    size: int


class Transport(Protocol):
    """Reads small documents whole and streams large ones to disk.

    Both methods raise TransientFetchError (worth another try), PermanentFetchError (`is_absent` tells whether it is
    for want of the asset), VerifyError (other bytes than declared) and StoreError (the local disk).
    """

    async def read(self, url: str, *, limit: int) -> Fetched:
        """Return a document of at most ``limit`` bytes."""
        ...

    async def download(
        self,
        request: Download,
        destination: Path,
        on_bytes: OnBytes,
        on_size: OnBytes = ...,
    ) -> Received:
        """Write an asset to ``destination``, from its first byte, verified and fsynced.

        ``on_size`` is told the size in bytes as soon as the source declares it. Both callbacks run on the event loop.
        When this raises or is cancelled, what is left at ``destination`` is worth nothing and does no harm.
        """
        ...


def ignore_size(_size: int) -> None:
    """Stand in for a callback that nobody asked for."""


def is_absent(error: FetchError) -> bool:
    """Tell whether the source answered that it has no such asset (a sidecar that was never published, say)."""
    return error.code in _ABSENT


def check_declared(request: Download, declared: int, asset: str) -> None:
    """Judge the size in bytes that a source announces, before any byte of it is taken.

    Raises VerifyError when that is too many, TransientFetchError when fewer than are known to be needed.
    """
    if declared > request.most:
        raise _too_large(request, f"the source announces {declared:,} bytes", asset)
    if request.size is not None and declared < request.size:
        raise TransientFetchError(
            f"the source announces {declared:,} bytes of {request.name}, {request.size:,} are expected",
            code="truncated",
            asset=asset,
            hint="it may still be being published",
        )


def check_arriving(request: Download, arrived: int, asset: str) -> None:
    """Raise VerifyError when more bytes have arrived than there may be."""
    if arrived > request.most:
        raise _too_large(request, f"more than {request.most:,} bytes arrive", asset)


def check_received(request: Download, received: Received, declared: int | None, asset: str) -> None:
    """Judge a body that has ended, against its size (the one known, else the one declared) and its digest.

    Raises TransientFetchError when it ended early, VerifyError when it is another one.
    """
    expected = declared if request.size is None else request.size
    if expected is not None and received.size < expected:
        raise TransientFetchError(
            f"{request.name} ended after {received.size:,} of {expected:,} bytes", code="truncated", asset=asset
        )
    if request.digest is not None and received.digest != request.digest:
        raise VerifyError(
            f"{request.name} has SHA-256 {received.digest.short}…, expected {request.digest.short}…",
            code="digest_mismatch",
            asset=asset,
            hint="publish it again, or correct the pinned digest or .sha256 file",
        )


def check_document(size: int, limit: int, asset: str) -> None:
    """Raise VerifyError when a small document has more than ``limit`` bytes."""
    if size > limit:
        raise VerifyError(
            f"the document has more than {limit:,} bytes",
            code="size_exceeded",
            asset=asset,
            hint="check that the address leads to a published index",
        )


def _too_large(request: Download, what: str, asset: str) -> VerifyError:
    bound = "the most that is taken" if request.size is None else "its declared size"
    return VerifyError(
        f"{what}, and {request.most:,} is {bound} for {request.name}",
        code="size_exceeded",
        asset=asset,
        hint="check that the address leads to what was published",
    )
